// A request as the rooms behind the door see it, and their answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/once.hpp"

namespace tilld::http {

using header_list = std::vector<std::pair<std::string, std::string>>;

// Who asks, as authentication found out.
struct principal {
  std::string token_name;
  std::string account;  // the only one it may speak of; empty: any
  bool may_read = false;
  bool may_write = false;
  bool may_admin = false;
};

struct request {
  std::string verb;
  std::string target;                 // as it came: path and query
  std::string path;                   // as it came, without the query
  std::vector<std::string> segments;  // of the path, percent-decoded one by one; no empty ones
  std::string query;                  // raw, without "?"
  header_list headers;                // names in lower case, values trimmed
  std::string body;
  std::string remote;  // the peer's address
  std::string id;      // "req_…": the caller's X-Request-Id if it is sane, else our own
  std::vector<std::string> arguments;  // what the route's {placeholders} matched
  principal who;
  std::string account;  // the configured account it is about; empty: of none

  std::string_view header(std::string_view lower_case_name) const;  // empty when absent
};

struct response {
  int status = 200;
  header_list headers;
  std::string content_type = "application/json";
  std::string body;
  long long date_s = 0;  // of the Date header; 0: now
  bool hang_up = false;  // no answer: the connection ends. What the sandbox does on demand
};

// Answers now or later, from any thread. If it is dropped unanswered the client gets a 503.
using responder = once<response>;

// {"error": {"type", "code", "message"}}, Stripe's shape on every face. Without a code if it is
// empty. All of it must be UTF-8.
response error_response(int status, std::string_view type, std::string_view code,
                        std::string_view message);

}  // namespace tilld::http
