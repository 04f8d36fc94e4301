// The way out: HTTP requests to others, over libcurl, many at a time on one thread.
//
// Total deadlines, capped answers, verified TLS (1.2 or newer), no redirects followed, no proxy
// taken from the environment, no decompression, TCP_NODELAY and keep-alive. A stranger's answer can
// neither kill nor fill the process.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tilld::net {

using header_list = std::vector<std::pair<std::string, std::string>>;

struct request {
  std::string verb = "GET";
  std::string url;      // http:// or https://; no user information
  header_list headers;  // values without control characters, else the request is refused unsent
  std::string body;
  std::int64_t deadline_ms = 80'000;  // from send() to the last byte
  std::int64_t connect_deadline_ms = 10'000;
  std::size_t most_body_bytes = 32u << 20;
  std::size_t most_header_bytes = 64u << 10;
  bool reuse_connection = true;  // false: one connection for this request alone
};

struct answer {
  int status = 0;
  header_list headers;  // names in lower case
  std::string body;
  std::int64_t took_ms = 0;  // monotonic, from the start of the transfer
  std::string_view header(std::string_view lower_case_name) const;  // the first; empty when absent
};

struct failure {
  bool maybe_sent = true;  // false only when it is certain that no byte of the request left
  bool timed_out = false;
  std::string message;     // for people; no secret, no query
};

using outcome = std::expected<answer, failure>;

class client {
 public:
  struct options {
    std::string user_agent = "tilld/" TILLD_VERSION;
    std::string ca_file;  // empty: the system's
    int most_connections_per_host = 32;
  };
  client();
  explicit client(options o);
  // Pending requests are answered with a failure.
  ~client();

  // `done` is called once, on the client's own thread; it must not block.
  void send(request r, std::move_only_function<void(outcome)> done);
  // Waits for the outcome. Not from the client's own thread.
  outcome call(request r);

 private:
  class loop;
  std::unique_ptr<loop> loop_;
};

}  // namespace tilld::net
