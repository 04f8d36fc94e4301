#include <algorithm>
#include <string>
#include <vector>

#include "http/api/endpoint.hpp"
#include "http/api/ordering.hpp"

namespace tilld::http::api {

using nlohmann::json;

namespace {

constexpr const char* introduction =
    "Who is subscribed, to what, what they may use and what they have paid, by the application's "
    "own user ids. Amounts are whole minor units of their currency; moments are seconds since "
    "1970. Reads are answered from local disk. What is ordered is durable before it leaves for "
    "Stripe and has its effect once.";

shape error_shape() {
  return object(
             {needed(
                 "error",
                 object(
                     {needed("type", text("As Stripe's: invalid_request_error, …").within(0, 100)),
                      maybe("code", text("For programs.").within(0, 200)),
                      needed("message", text("For people.").within(0, 100000)),
                      maybe("param", text("The parameter that Stripe names.")),
                      maybe("errors",
                            list_of(object({maybe("pointer", text("Where in the body (RFC 6901).")
                                                                 .within(0, 5000)),
                                            maybe("parameter", text("Of the query.")),
                                            needed("message", text("What is wrong there."))})
                                        .with_more(),
                                    "All that is wrong with the request."))})
                     .with_more())})
      .with_more()
      .called("Error");
}

// "{user_id}" of the path in the order they stand in.
json parameter(const member& of, const char* in, json& named) {
  json schema = schema_of(of.what, named);
  json out = {{"name", of.name}, {"in", in}, {"required", of.needed}};
  if (schema.contains("description")) {
    out["description"] = schema["description"];
    schema.erase("description");
  }
  out["schema"] = std::move(schema);
  return out;
}

json answer(const std::string& about, const shape& of, json& named) {
  return {{"description", about},
          {"content", {{"application/json", {{"schema", schema_of(of, named)}}}}}};
}

// Every refusal of one status in one answer.
json refusals(const endpoint& row, json& named) {
  std::vector<refusal> all = row.refuses;
  const bool checked = row.takes || !row.query.empty() || !row.in_path.empty();
  if (checked) {
    all.push_back(
        {400, "request_invalid", "The request is not as it should be; errors says where."});
  }
  all.push_back({401, "", "The token is missing or not known."});
  all.push_back({403, "", "The token may not do this."});
  if (row.orders) {
    all.push_back(
        {409, "idempotency_key_in_use", "The first request with this key is on its way."});
    all.push_back({503, "stripe_unreachable", "Nothing was sent to Stripe; try again later."});
    all.push_back({504, "order_open", "Stripe has not answered; the order goes on."});
  }
  json out = json::object();
  for (const auto& one : all) {
    const std::string status = std::to_string(one.status);
    const std::string line = (one.code.empty() ? "" : "`" + one.code + "`: ") + one.about;
    if (out.contains(status)) {
      out[status]["description"] = out[status]["description"].get<std::string>() + "\n\n" + line;
    } else {
      out[status] = answer(line, error_shape(), named);
    }
  }
  return out;
}

json operation(const endpoint& row, json& named) {
  json out = {
      {"operationId", row.name}, {"tags", json::array({row.tag})}, {"summary", row.summary}};
  if (!row.about.empty()) out["description"] = row.about;
  json parameters = json::array();
  for (auto one : row.in_path) {
    one.needed = true;
    parameters.push_back(parameter(one, "path", named));
  }
  for (const auto& one : row.query)
    parameters.push_back(parameter(one, "query", named));
  if (row.orders) {
    parameters.push_back({{"$ref", "#/components/parameters/IdempotencyKey"}});
    parameters.push_back({{"$ref", "#/components/parameters/Prefer"}});
  }
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (row.takes) {
    const bool needed = std::ranges::any_of(row.takes->members, &member::needed);
    out["requestBody"] = {
        {"required", needed},
        {"content", {{"application/json", {{"schema", schema_of(*row.takes, named)}}}}}};
  }
  json responses = refusals(row, named);
  responses[std::to_string(row.status)] = answer("Done.", row.gives, named);
  if (row.orders) {
    responses["202"] = answer("Preferred: the order is durable and goes on.", order_shape(), named);
    responses["default"] =
        answer("What Stripe refuses: its status, its error.", error_shape(), named);
  }
  out["responses"] = std::move(responses);
  return out;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : static_cast<char>(c);
  });
  return text;
}

}  // namespace

json openapi(const std::vector<endpoint>& all, std::string_view version) {
  json named = json::object();
  json paths = json::object();
  json tags = json::array();
  for (const auto& row : all) {
    paths[row.path][lower(row.verb)] = operation(row, named);
    const json tag = {{"name", row.tag}};
    if (std::ranges::find(tags, tag) == tags.end()) tags.push_back(tag);
  }
  const json key = {
      {"name", "Idempotency-Key"},
      {"in", "header"},
      {"required", false},
      {"description",
       "The same key again gives the same answer and has no second effect, for 30 days."},
      {"schema", {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}}}};
  const json prefer = {
      {"name", "Prefer"},
      {"in", "header"},
      {"required", false},
      {"description",
       "RFC 7240: `respond-async` answers 202 as soon as the order is durable; `wait=10` waits no "
       "longer than so many seconds for Stripe."},
      {"schema", {{"type", "string"}}}};
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "tilld"},
            {"version", version},
            {"description", introduction},
            {"license", {{"name", "Apache 2.0"}, {"identifier", "Apache-2.0"}}}}},
          {"servers", json::array({{{"url", "http://127.0.0.1:8455"}}})},
          {"security", json::array({{{"token", json::array()}}, {{"user", json::array()}}})},
          {"tags", std::move(tags)},
          {"paths", std::move(paths)},
          {"components",
           {{"schemas", std::move(named)},
            {"parameters", {{"IdempotencyKey", key}, {"Prefer", prefer}}},
            {"securitySchemes",
             {{"token", {{"type", "http"}, {"scheme", "bearer"}}},
              {"user",
               {{"type", "http"},
                {"scheme", "basic"},
                {"description", "The token as the user name, no password."}}}}}}}};
}

}  // namespace tilld::http::api
