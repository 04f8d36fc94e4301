// The results of POST requests that carried an Idempotency-Key, for 24 hours.
// Source: https://docs.stripe.com/api/idempotent_requests
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "sandbox/machine/sequence.hpp"

namespace tilld::sandbox {

struct kept_result {
  std::int64_t at_s = 0;
  std::string path;
  std::string fingerprint;  // of the parameters
  std::string request_id;   // of the request that it answered first
  int status = 0;
  std::string body;  // compact
};

class idempotency {
 public:

  const kept_result* find(std::string_view key) const;
  void keep(std::string key, kept_result result);
  void forget_before(std::int64_t at_s);

  // Oldest first, for keeping.
  const std::deque<std::string>& keys() const { return order_; }

 private:
  std::unordered_map<std::string, kept_result, text_hash, std::equal_to<>> by_key_;
  std::deque<std::string> order_;
};

}  // namespace tilld::sandbox
