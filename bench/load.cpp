#include "load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tilld::bench {

namespace {

using ticks = std::chrono::steady_clock::time_point;

struct client {
  int fd = -1;
  const std::string* sending = nullptr;
  std::size_t sent = 0;
  std::string head;  // of the answer, until it is whole
  std::size_t body_missing = 0;
  bool in_body = false;
  int status = 0;
  ticks due;  // when the request was sent, or should have been
};

int number_after(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] == ' ')
    ++at;
  int value = -1;
  std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

// The position behind "content-length:", in any case; npos if there is none.
std::size_t behind_content_length(std::string_view head) {
  static constexpr std::string_view wanted = "\r\ncontent-length:";
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  const auto found = std::search(head.begin(), head.end(), wanted.begin(), wanted.end(), same);
  if (found == head.end()) return std::string_view::npos;
  return static_cast<std::size_t>(found - head.begin()) + wanted.size();
}

class run {
 public:
  explicit run(const load_plan& plan) : plan_(plan), clients_(plan.connections) {}
  ~run() {
    for (client& c : clients_) {
      if (c.fd >= 0) ::close(c.fd);
    }
    if (epoll_ >= 0) ::close(epoll_);
  }
  run(const run&) = delete;
  run& operator=(const run&) = delete;

  result<load_report> go() {
    if (plan_.requests.empty() || plan_.connections < 1) {
      return fail(errc::invalid, "a load needs requests and connections");
    }
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    for (client& c : clients_) {
      if (!connect(c)) return fail(errc::unavailable, std::string("connect: ") + strerror(errno));
    }
    start_ = std::chrono::steady_clock::now();
    counted_from_ = start_ + seconds(plan_.warm_up_seconds);
    end_ = counted_from_ + seconds(plan_.seconds);
    for (client& c : clients_)
      idle_.push_back(&c);
    loop();
    return report();
  }

 private:
  static std::chrono::nanoseconds seconds(double s) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(s * 1e9));
  }

  bool connect(client& c) {
    c.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(plan_.port);
    ::inet_pton(AF_INET, plan_.address.c_str(), &to.sin_addr);
    if (::connect(c.fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) return false;
    const int yes = 1;
    ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.ptr = &c;
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &wanted) == 0;
  }

  void loop() {
    std::array<epoll_event, 256> events;
    while (!over()) {
      send_due();
      const int n = ::epoll_wait(epoll_, events.data(), events.size(), wait_ms());
      for (int i = 0; i < n; ++i)
        receive(*static_cast<client*>(events[i].data.ptr));
    }
  }

  bool over() const {
    if (!plan_.repeat && next_ >= plan_.requests.size() && idle_.size() == clients_.size()) {
      return true;
    }
    return std::chrono::steady_clock::now() >= end_;
  }

  int wait_ms() const {
    if (plan_.rate <= 0 || idle_.empty()) return 100;
    const auto left = due(next_) - std::chrono::steady_clock::now();
    return left.count() <= 0 ? 0 : static_cast<int>(left / std::chrono::milliseconds(1));
  }

  ticks due(std::uint64_t n) const { return start_ + seconds(static_cast<double>(n) / plan_.rate); }

  void send_due() {
    while (!idle_.empty()) {
      if (!plan_.repeat && next_ >= plan_.requests.size()) return;
      const ticks now = std::chrono::steady_clock::now();
      if (plan_.rate > 0 && due(next_) > now) return;
      client& c = *idle_.front();
      idle_.pop_front();
      c.due = plan_.rate > 0 ? due(next_) : now;
      c.sending = &plan_.requests[next_++ % plan_.requests.size()];
      c.sent = 0;
      send(c);
    }
  }

  // The sockets block: a request is small beside a socket's buffer.
  void send(client& c) {
    while (c.sent < c.sending->size()) {
      const ssize_t n =
          ::send(c.fd, c.sending->data() + c.sent, c.sending->size() - c.sent, MSG_NOSIGNAL);
      if (n <= 0) return open_again(c);
      c.sent += static_cast<std::size_t>(n);
    }
  }

  void receive(client& c) {
    const ssize_t n = ::recv(c.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return open_again(c);
    std::string_view bytes(buffer_.data(), static_cast<std::size_t>(n));
    if (!c.in_body) {
      c.head += bytes;
      const auto end = c.head.find("\r\n\r\n");
      if (end == std::string::npos) return;
      const std::string_view head = std::string_view(c.head).substr(0, end + 2);
      const auto length_at = behind_content_length(head);
      const int length = length_at == std::string_view::npos ? 0 : number_after(head, length_at);
      c.status = number_after(head, 9);
      const std::size_t body_here = c.head.size() - end - 4;
      c.body_missing = static_cast<std::size_t>(std::max(length, 0)) - body_here;
      c.in_body = true;
      c.head.clear();
    } else {
      c.body_missing -= bytes.size();
    }
    if (c.body_missing == 0) answered(c);
  }

  void answered(client& c) {
    const ticks now = std::chrono::steady_clock::now();
    c.in_body = false;
    idle_.push_back(&c);
    if (now < counted_from_) return;
    ++report_.by_status[c.status];
    took_us_.push_back(std::chrono::duration<float, std::micro>(now - c.due).count());
  }

  void open_again(client& c) {
    ++report_.broken;
    ::close(c.fd);
    c.head.clear();
    c.in_body = false;
    if (connect(c)) idle_.push_back(&c);
  }

  load_report report() {
    report_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - counted_from_).count();
    report_.answers = took_us_.size();
    std::ranges::sort(took_us_);
    const auto at = [&](double share) {
      if (took_us_.empty()) return 0.0;
      const auto i = static_cast<std::size_t>(share * static_cast<double>(took_us_.size() - 1));
      return static_cast<double>(took_us_[i]);
    };
    report_.p50_us = at(0.5);
    report_.p90_us = at(0.9);
    report_.p99_us = at(0.99);
    report_.p999_us = at(0.999);
    report_.worst_us = at(1);
    return report_;
  }

  const load_plan& plan_;
  int epoll_ = -1;
  std::vector<client> clients_;
  std::deque<client*> idle_;
  std::uint64_t next_ = 0;
  ticks start_;
  ticks counted_from_;
  ticks end_;
  std::vector<float> took_us_;
  load_report report_;
  std::array<char, 65536> buffer_;
};

}  // namespace

result<load_report> drive(const load_plan& plan) {
  return run(plan).go();
}

std::string summary(const load_report& r) {
  std::array<char, 160> text;
  std::snprintf(text.data(), text.size(), "%8.0f/s  p50 %7.0f us  p99 %7.0f us  worst %7.0f us",
                r.per_second(), r.p50_us, r.p99_us, r.worst_us);
  std::string line = text.data();
  for (const auto& [status, count] : r.by_status) {
    if (status != 200) line += "  " + std::to_string(status) + ": " + std::to_string(count);
  }
  if (r.broken > 0) line += "  broken connections: " + std::to_string(r.broken);
  return line;
}

}  // namespace tilld::bench
