#include "sandbox/machine/front.hpp"

#include <algorithm>
#include <map>

#include "base/bytes.hpp"
#include "sandbox/machine/multipart.hpp"
#include "stripe/form.hpp"

namespace tilld::sandbox {

namespace {

// "sk_test_****************abcd"
std::string masked(std::string_view key) {
  constexpr std::size_t head = 8;
  constexpr std::size_t tail = 4;
  if (key.size() <= head + tail) return std::string(key.size(), '*');
  std::string out(key.substr(0, head));
  out.append(key.size() - head - tail, '*');
  out.append(key.substr(key.size() - tail));
  return out;
}

std::unexpected<failure> unauthorized(std::string message) {
  return refuse(stripe::api_error{401, "invalid_request_error", "", std::move(message), ""});
}

bool starts_with_word(std::string_view text, std::string_view word) {
  if (text.size() <= word.size() || text[word.size()] != ' ') return false;
  return std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
    return a == std::tolower(static_cast<unsigned char>(b));
  });
}

// The key of either scheme; empty when there is none.
std::string key_of(std::string_view authorization) {
  if (starts_with_word(authorization, "bearer")) {
    const auto key = authorization.substr(7);
    const auto begin = key.find_first_not_of(' ');
    return begin == std::string_view::npos ? std::string() : std::string(key.substr(begin));
  }
  if (!starts_with_word(authorization, "basic")) return {};
  const auto pair = from_base64(authorization.substr(6));
  return pair ? pair->substr(0, pair->find(':')) : std::string();
}

answer<std::vector<std::string>> segments_of(const request& r) {
  std::vector<std::string> segments;
  const std::string_view path = r.path;
  if (!path.starts_with('/')) return refuse(stripe::unrecognized_url(r.verb, r.path));
  std::size_t begin = 1;
  while (true) {
    const auto slash = path.find('/', begin);
    const auto part = path.substr(begin, slash == path.npos ? path.npos : slash - begin);
    auto decoded = stripe::percent_decode(part, false);
    if (!decoded || decoded->empty()) return refuse(stripe::unrecognized_url(r.verb, r.path));
    segments.push_back(std::move(*decoded));
    if (slash == path.npos) return segments;
    begin = slash + 1;
  }
}

result<stripe::form_pairs> body_of(const request& r) {
  return is_multipart(r.content_type) ? decode_multipart(r.content_type, r.body)
                                      : stripe::decode_form(r.body);
}

answer<nlohmann::json> params_of(const request& r) {
  auto pairs = stripe::decode_form(r.query);
  if (!pairs) return refuse("Invalid query: " + pairs.error().message);
  auto body = body_of(r);
  if (!body) return refuse("Invalid request body: " + body.error().message);
  pairs->insert(pairs->end(), body->begin(), body->end());
  auto tree = stripe::form_to_json(*pairs);
  if (!tree) return refuse("Invalid request: " + tree.error().message);
  return std::move(*tree);
}

}  // namespace

answer<void> check_key(std::string_view authorization, std::string_view secret_key) {
  const std::string key = key_of(authorization);
  if (key.empty()) {
    return unauthorized(
        "You did not provide an API key. You need to provide your API key in the Authorization "
        "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
        "https://stripe.com/docs/api#authentication for details, or we can help at "
        "https://support.stripe.com/.");
  }
  if (!equal_constant_time(key, secret_key)) {
    return unauthorized("Invalid API Key provided: " + masked(key));
  }
  return {};
}

std::unexpected<failure> no_access(std::string_view secret_key, const std::string& account) {
  return refuse(stripe::api_error{
      403, "invalid_request_error", "account_invalid",
      "The provided key '" + masked(secret_key) + "' does not have access to account '" + account +
          "' (or that account does not exist). Application access may have been revoked.",
      ""});
}

answer<void> check_version(std::string_view version) {
  if (version.empty()) return {};
  const bool dated = version.size() >= 10 && version[4] == '-' && version[7] == '-' &&
                     std::all_of(version.begin(), version.begin() + 4,
                                 [](unsigned char c) { return std::isdigit(c) != 0; });
  if (dated && (version.size() == 10 || version[10] == '.')) return {};
  return refuse("Invalid Stripe API version: " + std::string(version));
}

answer<target> read_target(const request& r) {
  const auto segments = segments_of(r);
  if (!segments) return std::unexpected(segments.error());
  auto match = stripe::catalogue::instance().find(r.verb, *segments);
  if (match.endpoint == nullptr) return refuse(stripe::unrecognized_url(r.verb, r.path));
  auto params = params_of(r);
  if (!params) return std::unexpected(params.error());
  return target{match.endpoint, std::move(match.arguments), std::move(*params)};
}

std::string error_body(const failure& f, const std::string& request_id, std::int64_t now_s) {
  const json plain = json::parse(stripe::to_json(f.error), nullptr, false);
  std::map<std::string, json> members;
  for (const auto& [name, value] : plain["error"].items())
    members[name] = value;
  if (f.more.is_object()) {
    for (const auto& [name, value] : f.more.items())
      members[name] = value;
  }
  if (f.error.status == 501) members.erase("doc_url");
  if (f.error.status != 401) {
    members["request_log_url"] =
        "https://dashboard.stripe.com/test/logs/" + request_id + "?t=" + std::to_string(now_s);
  }
  json error = json::object();
  for (auto& [name, value] : members)
    error[name] = std::move(value);
  json body = json::object();
  body["error"] = std::move(error);
  return compact(body);
}

}  // namespace tilld::sandbox
