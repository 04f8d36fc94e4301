// A client that says exactly what it is told, byte for byte, and a server to say it to.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "http/server.hpp"

namespace tilld::http::test {

using namespace std::chrono_literals;

struct answer {
  int status = 0;  // 0: none came; -1: it is no HTTP/1.1
  std::string head;
  std::string body;
  std::string header(std::string_view name) const;  // in any case; empty when absent
};

class raw_client {
 public:
  // `receive_buffer`: of the socket, in bytes; 0: the system's.
  explicit raw_client(std::uint16_t port, int receive_buffer = 0);
  ~raw_client();
  raw_client(raw_client&& from) noexcept;
  raw_client(const raw_client&) = delete;

  bool connected() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // False: the server has closed.
  bool send(std::string_view bytes);
  // Reads one answer, with the body that its Content-Length names (none if `to_head`).
  answer receive(std::chrono::milliseconds within = 10s, bool to_head = false);
  answer ask(std::string_view bytes);
  // Waits for the server to close, throwing away what comes.
  bool closed_within(std::chrono::milliseconds time);
  // What has come and was not asked for.
  const std::string& unread() const { return buffer_; }
  void say_no_more();  // half close
  void reset();        // leaves with a RST
  void leave();

 private:
  bool read_more(std::chrono::steady_clock::time_point until);

  int fd_ = -1;
  std::string buffer_;
};

std::string get(std::string_view target, std::string_view more_headers = "");
std::string post(std::string_view target, std::string_view body,
                 std::string_view more_headers = "");

// Until `condition` holds; false if it does not in time.
bool wait_for(const std::function<bool()>& condition, std::chrono::milliseconds within = 10s);

// As many descriptors as the hard limit allows, up to `wanted`.
void raise_descriptor_limit(int wanted);

std::size_t resident_bytes();  // of this process

// A listener on a port of the kernel's choice. /ping answers "pong"; /echo its body; /large 5 MB;
// /later keeps its responder; /drop drops it; /throw throws; /slow takes 200 ms of a worker;
// /thread says which thread has handled it. With TILLD_ALONE_AT_DOOR in the environment requests
// that come alone are handled at the door: the same tests, run once more.
struct test_server {
  explicit test_server(const std::function<void(listener_settings&)>& change = {});

  std::uint16_t port() const { return server->port(); }
  // The responders that /later has kept, oldest first; waits for one.
  responder take_kept();
  double count(const std::string& name, std::string_view label) const;

  metrics counts;
  struct shelf;
  std::shared_ptr<shelf> kept;
  std::unique_ptr<class server> server;
};

}  // namespace tilld::http::test
