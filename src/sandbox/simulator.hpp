// Stripe, simulated: its objects, rules and events as one pure state machine. Requests go in,
// answers and events come out; no sockets, no threads, no clock of its own.
//
// What is not simulated answers 501 with a plain sentence, never a guess.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tilld::sandbox {

struct request {
  std::string verb;
  std::string path;    // "/v1/customers/cus_x"
  std::string query;   // raw
  std::string body;    // form-encoded
  std::string authorization;    // the header's value
  std::string idempotency_key;  // empty: none
  std::string stripe_version;   // empty: the default
};

struct response {
  int status = 200;
  std::string body;  // JSON, pretty-printed as Stripe does
  std::vector<std::pair<std::string, std::string>> headers;  // Request-Id, Stripe-Version, …
};

// An event that has happened and wants to be delivered, in the order of its cause.
struct emitted {
  std::string id;
  std::string type;
  std::int64_t created_s = 0;
  std::string body;  // the event object, pretty-printed: what a webhook carries
};

class simulator {
 public:
  struct options {
    std::string secret_key = "sk_test_sandbox";  // the only one it takes
    std::uint64_t seed = 1;                      // of ids: the same seed and requests, the same ids
    std::string account_id = "acct_1SandboxTilld0000";
  };
  explicit simulator(options o);
  ~simulator();

  // Not thread-safe: one thread at a time. `now_s` is Stripe's time at this request.
  response handle(const request& r, std::int64_t now_s);

  // Events since the last call, oldest first.
  std::vector<emitted> take_events();

  // Every object and event, for comparing a mirror with the truth: {"customer": {"cus_x": {…}}, …}.
  // Deleted objects are there as their stub.
  std::string dump() const;

  // All of the state, to keep it across restarts. load() into a fresh simulator; returns false and
  // changes nothing if the bytes are not a state of this version.
  std::string save() const;
  bool load(std::string_view bytes);

 private:
  struct world;
  std::unique_ptr<world> world_;
};

}  // namespace tilld::sandbox
