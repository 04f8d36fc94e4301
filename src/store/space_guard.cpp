#include "store/space_guard.hpp"

#include <limits>

#include <fmt/format.h>
#include <sys/statvfs.h>

#include "base/clock.hpp"

namespace tilld::store {

namespace {
constexpr std::int64_t longest_ms = 100;
constexpr std::uint64_t most_written = 1u << 20;
constexpr std::uint64_t megabyte = 1u << 20;
std::int64_t mono_ms() {
  return system_clock{}.mono_ms();
}
}  // namespace

space_guard::space_guard(std::string path, std::uint64_t least_free)
    : path_(std::move(path)), least_free_(least_free), asked_ms_(mono_ms() - longest_ms) {}

bool space_guard::enough() const {
  if (mono_ms() - asked_ms_.load(std::memory_order_relaxed) >= longest_ms ||
      written_.load(std::memory_order_relaxed) >= most_written) {
    ask();
  }
  return free_.load(std::memory_order_relaxed) >= least_free_;
}

void space_guard::ask() const {
  const std::lock_guard lock(mutex_);
  struct statvfs answer {};
  // A file system that cannot tell is not a reason to stop; a write that fails still is.
  const bool known = ::statvfs(path_.c_str(), &answer) == 0;
  free_ = known ? static_cast<std::uint64_t>(answer.f_bavail) * answer.f_frsize
                : std::numeric_limits<std::uint64_t>::max();
  written_ = 0;
  asked_ms_ = mono_ms();
}

std::string space_guard::why() const {
  return fmt::format(
      "the disk is nearly full: {} MB free at {}, {} MB needed to go on writing (free some space; "
      "writing goes on by itself)",
      free_.load() / megabyte, path_, (least_free_ + megabyte - 1) / megabyte);
}

}  // namespace tilld::store
