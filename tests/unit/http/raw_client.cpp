#include "raw_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/catch.hpp"

namespace tilld::http::test {

namespace {

using ticks = std::chrono::steady_clock::time_point;

int left_ms(ticks until) {
  const auto left = until - std::chrono::steady_clock::now();
  return std::max(0, static_cast<int>(left / 1ms));
}

}  // namespace

std::string answer::header(std::string_view name) const {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::string wanted = "\r\n" + std::string(name) + ":";
  const auto found = std::ranges::search(head, wanted, {}, lower, lower);
  if (found.empty()) return {};
  std::string value(found.end(), std::find(found.end(), head.end(), '\r'));
  value.erase(0, value.find_first_not_of(' '));
  return value;
}

raw_client::raw_client(std::uint16_t port, int receive_buffer) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) {
    leave();
    return;
  }
  const int yes = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

raw_client::~raw_client() {
  leave();
}

raw_client::raw_client(raw_client&& from) noexcept
    : fd_(std::exchange(from.fd_, -1)), buffer_(std::move(from.buffer_)) {}

bool raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool raw_client::read_more(ticks until) {
  pollfd wanted{fd_, POLLIN, 0};
  if (::poll(&wanted, 1, left_ms(until)) <= 0) return false;
  std::array<char, 65536> bytes;
  const ssize_t n = ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (n <= 0) return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(n));
  return true;
}

answer raw_client::receive(std::chrono::milliseconds within, bool to_head) {
  const ticks until = std::chrono::steady_clock::now() + within;
  answer got;
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more(until)) return got;
  }
  got.head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  const std::string length = got.header("content-length");
  const std::size_t wanted = to_head || length.empty() ? 0 : std::stoull(length);
  while (buffer_.size() < wanted) {
    if (!read_more(until)) return {};
  }
  got.body = buffer_.substr(0, wanted);
  buffer_.erase(0, wanted);
  got.status = got.head.starts_with("HTTP/1.1 ") ? std::stoi(got.head.substr(9, 3)) : -1;
  return got;
}

answer raw_client::ask(std::string_view bytes) {
  send(bytes);
  return receive();
}

bool raw_client::closed_within(std::chrono::milliseconds time) {
  const ticks until = std::chrono::steady_clock::now() + time;
  while (read_more(until))
    buffer_.clear();
  char one;
  const ssize_t n = ::recv(fd_, &one, 1, MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN);
}

void raw_client::say_no_more() {
  ::shutdown(fd_, SHUT_WR);
}

void raw_client::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  leave();
}

void raw_client::leave() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::string get(std::string_view target, std::string_view more_headers) {
  return "GET " + std::string(target).append(" HTTP/1.1\r\nHost: localhost\r\n") +
         std::string(more_headers).append("\r\n");
}

std::string post(std::string_view target, std::string_view body, std::string_view more_headers) {
  return "POST " + std::string(target).append(" HTTP/1.1\r\nHost: localhost\r\n") +
         "Content-Length: " + std::to_string(body.size()).append("\r\n") +
         std::string(more_headers).append("\r\n").append(body);
}

bool wait_for(const std::function<bool()>& condition, std::chrono::milliseconds within) {
  const ticks until = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

void raise_descriptor_limit(int wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto most = std::min<rlim_t>(limit.rlim_max, static_cast<rlim_t>(wanted));
  if (limit.rlim_cur < most) {
    limit.rlim_cur = most;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

struct test_server::shelf {
  std::mutex mutex;
  std::condition_variable filled;
  std::deque<responder> kept;
};

namespace {

response text(std::string body) {
  response out;
  out.content_type = "text/plain";
  out.body = std::move(body);
  return out;
}

router routes_with(const std::shared_ptr<test_server::shelf>& shelf) {
  router routes;
  routes.add("GET", "/ping", [](request&, responder reply) { reply(text("pong")); });
  routes.add("POST", "/echo", [](request& r, responder reply) { reply(text(std::move(r.body))); });
  routes.add("GET", "/large",
             [](request&, responder reply) { reply(text(std::string(5'000'000, 'x'))); });
  routes.add("GET", "/later", [shelf](request&, responder reply) {
    const std::lock_guard lock(shelf->mutex);
    shelf->kept.push_back(std::move(reply));
    shelf->filled.notify_all();
  });
  routes.add("GET", "/drop", [](request&, responder) {});
  routes.add("GET", "/throw",
             [](request&, responder) { throw std::runtime_error("secret sk_live_42"); });
  routes.add("GET", "/throw-odd", [](request&, responder) { throw 42; });
  routes.add("GET", "/slow", [](request&, responder reply) {
    std::this_thread::sleep_for(200ms);
    reply(text("slow"));
  });
  routes.add("GET", "/thread", [](request&, responder reply) {
    char name[16] = {};
    ::pthread_getname_np(::pthread_self(), name, sizeof(name));
    reply(text(name));
  });
  routes.add("GET", "/headers/{name}", [](request& r, responder reply) {
    reply(text(std::string(r.header(r.arguments.at(0)))));
  });
  routes.add("GET", "/path/{rest...}", [](request& r, responder reply) {
    reply(text(r.arguments.at(0) + "?" + r.query + " from " + r.remote + " as " + r.id));
  });
  return routes;
}

}  // namespace

test_server::test_server(const std::function<void(listener_settings&)>& change)
    : kept(std::make_shared<shelf>()) {
  listener_settings settings;
  settings.workers = 2;
  settings.alone_at_door = std::getenv("TILLD_ALONE_AT_DOOR") != nullptr;
  if (change) change(settings);
  server = std::make_unique<class server>(settings, routes_with(kept), counts);
  const auto started = server->start();
  REQUIRE(started.has_value());
}

responder test_server::take_kept() {
  std::unique_lock lock(kept->mutex);
  const bool there = kept->filled.wait_for(lock, 10s, [&] { return !kept->kept.empty(); });
  REQUIRE(there);
  responder oldest = std::move(kept->kept.front());
  kept->kept.pop_front();
  return oldest;
}

// The sum of the samples of `name` whose line holds `label`.
double test_server::count(const std::string& name, std::string_view label) const {
  double sum = 0;
  const std::string all = counts.exposition();
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    const std::string line = all.substr(at, end - at);
    if (line.starts_with(name + "{") && line.find(label) != std::string::npos) {
      sum += std::stod(line.substr(line.rfind(' ') + 1));
    }
    at = end + 1;
  }
  return sum;
}

}  // namespace tilld::http::test
