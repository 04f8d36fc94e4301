#include "http/head_parser.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace tilld::http {

namespace {

// What a byte may be part of.
enum byte_class : std::uint8_t {
  line_byte = 1,    // any line of a head: no controls but the tab
  target_byte = 2,  // visible ASCII; "#" starts a fragment, which is never sent
  name_byte = 4,    // a token (RFC 9110, 5.6.2), but no "_": CGI and cpp-httplib keep their own
                    // variables under such names, so a stranger could shadow them
  host_byte = 8,
  hex_byte = 16,
};

constexpr bool is_alnum(unsigned c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::array<std::uint8_t, 256> classes = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) table[c] |= line_byte;
    if (c > 0x20 && c < 0x7f && c != '#') table[c] |= target_byte;
    if (is_alnum(c) || (c != 0 && std::string_view("!#$%&'*+-.^`|~").find(static_cast<char>(c)) !=
                                      std::string_view::npos)) {
      table[c] |= name_byte;
    }
    if (is_alnum(c) || c == '.' || c == '-' || c == '_') table[c] |= host_byte;
    if (hex) table[c] |= hex_byte;
  }
  return table;
}();

bool is(byte_class wanted, char c) {
  return classes[static_cast<unsigned char>(c)] & wanted;
}

bool all(byte_class wanted, std::string_view text) {
  return std::ranges::all_of(text, [&](char c) { return is(wanted, c); });
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equal_ignoring_case(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() &&
         std::ranges::equal(text, lower_case, [](char a, char b) { return lower(a) == b; });
}

unsigned hex_value(char c) {
  if (c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>(lower(c) - 'a' + 10);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

using verdict = std::optional<refusal>;

verdict refuse(int status, std::string_view code, std::string_view message) {
  return refusal{status, code, message};
}

// -- request line -----------------------------------------------------------------------------

constexpr std::array<std::string_view, 7> verbs = {"GET",   "POST",   "HEAD",   "PUT",
                                                   "PATCH", "DELETE", "OPTIONS"};

verdict check_version(std::string_view version) {
  const bool shaped = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                      version[5] >= '0' && version[5] <= '9' && version[7] >= '0' &&
                      version[7] <= '9';
  if (!shaped) {
    return refuse(400, "bad_request_line", "A request starts with: VERB /path HTTP/1.1");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return refuse(505, "version_not_supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  }
  return {};
}

verdict check_verb(std::string_view verb) {
  if (verb.empty() || !all(name_byte, verb)) {
    return refuse(400, "bad_request_line", "A request starts with: VERB /path HTTP/1.1");
  }
  if (std::ranges::find(verbs, verb) == verbs.end()) {
    return refuse(501, "verb_not_known",
                  "Known verbs are GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.");
  }
  return {};
}

// The byte that starts at `at`, unescaped; moves `at` past it. Escapes were checked before.
unsigned char unescaped(std::string_view text, std::size_t& at) {
  const char c = text[at++];
  if (c != '%') return static_cast<unsigned char>(c);
  const unsigned value = hex_value(text[at]) * 16 + hex_value(text[at + 1]);
  at += 2;
  return static_cast<unsigned char>(value);
}

verdict check_escapes(std::string_view target) {
  for (std::size_t i = target.find('%'); i != std::string_view::npos; i = target.find('%', i + 1)) {
    if (i + 2 >= target.size() || !is(hex_byte, target[i + 1]) || !is(hex_byte, target[i + 2])) {
      return refuse(400, "bad_target", "A percent sign needs two hexadecimal digits after it.");
    }
    if (target[i + 1] == '0' && target[i + 2] == '0') {
      return refuse(400, "bad_target", "The target may not hold %00.");
    }
  }
  return {};
}

// Dot segments are refused and not resolved: a proxy in front may have resolved them otherwise.
verdict check_path(std::string_view path) {
  std::size_t length = 0;
  bool only_dots = true;
  const auto is_dot_segment = [&] { return only_dots && (length == 1 || length == 2); };
  for (std::size_t at = 0; at < path.size();) {
    const bool slash = path[at] == '/';
    const unsigned char c = unescaped(path, at);
    if (c < 0x20 || c == 0x7f || c == '\\') {
      return refuse(400, "bad_target", "The path may not hold control characters or backslashes.");
    }
    if (slash) {
      if (is_dot_segment()) break;
      length = 0;
      only_dots = true;
    } else {
      ++length;
      only_dots = only_dots && c == '.';
    }
  }
  if (is_dot_segment()) {
    return refuse(400, "bad_target", "The path may not hold the segments . and .. .");
  }
  return {};
}

verdict check_target(std::string_view target, const head_limits& limits) {
  if (target.empty() || target[0] != '/') {
    return refuse(400, "bad_target", "The target must be a path that starts with a slash.");
  }
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.size() > limits.path_bytes || target.size() > limits.target_bytes) {
    return refuse(414, "target_too_long", "The path or the query is too long.");
  }
  if (!all(target_byte, target)) {
    return refuse(400, "bad_target",
                  "The target holds a blank, a # or a byte that must be percent-encoded.");
  }
  if (auto bad = check_escapes(target)) return bad;
  return check_path(path);
}

// -- headers ----------------------------------------------------------------------------------

// Headers of which two could mean two things, to us or to a proxy in front.
enum known : unsigned {
  host,
  content_length,
  transfer_encoding,
  content_encoding,
  content_type,
  authorization,
  expect,
  connection,
  stripe_signature,
  stripe_version,
  stripe_account,
  idempotency_key,
  origin,
  unknown
};

constexpr std::array<std::string_view, unknown> known_names = {"host",
                                                               "content-length",
                                                               "transfer-encoding",
                                                               "content-encoding",
                                                               "content-type",
                                                               "authorization",
                                                               "expect",
                                                               "connection",
                                                               "stripe-signature",
                                                               "stripe-version",
                                                               "stripe-account",
                                                               "idempotency-key",
                                                               "origin"};

known which(std::string_view name) {
  for (unsigned i = 0; i < unknown; ++i) {
    if (equal_ignoring_case(name, known_names[i])) return static_cast<known>(i);
  }
  return unknown;
}

verdict read_content_length(std::string_view value, std::uint64_t& length) {
  // 18 digits cannot overflow, and nothing near them is accepted anyway.
  const bool digits = std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  if (value.empty() || value.size() > 18 || !digits || (value.size() > 1 && value[0] == '0')) {
    return refuse(400, "bad_content_length", "Content-Length must be a plain decimal number.");
  }
  length = 0;
  for (char c : value)
    length = length * 10 + static_cast<unsigned>(c - '0');
  return {};
}

// RFC 9110, 7.2: host [":" port], where host may be an address in brackets.
verdict read_host(std::string_view value, std::string_view& name) {
  const auto bad = [] {
    return refuse(400, "bad_host", "Host must be a name or an address, with or without a port.");
  };
  std::string_view rest;
  if (value.starts_with('[')) {
    const auto end = value.find(']');
    if (end == std::string_view::npos) return bad();
    name = value.substr(1, end - 1);
    rest = value.substr(end + 1);
    const bool address =
        std::ranges::all_of(name, [](char c) { return is(hex_byte, c) || c == ':' || c == '.'; });
    if (name.empty() || !address) return bad();
  } else {
    const auto colon = std::min(value.find(':'), value.size());
    name = value.substr(0, colon);
    rest = value.substr(colon);
    if (!all(host_byte, name)) return bad();
  }
  if (rest.empty()) return {};
  const std::string_view port = rest.substr(1);
  const bool digits = std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  if (rest[0] != ':' || port.size() > 5 || !digits) return bad();
  return {};
}

bool lists_close(std::string_view value) {
  while (!value.empty()) {
    const auto comma = std::min(value.find(','), value.size());
    if (equal_ignoring_case(trimmed(value.substr(0, comma)), "close")) return true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

// -- the head as a whole ----------------------------------------------------------------------

// Reads line by line and stops at the first thing wrong. Whatever more bytes would follow, the
// verdict stays: a head that comes byte by byte is judged as one that comes at once.
class reading {
 public:
  reading(std::string_view bytes, const head_limits& limits) : bytes_(bytes), limits_(limits) {}

  head_result run() {
    if (!skip_empty_line()) return incomplete{};
    if (!take_line(std::min(limits_.head_bytes, at_ + limits_.target_bytes + 32))) {
      return stopped(414, "target_too_long", "The path or the query is too long.");
    }
    if (auto bad = read_request_line()) return *bad;
    for (;;) {
      if (!take_line(limits_.head_bytes)) {
        return stopped(431, "head_too_large", "The headers are larger than is accepted.");
      }
      if (line_.empty()) break;
      if (auto bad = read_header()) return *bad;
    }
    if (auto bad = check_whole()) return *bad;
    head_.bytes = at_;
    return std::move(head_);
  }

 private:
  // RFC 9112, 2.2: one empty line before a request is skipped; old clients send it after a body.
  bool skip_empty_line() {
    if (bytes_.starts_with("\r\n")) at_ = 2;
    return bytes_ != "\r";
  }

  // Sets line_ to the next line without its end and moves at_ past it. False: no whole line, and
  // fault_ says whether one can still come. `end` is where the line must have ended.
  bool take_line(std::size_t end) {
    for (std::size_t i = at_; i < bytes_.size(); ++i) {
      const char c = bytes_[i];
      if (i + 2 > end) {
        fault_ = fault::too_long;
        return false;
      }
      if (is(line_byte, c)) continue;
      if (c != '\r' || (i + 1 < bytes_.size() && bytes_[i + 1] != '\n')) {
        fault_ = fault::bad_byte;
        return false;
      }
      if (i + 1 == bytes_.size()) break;
      line_ = bytes_.substr(at_, i - at_);
      at_ = i + 2;
      return true;
    }
    fault_ = fault::unfinished;
    return false;
  }

  head_result stopped(int status, std::string_view code, std::string_view message) const {
    switch (fault_) {
      case fault::unfinished:
        break;
      case fault::too_long:
        return refusal{status, code, message};
      case fault::bad_byte:
        return refusal{400, "bad_header",
                       "Lines end with CR LF, and a head holds no other control characters."};
    }
    return incomplete{};
  }

  verdict read_request_line() {
    const auto first = line_.find(' ');
    const auto last = line_.rfind(' ');
    if (first == std::string_view::npos || first == last) {
      return refuse(400, "bad_request_line", "A request starts with: VERB /path HTTP/1.1");
    }
    head_.verb = line_.substr(0, first);
    head_.target = line_.substr(first + 1, last - first - 1);
    const std::string_view version = line_.substr(last + 1);
    if (auto bad = check_version(version)) return bad;
    if (auto bad = check_verb(head_.verb)) return bad;
    if (auto bad = check_target(head_.target, limits_)) return bad;
    old_ = version == "HTTP/1.0";
    head_.keep_alive = !old_;
    return {};
  }

  verdict read_header() {
    if (head_.headers.size() == limits_.headers) {
      return refuse(431, "too_many_headers", "The request has more headers than are accepted.");
    }
    const auto colon = line_.find(':');
    const std::string_view name = line_.substr(0, colon);
    if (colon == std::string_view::npos || name.empty() || !all(name_byte, name)) {
      return refuse(400, "bad_header",
                    "A header is a name of letters, digits and dashes, a colon and a value; no "
                    "blank before the colon, no underscore in the name, no folded lines.");
    }
    const std::string_view value = trimmed(line_.substr(colon + 1));
    if (head_.headers.empty()) head_.headers.reserve(12);
    head_.headers.emplace_back(name, value);
    return read_meaning(which(name), value);
  }

  verdict read_meaning(known name, std::string_view value) {
    if (name == unknown) return {};
    const unsigned bit = 1u << name;
    if (name != connection && (seen_ & bit) != 0) {
      return refuse(400, "duplicate_header",
                    "A header that decides what the request means was sent twice.");
    }
    seen_ |= bit;
    if (name == content_length) return read_content_length(value, head_.content_length);
    if (name == host) return read_host(value, head_.host);
    if (name == connection && lists_close(value)) head_.keep_alive = false;
    if (name == transfer_encoding) {
      return refuse(411, "transfer_encoding_not_accepted",
                    "Send the body whole, with Content-Length and without Transfer-Encoding.");
    }
    if (name == content_encoding && !equal_ignoring_case(value, "identity")) {
      return refuse(415, "content_encoding_not_accepted", "Send the body uncompressed.");
    }
    if (name == expect) {
      if (!equal_ignoring_case(value, "100-continue")) {
        return refuse(417, "expectation_not_met", "The only expectation met is 100-continue.");
      }
      head_.expects_continue = !old_;  // RFC 9110, 10.1.1: a 1.0 client never meant it
    }
    return {};
  }

  verdict check_whole() const {
    if (!old_ && (seen_ & (1u << host)) == 0) {
      return refuse(400, "host_missing", "HTTP/1.1 requires a Host header.");
    }
    if (head_.content_length > 0 && (head_.verb == "GET" || head_.verb == "HEAD")) {
      return refuse(400, "body_not_expected", "GET and HEAD take no body.");
    }
    if (head_.content_length > limits_.body_bytes) {
      return refuse(413, "body_too_large",
                    "The body is larger than this listener's body_limit_bytes.");
    }
    return {};
  }

  enum class fault { unfinished, too_long, bad_byte };

  const std::string_view bytes_;
  const head_limits& limits_;
  std::size_t at_ = 0;
  std::string_view line_;
  fault fault_ = fault::unfinished;
  bool old_ = false;
  unsigned seen_ = 0;
  head head_;
};

}  // namespace

head_result parse_head(std::string_view bytes, const head_limits& limits) {
  return reading(bytes, limits).run();
}

}  // namespace tilld::http
