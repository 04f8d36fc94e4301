// A TCP server on a loopback port of the kernel's choice that plays a script on each connection, to
// say what no decent server would say. Everything ends when it is destroyed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tilld::net::test {

using namespace std::chrono_literals;

// Waits for `done`, at most ten seconds.
inline bool eventually(const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

class connection {
 public:
  connection(int fd, int number, const std::atomic<bool>& stopping)
      : fd_(fd), number_(number), stopping_(stopping) {}

  int number() const { return number_; }  // 0 is the first
  int fd() const { return fd_; }

  // Head and body (by Content-Length) as they came; empty when the client has left.
  std::string read_request() {
    std::string text;
    while (true) {
      const std::size_t end = text.find("\r\n\r\n");
      if (end != std::string::npos && text.size() >= end + 4 + body_length(text)) return text;
      char bytes[65536];
      const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
      if (got <= 0) return {};
      text.append(bytes, static_cast<std::size_t>(got));
    }
  }

  // False when the client has left.
  bool write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t put = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }

  bool answer(std::string_view body, std::string_view status = "200 OK") {
    return write("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }

  // False when the client has left or the server is being destroyed.
  bool pause(std::chrono::milliseconds how_long) {
    pollfd p{fd_, POLLRDHUP, 0};
    return ::poll(&p, 1, static_cast<int>(how_long.count())) == 0 && !stopping_;
  }
  void stall() {
    while (pause(1000ms)) {
    }
  }

  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  static std::size_t body_length(const std::string& text) {
    const std::size_t at = text.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
  }

  int fd_;
  int number_;
  const std::atomic<bool>& stopping_;
};

class evil_server {
 public:
  using script = std::function<void(connection&)>;

  explicit evil_server(script play) : play_(std::move(play)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 1024);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~evil_server() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (guest& g : guests_) {
        if (g.fd >= 0) ::shutdown(g.fd, SHUT_RDWR);
      }
    }
    for (guest& g : guests_)
      g.thread.join();
  }

  std::string url(std::string_view target = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
  }
  int port() const { return port_; }
  int connections() const { return connections_; }  // so far
  int open() const { return open_; }                // now
  int most_open() const { return most_open_; }

 private:
  struct guest {
    int fd = -1;
    std::thread thread;
  };

  void accept_all() {
    while (!stopping_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int number = connections_++;
      const int now = ++open_;
      if (now > most_open_) most_open_ = now;
      const std::lock_guard lock(mutex_);
      guest& g = guests_.emplace_back();
      g.fd = fd;
      g.thread = std::thread([this, &g, fd, number] {
        connection c(fd, number, stopping_);
        play_(c);
        const std::lock_guard closing(mutex_);
        --open_;
        g.fd = -1;
        ::close(fd);
      });
    }
  }

  script play_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::atomic<int> open_{0};
  std::atomic<int> most_open_{0};
  std::mutex mutex_;
  std::list<guest> guests_;
  std::thread acceptor_;
};

// Answers every request on every connection with 200 and `body`.
inline evil_server::script polite(std::string body = "ok") {
  return [body = std::move(body)](connection& c) {
    while (!c.read_request().empty() && c.answer(body)) {
    }
  };
}

// A port that nobody listens on: it was ours a moment ago.
inline int closed_port() {
  evil_server gone(polite());
  return gone.port();
}

class stopwatch {
 public:
  std::int64_t ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 began_)
        .count();
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace tilld::net::test
