// Logs: one line per fact, in logfmt, to standard error, where journald takes them.
//
//   log::info("order_done", {{"order", id}, {"status", 200}, {"ms", took_ms}});
//   → level=info fact=order_done order=… status=200 ms=12
//
// Never give a field a secret. Values are quoted and control characters escaped, so a stranger's
// bytes cannot forge a line. Thread-safe.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tilld::log {

enum class level { debug, info, warning, error };

struct field {
  field(std::string_view k, std::string_view v) : key(k), value(v) {}
  field(std::string_view k, const std::string& v) : key(k), value(v) {}
  field(std::string_view k, const char* v) : key(k), value(v) {}
  template <std::integral T>
  field(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
  field(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  std::string_view key;
  std::string value;
};

using fields = std::initializer_list<field>;

// Before this is called, lines at info and above go to standard error.
void configure(level least, bool journald_prefixes);
level parse_level(std::string_view name, level otherwise);

void write(level at, std::string_view fact, fields more);
inline void debug(std::string_view fact, fields more = {}) {
  write(level::debug, fact, more);
}
inline void info(std::string_view fact, fields more = {}) {
  write(level::info, fact, more);
}
inline void warning(std::string_view fact, fields more = {}) {
  write(level::warning, fact, more);
}
inline void error(std::string_view fact, fields more = {}) {
  write(level::error, fact, more);
}

// At most `per_second` lines of this site; the next line that passes tells how many were dropped.
// For lines that a stranger can cause.
class limited {
 public:
  explicit limited(int per_second) : per_second_(per_second) {}
  void write(level at, std::string_view fact, fields more);

 private:
  const int per_second_;
  long long second_ = 0;
  int used_ = 0;
  long long dropped_ = 0;
};

// The line itself, without level prefix for journald; for tests.
std::string render(level at, std::string_view fact, fields more);

}  // namespace tilld::log
