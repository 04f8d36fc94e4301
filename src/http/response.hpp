// An answer as it goes over the wire. The framing is the door's and nobody else's: handlers give a
// status, a body and headers; lengths, connection handling and the date are added here, and a
// header that could break the framing is left out.
#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"

namespace tilld::http {

// Head and body apart, so that a large body is not copied once more.
struct wire {
  std::string head;
  std::string body;
  bool close = false;  // close the connection behind it
};

struct wire_options {
  std::string_view request_id = {};
  bool close = false;
  bool head_only = false;  // the answer to HEAD: the length of the body, but no body
};

// Always adds Date, Content-Length (but for 204 and 304), Connection and X-Content-Type-Options;
// adds Request-Id and Cache-Control: no-store unless the answer has them; says charset=utf-8 where
// it says application/json (the exact name alone would let cpp-httplib compress it).
// Leaves out: names that are no token, values with control characters, and the framing headers
// Connection, Content-Length, Transfer-Encoding, Keep-Alive, Upgrade, Trailer and Date.
// Thread-safe.
wire to_wire(response answer, const wire_options& options);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(long long unix_s);

// "OK", "Not Found"; empty for a status without a registered phrase.
std::string_view reason_phrase(int status);

}  // namespace tilld::http
