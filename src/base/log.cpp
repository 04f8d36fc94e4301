#include "base/log.hpp"

#include <atomic>
#include <chrono>
#include <mutex>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace tilld::log {

namespace {

std::atomic<level> least_level{level::info};
std::atomic<bool> with_prefix{false};
std::mutex limited_mutex;

spdlog::logger& logger() {
  static const auto it = [] {
    auto made = std::make_shared<spdlog::logger>("tilld",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *it;
}

const char* name(level at) {
  switch (at) {
    case level::debug:
      return "debug";
    case level::info:
      return "info";
    case level::warning:
      return "warning";
    case level::error:
      return "error";
  }
  return "info";
}

// sd-daemon(3): a line that starts with <N> is filed at that priority.
const char* journald_prefix(level at) {
  switch (at) {
    case level::debug:
      return "<7>";
    case level::info:
      return "<6>";
    case level::warning:
      return "<4>";
    case level::error:
      return "<3>";
  }
  return "<6>";
}

bool plain(std::string_view value) {
  if (value.empty()) return false;
  for (unsigned char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f) return false;
  }
  return true;
}

void append_value(std::string& out, std::string_view value) {
  static constexpr std::size_t longest = 2000;  // a line is for a person; more is in the store
  const bool cut = value.size() > longest;
  if (cut) value = value.substr(0, longest);
  if (plain(value) && !cut) {
    out += value;
    return;
  }
  static constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (unsigned char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      out += "\\x";
      out += digits[c >> 4];
      out += digits[c & 15];
    } else {
      out += static_cast<char>(c);
    }
  }
  if (cut) out += "…";
  out += '"';
}

}  // namespace

void configure(level least, bool journald_prefixes) {
  least_level = least;
  with_prefix = journald_prefixes;
}

level parse_level(std::string_view text, level otherwise) {
  for (level at : {level::debug, level::info, level::warning, level::error}) {
    if (text == name(at)) return at;
  }
  return otherwise;
}

std::string render(level at, std::string_view fact, fields more) {
  std::string line = "level=";
  line += name(at);
  line += " fact=";
  append_value(line, fact);
  for (const field& f : more) {
    line += ' ';
    line += f.key;
    line += '=';
    append_value(line, f.value);
  }
  return line;
}

void write(level at, std::string_view fact, fields more) {
  if (at < least_level.load(std::memory_order_relaxed)) return;
  std::string line = with_prefix.load(std::memory_order_relaxed) ? journald_prefix(at) : "";
  line += render(at, fact, more);
  logger().log(spdlog::level::info, "{}", line);
}

void limited::write(level at, std::string_view fact, fields more) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::steady_clock::now().time_since_epoch())
                       .count();
  long long dropped = 0;
  {
    const std::lock_guard lock(limited_mutex);
    if (now != second_) {
      second_ = now;
      used_ = 0;
    }
    if (used_ >= per_second_) {
      ++dropped_;
      return;
    }
    ++used_;
    dropped = std::exchange(dropped_, 0);
  }
  if (dropped > 0) log::write(at, "lines_dropped", {{"of", fact}, {"count", dropped}});
  log::write(at, fact, more);
}

}  // namespace tilld::log
