#include "http/api/endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "http/v1_answers.hpp"
#include "http/v1_request.hpp"
#include "stripe/form.hpp"
#include "stripe/json_fault.hpp"

namespace tilld::http::api {

using nlohmann::json;

namespace {

constexpr std::size_t deepest_body = 32;

// nlohmann reads by recursion in places; a body this deep is no request of ours.
bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > deepest_body) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

bool is_json(const request& r) {
  const auto type = r.header("content-type");
  return type.empty() || type.starts_with("application/json");
}

// Reads the body into `into`; an answer when it cannot be read at all.
std::optional<response> read_body(const request& r, json& into) {
  into = json::object();
  if (r.body.empty()) return std::nullopt;
  if (!is_json(r)) {
    return refuse(415, "content_type_not_accepted", "Send the body as application/json.");
  }
  if (too_deep(r.body)) return refuse(400, "body_unreadable", "The body is nested too deeply.");
  into = json::parse(r.body, nullptr, false);
  if (into.is_discarded()) {
    const auto at = stripe::first_fault(r.body);
    return refuse(400, "body_unreadable",
                  "The body is not JSON" +
                      (at ? ": it goes wrong at byte " + std::to_string(*at) : std::string()) +
                      ".");
  }
  return std::nullopt;
}

void read_query(const endpoint& row, const request& r, json& into, std::vector<fault>& faults) {
  into = json::object();
  const auto pairs = stripe::decode_form(r.query);
  if (!pairs) {
    faults.push_back({"", "", "the query cannot be read: " + pairs.error().message});
    return;
  }
  for (const auto& [name, text] : *pairs) {
    const auto known = std::ranges::find(row.query, name, &member::name);
    if (known == row.query.end()) {
      faults.push_back({"", name, "is not known here"});
      continue;
    }
    auto value = from_text(known->what, text);
    if (!value) {
      const bool number = known->what.is == shape::kind::integer;
      faults.push_back({"", name, number ? "must be an integer" : "must be true or false"});
      continue;
    }
    std::vector<fault> wrong;
    check(known->what, *value, "", wrong);
    for (auto& one : wrong)
      faults.push_back({"", name, std::move(one.message)});
    into[name] = std::move(*value);
  }
  for (const auto& one : row.query) {
    const bool given = into.contains(one.name) || std::ranges::any_of(faults, [&](const fault& f) {
                         return f.parameter == one.name;
                       });
    if (one.needed && !given) faults.push_back({"", one.name, "is required"});
  }
}

// RFC 7240, 2: tokens and token=value pairs, separated by commas.
void read_prefer(std::string_view header, asked& into) {
  while (!header.empty()) {
    const auto comma = header.find(',');
    std::string_view one = header.substr(0, comma);
    header = comma == std::string_view::npos ? std::string_view{} : header.substr(comma + 1);
    while (one.starts_with(' '))
      one.remove_prefix(1);
    while (one.ends_with(' '))
      one.remove_suffix(1);
    if (one == "respond-async") into.respond_async = true;
    if (!one.starts_with("wait=")) continue;
    std::int64_t seconds = 0;
    const auto digits = one.substr(5);
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (failed == std::errc() && end == digits.data() + digits.size() && seconds >= 0) {
      into.wait_s = seconds;
    }
  }
}

std::string message_of(const std::vector<fault>& faults) {
  const fault& first = faults.front();
  const std::string& where = first.pointer.empty() ? first.parameter : first.pointer;
  std::string text = where.empty() ? first.message : where + " " + first.message;
  if (faults.size() > 1) text += ", and " + std::to_string(faults.size() - 1) + " more (errors)";
  return text + ".";
}

void run(const house& h, const endpoint& row, const request& r, const responder& answer) {
  auto input = std::make_shared<asked>(asked{h, h.account_of(r).scope, r.arguments, {}, {}, {}});
  std::vector<fault> faults;
  read_query(row, r, input->query, faults);
  if (auto unreadable = read_body(r, input->body)) return void(answer(std::move(*unreadable)));
  if (row.takes) {
    check(*row.takes, input->body, "", faults);
  } else if (!input->body.is_object() || !input->body.empty()) {
    faults.push_back({"", "", "this request takes no body"});
  }
  for (std::size_t i = 0; i < row.in_path.size() && i < input->arguments.size(); ++i) {
    std::vector<fault> wrong;
    check(row.in_path[i].what, json(input->arguments[i]), "", wrong);
    for (auto& one : wrong)
      faults.push_back({"", row.in_path[i].name, std::move(one.message)});
  }
  if (!faults.empty()) {
    return void(answer(refuse(400, "request_invalid", message_of(faults), faults)));
  }
  if (row.orders) {
    input->idempotency_key = r.header("idempotency-key");
    if (!sane_key(input->idempotency_key, answer)) return;
    read_prefer(r.header("prefer"), *input);
  }
  row.run(std::move(input), answer);
}

}  // namespace

const json* asked::find(std::string_view member) const {
  for (const json* in : {&body, &query}) {
    if (!in->is_object()) continue;
    const auto at = in->find(member);
    if (at != in->end()) return &*at;
  }
  return nullptr;
}

std::string asked::text(std::string_view member) const {
  const json* value = find(member);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::int64_t asked::number(std::string_view member, std::int64_t otherwise) const {
  const json* value = find(member);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : otherwise;
}

bool asked::truth(std::string_view member, bool otherwise) const {
  const json* value = find(member);
  return value != nullptr && value->is_boolean() ? value->get<bool>() : otherwise;
}

bool asked::has(std::string_view member) const {
  const json* value = find(member);
  return value != nullptr && !value->is_null();
}

response refuse(int status, std::string_view code, std::string_view message,
                const std::vector<fault>& faults) {
  const std::string_view type = status >= 500 ? "api_error" : "invalid_request_error";
  response out = error_response(status, type, code, message);
  if (faults.empty()) return out;
  json body = json::parse(out.body);
  json errors = json::array();
  for (const auto& one : faults) {
    json listed = {{"message", one.message}};
    if (one.parameter.empty()) {
      listed["pointer"] = one.pointer;
    } else {
      listed["parameter"] = one.parameter;
    }
    errors.push_back(std::move(listed));
  }
  body["error"]["errors"] = std::move(errors);
  out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return out;
}

response found(const json& body, int status) {
  response out;
  out.status = status;
  out.body = body.dump();
  return out;
}

void serve(router& to, const house& h, std::vector<endpoint> all) {
  const auto rows = std::make_shared<const std::vector<endpoint>>(std::move(all));
  for (const auto& row : *rows) {
    to.add(row.verb, row.path,
           [&h, &row, rows](request& r, const responder& answer) { run(h, row, r, answer); });
  }
  const auto document = std::make_shared<const std::string>(openapi(*rows, TILLD_VERSION).dump(2));
  to.add("GET", "/openapi.json", [document](request&, const responder& answer) {
    response ok;
    ok.body = *document;
    answer(std::move(ok));
  });
}

}  // namespace tilld::http::api
