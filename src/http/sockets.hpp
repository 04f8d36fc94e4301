// The few system calls of the door, with their options in one place.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace tilld::http {

// A file descriptor that is closed with its owner.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(descriptor&& from) noexcept : fd_(std::exchange(from.fd_, -1)) {}
  descriptor& operator=(descriptor&& from) noexcept {
    std::swap(fd_, from.fd_);
    return *this;
  }
  ~descriptor() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

struct listening {
  descriptor socket;
  std::uint16_t port = 0;
};

// Binds and listens, non-blocking, with a backlog of 1024 (or what the kernel allows). With
// SO_REUSEADDR, so that a restart need not wait for old connections, and never with SO_REUSEPORT,
// which would let a second process take half of the connections.
// Errors: invalid (no IPv4 or IPv6 literal), unavailable (in use, not ours to take, …).
result<listening> listen_on(const std::string& address, std::uint16_t port);

struct accepted {
  descriptor socket;   // non-blocking, without Nagle's delay; empty: none, see `error`
  std::string remote;  // the peer's address, without the port
  int error = 0;       // errno; EAGAIN: nobody waits
};

accepted accept_from(int listening_socket);

}  // namespace tilld::http
