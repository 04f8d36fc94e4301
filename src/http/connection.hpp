// One connection: what has come, what goes out, and where it stands. Whoever touches it holds its
// mutex; the door's thread reads from it and closes it, a worker may write its answer to it.
//
//   idle → head → body → handling → sending → idle …
//                                 ↘ lingering → closed
//
// The socket is registered with epoll once, edge-triggered, for everything; so an edge may come
// while nobody wants it, and `readable` remembers it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "http/response.hpp"
#include "http/sockets.hpp"

namespace tilld::http {

struct exchange;

enum class phase {
  idle,       // between requests
  head,       // a request has begun
  body,       // its head is known
  handling,   // it is with a worker or waits for its answer
  sending,    // the socket would not take all of the answer
  lingering,  // everything is said; waits for the peer to go, so that it reads our last words
  closed
};

struct connection {
  connection(descriptor s, std::string peer, std::uint64_t k)
      : socket(std::move(s)), remote(std::move(peer)), key(k) {}

  std::mutex mutex;
  descriptor socket;
  phase at = phase::idle;
  std::int64_t since_ms = 0;  // when the phase began
  bool readable = false;      // there may be something to read
  bool hung_up = false;       // the peer sends no more

  std::string received;               // bytes not yet framed
  std::size_t judge_at = 0;           // not parsed again before so much has come, or a line's end
  std::shared_ptr<exchange> current;  // the request that arrives or is in hand
  std::size_t body_missing = 0;

  wire out;
  std::size_t sent = 0;     // of head and body together
  std::size_t drained = 0;  // while lingering

  // Read without the mutex to find who may be late; then looked at again with it.
  std::atomic<std::int64_t> deadline_ms{0};

  const std::string remote;
  const std::uint64_t key;  // slot and generation, as epoll gives it back
};

struct send_limits {
  std::int64_t idle_deadline_ms = 0;
  std::int64_t write_deadline_ms = 0;
};

inline constexpr std::int64_t least_read_rate = 16 << 10;  // bytes/s
inline constexpr std::int64_t linger_ms = 2'000;
inline constexpr std::size_t linger_bytes = 2u << 20;

void enter(connection& c, phase next, std::int64_t now_ms, std::int64_t deadline_ms);

// Both return whether the door must look at the connection: it lingers now, or there is more to
// read. Otherwise it idles, or the next edge finds it sending.
bool start_sending(connection& c, wire out, const send_limits& limits, std::int64_t now_ms);
bool send_on(connection& c, const send_limits& limits, std::int64_t now_ms);

// A reader gets the write deadline and a second more for every 16 KiB it has taken: 5 MB may take
// five minutes, but a reader that takes a byte now and then is dropped.
std::int64_t sending_deadline_ms(const connection& c, const send_limits& limits);

// Closes for writing and waits a bounded while for the peer to read what was said. Closing at once
// while bytes come in would make the kernel send a reset, and the peer would lose the answer.
void start_lingering(connection& c, std::int64_t now_ms);

}  // namespace tilld::http
