// A listener: the door in front, cpp-httplib behind it.
//
// One epoll thread accepts, reads heads and bodies with deadlines and bounds and frames them; only
// whole, well-formed requests reach the workers. An idle or slow connection costs a file
// descriptor, not a thread. Handlers may answer later: a request that waits for Stripe holds no
// worker. Requests of one connection are answered one by one, in their order; while one is in hand
// the next is not read. HEAD reaches the handler as GET, and the answer goes without its body.
//
// The door itself refuses, in Stripe's shape of an error: what parse_head refuses; 421 to a Host
// that is not in `hosts`; 408 to a head or body that is late; 503 with Retry-After past
// `most_in_flight` (the connection stays) and past `most_connections` when none idles; 503 to a
// request whose handler dropped its responder or took longer than the answer deadline. A refusal
// of a request that was not read to its end closes the connection, lingering for up to 2 s and
// 2 MiB so that the client reads the refusal.
//
// A request counts as in flight until it is answered, dropped or past its deadline, also when its
// client has gone: work that goes on counts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/metrics.hpp"
#include "http/head_parser.hpp"
#include "http/router.hpp"

namespace tilld::http {

struct listener_settings {
  std::string name = "api";           // for logs and metrics
  std::string address = "127.0.0.1";  // IPv4 or IPv6 literal
  std::uint16_t port = 0;             // 0: the kernel chooses (tests)
  int workers = 4;
  // A request that comes alone is handled by the thread that has read it, as long as handlers are
  // quick: waking a worker would cost more than most answers do. Only for handlers that never wait.
  bool alone_at_door = false;
  head_limits limits;
  std::vector<std::string> hosts = {"localhost", "127.0.0.1", "::1"};  // {"*"}: any Host
  int most_connections = 4096;  // past it the longest idle one is closed, else refused
  int most_in_flight = 1024;
  std::int64_t head_deadline_ms = 5'000;  // from the first byte of a request
  std::int64_t body_deadline_ms = 10'000;
  std::int64_t idle_deadline_ms = 75'000;   // a connection without a request
  std::int64_t write_deadline_ms = 10'000;  // and a second for every 16 KiB that the peer has taken
  std::int64_t answer_deadline_ms = 120'000;  // a handler that never answers: 503
};

class server {
 public:
  server(listener_settings settings, router routes, metrics& counts);
  // Stops without waiting for answers; a handler that is running on a worker runs to its end.
  // Responders that are still held may be used; their answers go nowhere.
  ~server();

  // Binds and starts to serve. Errors: unavailable (address in use, …) with address and cause.
  result<void> start();
  std::uint16_t port() const;

  // Takes no new connections and no new requests; answers what is in flight, until the deadline.
  // Returns how many requests were left unanswered.
  int drain(std::int64_t deadline_ms);

  int in_flight() const;

 private:
  class door;
  std::unique_ptr<door> door_;
};

}  // namespace tilld::http
