#include "http/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace tilld::http {

namespace {

enum class sending { done, blocked, broken };

sending send_some(connection& c) {
  const std::size_t total = c.out.head.size() + c.out.body.size();
  while (c.sent < total) {
    std::array<iovec, 2> parts{};
    std::size_t count = 0;
    const std::size_t of_head = std::min(c.sent, c.out.head.size());
    const std::size_t of_body = c.sent - of_head;
    if (of_head < c.out.head.size()) {
      parts[count++] = {c.out.head.data() + of_head, c.out.head.size() - of_head};
    }
    if (of_body < c.out.body.size()) {
      parts[count++] = {c.out.body.data() + of_body, c.out.body.size() - of_body};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t n = ::sendmsg(c.socket.get(), &message, MSG_NOSIGNAL);
    if (n >= 0) {
      c.sent += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return sending::blocked;
    } else if (errno != EINTR) {
      return sending::broken;
    }
  }
  return sending::done;
}

}  // namespace

void enter(connection& c, phase next, std::int64_t now_ms, std::int64_t deadline_ms) {
  c.at = next;
  c.since_ms = now_ms;
  c.deadline_ms.store(deadline_ms, std::memory_order_relaxed);
}

bool start_sending(connection& c, wire out, const send_limits& limits, std::int64_t now_ms) {
  c.out = std::move(out);
  c.sent = 0;
  enter(c, phase::sending, now_ms, now_ms + limits.write_deadline_ms);
  return send_on(c, limits, now_ms);
}

bool send_on(connection& c, const send_limits& limits, std::int64_t now_ms) {
  switch (send_some(c)) {
    case sending::blocked:
      return false;
    case sending::broken:
      start_lingering(c, now_ms);
      return true;
    case sending::done:
      break;
  }
  const bool close = c.out.close;
  c.out = {};
  c.current.reset();
  if (close) {
    start_lingering(c, now_ms);
    return true;
  }
  enter(c, phase::idle, now_ms, now_ms + limits.idle_deadline_ms);
  return c.readable || !c.received.empty();
}

std::int64_t sending_deadline_ms(const connection& c, const send_limits& limits) {
  int unread = 0;  // by the peer's kernel; of what ours has taken
  ::ioctl(c.socket.get(), SIOCOUTQ, &unread);
  const std::int64_t taken = static_cast<std::int64_t>(c.sent) - unread;
  return c.since_ms + limits.write_deadline_ms +
         std::max<std::int64_t>(taken, 0) * 1000 / least_read_rate;
}

void start_lingering(connection& c, std::int64_t now_ms) {
  c.out = {};
  c.received = {};
  c.current.reset();
  ::shutdown(c.socket.get(), SHUT_WR);
  enter(c, phase::lingering, now_ms, now_ms + linger_ms);
}

}  // namespace tilld::http
