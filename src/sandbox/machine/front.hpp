// The front of Stripe's API: who asks, for what, in which version; and how an answer or a refusal
// is written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/machine/context.hpp"
#include "sandbox/simulator.hpp"

namespace tilld::sandbox {

// Bearer or Basic with the one key; 401 otherwise.
answer<void> check_key(std::string_view authorization, std::string_view secret_key);

// 403: the key may not act for that account.
std::unexpected<failure> no_access(std::string_view secret_key, const std::string& account);

// Empty or a date with a train's name; anything else is 400.
answer<void> check_version(std::string_view version);

struct target {
  const stripe::endpoint_row* endpoint = nullptr;
  std::vector<std::string> arguments;
  nlohmann::json params;  // query and body together, still text
};
answer<target> read_target(const request& r);

// {"error": {…}} with its members in alphabetical order, as Stripe writes them. Compact.
std::string error_body(const failure& f, const std::string& request_id, std::int64_t now_s);

}  // namespace tilld::sandbox
