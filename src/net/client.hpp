// The way out: HTTP requests to others, over libcurl, many at a time on one thread.
//
// What answers is a stranger. Its answer can neither kill the process nor fill it nor hold it:
//
//   - a total deadline for each request, from send() to the last byte, whatever the peer drips;
//   - caps on body and headers, 1xx answers and trailers included;
//   - TLS 1.2 or newer, the chain and the host name verified, with no way to turn it off. Names are
//     compared by libcurl: a wildcard stands for one whole left-most label, nothing else; a
//     certificate without any subjectAltName falls back to its common name, which no public
//     authority has issued for years;
//   - redirects are answers, not followed; bodies stay as they came (no decompression); no proxy,
//   no
//     .netrc, no cookies, nothing from the environment; http and https only;
//   - the framing is ours: a Content-Length on every request with a body, and on POST, PUT and
//   PATCH
//     without one; no Expect, so no second exchange.
//
// HTTP/1.1 on purpose. At Stripe at most some 20 requests are in flight, which 20 kept-alive
// connections carry without waiting; one HTTP/2 connection would make one lost packet or one GOAWAY
// everybody's failure, blur "was it sent?" (refused streams), and add a parser of frames, header
// compression and flow control to what a stranger can reach.
//
// Sent once, or twice? libcurl sends a request again by itself, up to five times, when a kept-alive
// connection dies before the first byte of the answer; it cannot know whether the first sending was
// executed. That is allowed here for GET, HEAD and OPTIONS, and for a request with an
// `Idempotency-Key` header (with the key, Stripe does it once). Every other request is sent at most
// once by one call of send(): instead of a second sending it fails with maybe_sent = true.
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

// Refused unsent (maybe_sent = false) when: the verb is not 1 to 16 capital letters; the URL is not
// http or https, is not printable ASCII, carries user information or is longer than 64 KB; a header
// name is not a token, a value has a control character (a tab too), or the header is one of the
// framing's (Content-Length, Transfer-Encoding, Expect, TE, Trailer, Upgrade).
struct request {
  std::string verb = "GET";
  std::string url;      // http:// or https://; no user information
  header_list headers;  // values without control characters, else the request is refused unsent
  std::string body;
  std::int64_t deadline_ms = 80'000;          // from send() to the last byte
  std::int64_t connect_deadline_ms = 10'000;  // name, TCP and TLS; from when its turn has come
  std::size_t most_body_bytes = 32u << 20;
  std::size_t most_header_bytes = 64u << 10;
  bool reuse_connection = true;  // false: one connection for this request alone
};

struct answer {
  int status = 0;       // 200..599 or what else the peer says from 200 up
  header_list headers;  // names in lower case; of the final answer alone, without trailers
  std::string body;
  std::int64_t took_ms = 0;  // monotonic, from the start of the transfer
  std::string_view header(std::string_view lower_case_name) const;  // the first; empty when absent
};

struct failure {
  bool maybe_sent = true;  // false only when it is certain that no byte of the request left
  bool timed_out = false;
  std::string message;   // for people: scheme, host, port and cause; no secret, no query
  bool refused = false;  // the request itself is unfit (see above): it would fail again
};

using outcome = std::expected<answer, failure>;

class client {
 public:
  struct options {
    std::string user_agent = "tilld/" TILLD_VERSION;
    std::string ca_file;  // PEM, and then nothing else is trusted; empty: the system's
    int most_connections_per_host = 32;  // scheme, host and port; further requests wait their turn
    // Given, not begun. With a megabyte of body each that would be 4 GB, but nobody here waits with
    // more than a form of some KB: 4'000 x 8 KB = 32 MB. More are refused unsent.
    std::size_t most_waiting = 4'000;
  };
  client();
  explicit client(options o);
  // Pending requests are answered with a failure; returns when all have been.
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  // Thread-safe. `done` is called once, on the client's own thread; it must not block and not
  // throw. It may call send().
  void send(request r, std::move_only_function<void(outcome)> done);
  // Waits for the outcome. Not from the client's own thread: there it fails unsent.
  outcome call(request r);

 private:
  class loop;
  std::unique_ptr<loop> loop_;
};

}  // namespace tilld::net
