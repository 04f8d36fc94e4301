#include "config/checks.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "config/settings.hpp"

namespace tilld::config {

namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}
constexpr bool is_printable(char c) {
  return c > 0x20 && c < 0x7f;
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  unsigned value = 0;
  const char* begin = digits.begin();
  const char* end = digits.end();
  const auto [stop, failure] = std::from_chars(begin, end, value);
  if (digits.empty() || failure != std::errc{} || stop != end || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

// An address literal as the kernel writes it, and whether it means this host alone.
struct literal {
  std::string address;
  bool loopback = false;
  bool everywhere = false;  // 0.0.0.0 or ::
};

std::optional<literal> parse_ipv4(const std::string& text) {
  in_addr parsed{};
  if (inet_pton(AF_INET, text.c_str(), &parsed) != 1) return std::nullopt;
  char written[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &parsed, written, sizeof written);
  const std::uint32_t number = ntohl(parsed.s_addr);
  return literal{written, number >> 24 == 127, number == 0};
}

std::optional<literal> parse_ipv6(const std::string& text) {
  in6_addr parsed{};
  if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return std::nullopt;
  char written[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, &parsed, written, sizeof written);
  const bool mapped_loopback = IN6_IS_ADDR_V4MAPPED(&parsed) && parsed.s6_addr[12] == 127;
  return literal{written, mapped_loopback || IN6_IS_ADDR_LOOPBACK(&parsed),
                 IN6_IS_ADDR_UNSPECIFIED(&parsed) != 0};
}

struct host_and_port {
  std::string host;  // without brackets
  bool bracketed = false;
  std::optional<std::string_view> port;
};

std::optional<host_and_port> split_host_port(std::string_view text) {
  host_and_port out;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    out.bracketed = true;
    out.host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (text.empty()) return out;
    if (text[0] != ':') return std::nullopt;
    out.port = text.substr(1);
    return out;
  }
  const auto colon = text.find(':');
  out.host = text.substr(0, colon);
  if (colon != std::string_view::npos) out.port = text.substr(colon + 1);
  return out;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(
             text, [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; });
}

struct split_url {
  bool tls = false;
  host_and_port authority;
};

std::optional<split_url> parse_url(std::string_view url) {
  split_url out;
  if (url.starts_with("https://")) {
    out.tls = true;
    url.remove_prefix(8);
  } else if (url.starts_with("http://")) {
    url.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  auto authority = split_host_port(url);
  if (!authority) return std::nullopt;
  const bool host_ok = authority->bracketed ? parse_ipv6(authority->host).has_value()
                                            : is_host_name(authority->host);
  if (!host_ok) return std::nullopt;
  if (authority->port && parse_port(*authority->port).value_or(0) == 0) return std::nullopt;
  out.authority = std::move(*authority);
  return out;
}

}  // namespace

result<endpoint> parse_endpoint(std::string_view text) {
  constexpr auto right =
      "must be an address and a port, like 127.0.0.1:8455 or [::1]:8455 (no host names)";
  const auto split = split_host_port(text);
  if (!split || !split->port) return fail(errc::invalid, right);
  const auto port = parse_port(*split->port);
  const auto address = split->bracketed ? parse_ipv6(split->host) : parse_ipv4(split->host);
  if (!port || !address) return fail(errc::invalid, right);
  return endpoint{address->address, *port, address->loopback};
}

bool is_listen(std::string_view text) {
  return parse_endpoint(text).has_value();
}

bool is_host(std::string_view text) {
  return text == "*" || is_host_name(text) || parse_ipv6(std::string(text)).has_value();
}

bool is_api_url(std::string_view text) {
  const auto url = parse_url(text);
  return url && (url->tls || is_loopback_host(host_of_url(text)));
}

bool is_api_version(std::string_view text) {
  if (text.empty()) return true;
  constexpr std::string_view shape = "dddd-dd-dd";
  if (text.size() < shape.size() || text.size() > 40) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != '-') return false;
  }
  text.remove_prefix(shape.size());
  if (text.empty()) return true;
  return text.size() > 1 && text[0] == '.' && std::ranges::all_of(text.substr(1), [](char c) {
           return is_lower(c) || is_digit(c) || c == '_';
         });
}

bool is_metadata_key(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         std::ranges::all_of(text, [](char c) { return is_printable(c) && c != '[' && c != ']'; });
}

bool is_log_level(std::string_view text) {
  return text == "debug" || text == "info" || text == "warning" || text == "error";
}

bool is_path(std::string_view text) {
  return !text.empty() && text.size() < 4096 &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_path_or_empty(std::string_view text) {
  return text.empty() || is_path(text);
}

bool is_account_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 && is_lower(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

bool collide(std::string_view listen_a, std::string_view listen_b) {
  const auto a = parse_endpoint(listen_a);
  const auto b = parse_endpoint(listen_b);
  if (!a || !b || a->port != b->port || a->port == 0) return false;
  const auto everywhere = [](const endpoint& e) {
    return e.address == "0.0.0.0" || e.address == "::";
  };
  return a->address == b->address || everywhere(*a) || everywhere(*b);
}

std::string host_of_url(std::string_view url) {
  const auto parsed = parse_url(url);
  if (!parsed) return {};
  std::string host = parsed->authority.host;
  std::ranges::transform(host, host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return host;
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost") return true;
  const std::string text(host);
  if (const auto v4 = parse_ipv4(text)) return v4->loopback;
  if (const auto v6 = parse_ipv6(text)) return v6->loopback;
  return false;
}

namespace {

// How many bytes a well-formed sequence at the start of `text` has; 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what is past U+10FFFF show in the second byte.
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

}  // namespace

std::string first_non_utf8(std::string_view text) {
  std::size_t line = 1;
  std::size_t column = 1;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return std::to_string(line) + ":" + std::to_string(column);
    if (text.front() == '\n') {
      ++line;
      column = 0;
    }
    ++column;
    text.remove_prefix(length);
  }
  return {};
}

}  // namespace tilld::config
