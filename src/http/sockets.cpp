#include "http/sockets.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tilld::http {

namespace {

constexpr int backlog = 1024;  // a burst of connects past it waits a second for a repeated SYN

struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

result<socket_address> parse(const std::string& address, std::uint16_t port) {
  socket_address made;
  auto* four = reinterpret_cast<sockaddr_in*>(&made.bytes);
  auto* six = reinterpret_cast<sockaddr_in6*>(&made.bytes);
  if (inet_pton(AF_INET, address.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    made.size = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, address.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    made.size = sizeof(sockaddr_in6);
  } else {
    return fail(errc::invalid, "cannot listen on \"" + address +
                                   "\": not an IPv4 or IPv6 address; try 127.0.0.1 or ::1");
  }
  return made;
}

std::unexpected<error> refused(const std::string& address, std::uint16_t port, int cause) {
  std::string message = "cannot listen on " + address + " port " + std::to_string(port) + ": " +
                        std::generic_category().message(cause);
  if (cause == EADDRINUSE) message += " (in use); is another tilld running?";
  if (cause == EACCES) message += "; ports below 1024 need a privilege, take a higher one";
  if (cause == EADDRNOTAVAIL) message += "; this host has no such address";
  return fail(errc::unavailable, std::move(message));
}

void switch_on(int fd, int level, int option) {
  const int yes = 1;
  ::setsockopt(fd, level, option, &yes, sizeof(yes));
}

std::string text_of(const sockaddr_storage& from) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* address = nullptr;
  if (from.ss_family == AF_INET) {
    address = &reinterpret_cast<const sockaddr_in*>(&from)->sin_addr;
  } else if (from.ss_family == AF_INET6) {
    address = &reinterpret_cast<const sockaddr_in6*>(&from)->sin6_addr;
  }
  if (!address || !inet_ntop(from.ss_family, address, text.data(), text.size())) return {};
  return text.data();
}

}  // namespace

void descriptor::reset() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

result<listening> listen_on(const std::string& address, std::uint16_t port) {
  auto where = parse(address, port);
  if (!where) return std::unexpected(where.error());
  const int family = where->bytes.ss_family;
  descriptor made(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made) return refused(address, port, errno);
  switch_on(made.get(), SOL_SOCKET, SO_REUSEADDR);
  // "::" means IPv6 alone, whatever this host's sysctl says about it.
  if (family == AF_INET6) switch_on(made.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  auto* raw = reinterpret_cast<sockaddr*>(&where->bytes);
  if (::bind(made.get(), raw, where->size) != 0) return refused(address, port, errno);
  if (::listen(made.get(), backlog) != 0) return refused(address, port, errno);
  if (::getsockname(made.get(), raw, &where->size) != 0) return refused(address, port, errno);
  const auto bound = family == AF_INET
                         ? reinterpret_cast<const sockaddr_in*>(&where->bytes)->sin_port
                         : reinterpret_cast<const sockaddr_in6*>(&where->bytes)->sin6_port;
  return listening{std::move(made), ntohs(bound)};
}

accepted accept_from(int listening_socket) {
  sockaddr_storage from{};
  socklen_t size = sizeof(from);
  accepted made;
  made.socket = descriptor(::accept4(listening_socket, reinterpret_cast<sockaddr*>(&from), &size,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!made.socket) {
    made.error = errno;
    return made;
  }
  // With Nagle's algorithm a second small packet waits for the peer's delayed ACK: 43 ms a request.
  switch_on(made.socket.get(), IPPROTO_TCP, TCP_NODELAY);
  made.remote = text_of(from);
  return made;
}

}  // namespace tilld::http
