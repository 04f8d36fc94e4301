#include "base/clock.hpp"

#include <chrono>

namespace tilld {

namespace {
template <class Clock>
std::int64_t ms_since_epoch() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch())
      .count();
}
}  // namespace

std::int64_t system_clock::wall_ms() const {
  return ms_since_epoch<std::chrono::system_clock>();
}
std::int64_t system_clock::mono_ms() const {
  return ms_since_epoch<std::chrono::steady_clock>();
}

}  // namespace tilld
