#include "http/message.hpp"

#include "base/json_text.hpp"

namespace tilld::http {

std::string_view request::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

response error_response(int status, std::string_view type, std::string_view code,
                        std::string_view message) {
  response answer;
  answer.status = status;
  answer.body = R"({"error":{"type":)";
  append_json_string(answer.body, type);
  if (!code.empty()) {
    answer.body += R"(,"code":)";
    append_json_string(answer.body, code);
  }
  answer.body += R"(,"message":)";
  append_json_string(answer.body, message);
  answer.body += "}}";
  return answer;
}

}  // namespace tilld::http
