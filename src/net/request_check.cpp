#include "net/request_check.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <curl/curl.h>

namespace tilld::net {

namespace {

constexpr std::size_t longest_url = 64u << 10;
constexpr std::size_t longest_verb = 16;

struct free_url {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_alnum(c) || marks.find(c) != std::string_view::npos;
  });
}

bool same_name(std::string_view name, std::string_view lower_case) {
  return std::ranges::equal(name, lower_case, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

bool is_framing(std::string_view name) {
  constexpr std::array<std::string_view, 6> names{
      "content-length", "transfer-encoding", "expect", "te", "trailer", "upgrade"};
  return std::ranges::any_of(names, [&](std::string_view n) { return same_name(name, n); });
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string out = text;
  curl_free(text);
  return out;
}

result<std::string> check_url(const std::string& url) {
  const bool printable = std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable || url.empty() || url.size() > longest_url) {
    return fail(errc::invalid, "the URL is empty, too long or not printable ASCII");
  }
  const std::unique_ptr<CURLU, free_url> parsed(curl_url());
  if (!parsed ||
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK) {
    return fail(errc::invalid, "the URL cannot be read");
  }
  const std::string scheme = part_of(parsed.get(), CURLUPART_SCHEME, 0);
  const std::string host = part_of(parsed.get(), CURLUPART_HOST, 0);
  const std::string port = part_of(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if ((scheme != "http" && scheme != "https") || host.empty() || port.empty()) {
    return fail(errc::invalid, "the URL is not http:// or https:// with a host");
  }
  char* user = nullptr;
  const bool has_user = curl_url_get(parsed.get(), CURLUPART_USER, &user, 0) == CURLUE_OK;
  curl_free(user);
  char* password = nullptr;
  const bool has_password =
      curl_url_get(parsed.get(), CURLUPART_PASSWORD, &password, 0) == CURLUE_OK;
  curl_free(password);
  if (has_user || has_password) {
    return fail(errc::invalid, "the URL carries user information; use a header");
  }
  return scheme + "://" + host + ":" + port;
}

}  // namespace

result<std::string> check_request(const request& r) {
  const bool verb_fits = !r.verb.empty() && r.verb.size() <= longest_verb &&
                         std::ranges::all_of(r.verb, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!verb_fits) return fail(errc::invalid, "the verb is not made of 1 to 16 capital letters");
  for (const auto& [name, value] : r.headers) {
    if (!is_token(name)) return fail(errc::invalid, "a header's name is not a token");
    if (is_framing(name)) return fail(errc::invalid, "the header " + name + " is not the caller's");
    if (has_control(value)) {
      return fail(errc::invalid, "the header " + name + " has a control character in its value");
    }
  }
  return check_url(r.url);
}

bool may_be_resent(const request& r) {
  if (r.verb == "GET" || r.verb == "HEAD" || r.verb == "OPTIONS") return true;
  return std::ranges::any_of(r.headers, [](const auto& header) {
    return same_name(header.first, "idempotency-key") && !header.second.empty();
  });
}

}  // namespace tilld::net
