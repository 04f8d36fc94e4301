#include "http/response.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>

namespace tilld::http {

namespace {

bool token_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool may_be_sent(std::string_view name, std::string_view value) {
  const auto harmless = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  };
  return !name.empty() && std::ranges::all_of(name, token_byte) &&
         std::ranges::all_of(value, harmless);
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::ranges::equal(a, b, {}, lower, lower);
}

constexpr std::array<std::string_view, 9> ours = {
    "content-type", "content-length", "connection", "transfer-encoding",     "keep-alive",
    "upgrade",      "trailer",        "date",       "x-content-type-options"};

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// Formatting a date costs more than the rest of the head, and it changes once a second.
const std::string& date_now() {
  thread_local std::time_t formatted_for = -1;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != formatted_for) {
    text = http_date(now);
    formatted_for = now;
  }
  return text;
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status));
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

void append_content_type(std::string& out, std::string_view type) {
  if (type == "application/json") {
    out += "Content-Type: application/json; charset=utf-8\r\n";
  } else if (!type.empty() && may_be_sent("Content-Type", type)) {
    append_line(out, "Content-Type", type);
  }
}

}  // namespace

wire to_wire(response answer, const wire_options& options) {
  if (answer.hang_up) return {.head = {}, .body = {}, .close = true};
  if (answer.status < 200 || answer.status > 599) answer.status = 500;
  const bool bodyless = answer.status == 204 || answer.status == 304;
  wire out;
  out.close = options.close;
  out.head.reserve(384);
  append_status_line(out.head, answer.status);
  append_line(out.head, "Date", answer.date_s == 0 ? date_now() : http_date(answer.date_s));
  if (!bodyless) {
    append_content_type(out.head, answer.content_type);
    out.head += "Content-Length: ";
    append_number(out.head, answer.body.size());
    out.head += "\r\n";
  }
  out.head += options.close ? "Connection: close\r\n" : "Connection: keep-alive\r\n";
  out.head += "X-Content-Type-Options: nosniff\r\n";
  bool has_request_id = options.request_id.empty();
  bool has_cache_control = false;
  for (const auto& [name, value] : answer.headers) {
    const bool framing =
        std::ranges::any_of(ours, [&](std::string_view one) { return same_name(one, name); });
    if (framing || !may_be_sent(name, value)) continue;
    has_request_id = has_request_id || same_name(name, "request-id");
    has_cache_control = has_cache_control || same_name(name, "cache-control");
    append_line(out.head, name, value);
  }
  if (!has_request_id) append_line(out.head, "Request-Id", options.request_id);
  if (!has_cache_control) out.head += "Cache-Control: no-store\r\n";
  out.head += "\r\n";
  if (!bodyless && !options.head_only) out.body = std::move(answer.body);
  return out;
}

std::string http_date(long long unix_s) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = unix_s;
  std::tm at{};
  gmtime_r(&seconds, &at);
  const auto two = [](int number) {
    return std::string{static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
  };
  return std::string(days[at.tm_wday]) + ", " + two(at.tm_mday) + " " + months[at.tm_mon] + " " +
         std::to_string(at.tm_year + 1900) + " " + two(at.tm_hour) + ":" + two(at.tm_min) + ":" +
         two(at.tm_sec) + " GMT";
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 424:
      return "Failed Dependency";
    case 425:
      return "Too Early";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

}  // namespace tilld::http
