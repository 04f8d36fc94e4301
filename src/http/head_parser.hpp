// The head of a request, read strictly: one meaning or none. Pure, fuzzed.
//
// Everything that proxies and servers are known to read in two ways is refused: bare LF, folded
// lines, blanks before a colon, doubled headers that decide what a request means (Content-Length,
// Host, Authorization, Idempotency-Key, …), Transfer-Encoding, control characters, absolute
// targets, underscores in names, dot segments and backslashes in paths, %00. Taken, because RFC
// 9112 (2.2) asks for it: one empty line before the request line. Source: RFC 9112, RFC 9110.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tilld::http {

struct head_limits {
  std::size_t head_bytes = 16u << 10;
  std::size_t headers = 64;
  std::size_t path_bytes = 2u << 10;
  std::size_t target_bytes = 8u << 10;  // long filters and expand lists are legal queries
  std::uint64_t body_bytes = 1u << 20;
};

struct head {
  std::string_view verb;
  std::string_view target;
  std::vector<std::pair<std::string_view, std::string_view>> headers;  // names as sent
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
  std::string_view host;  // without the port, lower- or upper-case as sent
  std::size_t bytes = 0;  // of the head, its empty line included
};

struct refusal {
  int status = 400;          // 400, 411, 413, 414, 415, 417, 431, 501, 505
  std::string_view code;     // "bad_header", "transfer_encoding_not_accepted", …
  std::string_view message;  // says what is wrong and what to do
};

struct incomplete {};

// `bytes` starts at the request's first byte and may hold more than the head (body, next requests).
// Views point into `bytes`. A refusal always means: answer and close. What more bytes would follow
// does not change a verdict: a head read byte by byte gets the same one as at once.
// Escapes in an accepted target are valid; Host and Content-Length are well-formed.
using head_result = std::variant<head, incomplete, refusal>;
head_result parse_head(std::string_view bytes, const head_limits& limits);

}  // namespace tilld::http
