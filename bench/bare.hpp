// A bare cpp-httplib server at its best, to measure beside: a thread per connection (64),
// TCP_NODELAY and a long keep-alive.
#pragma once

#include <functional>
#include <thread>

#include <httplib.h>

namespace tilld::bench {

class bare_server {
 public:
  // `add` gives it what it answers.
  explicit bare_server(const std::function<void(httplib::Server&)>& add) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(64); };
    server_.set_tcp_nodelay(true);
    server_.set_keep_alive_max_count(1'000'000'000);
    add(server_);
    port = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running())
      std::this_thread::yield();
  }
  ~bare_server() {
    server_.stop();
    thread_.join();
  }
  bare_server(const bare_server&) = delete;
  bare_server& operator=(const bare_server&) = delete;

  int port = 0;

 private:
  httplib::Server server_;
  std::thread thread_;
};

}  // namespace tilld::bench
