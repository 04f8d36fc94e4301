// Time is a parameter: whatever reads time takes a clock, so that tests and the sandbox can run a
// year in a second and wall jumps can be played.
#pragma once

#include <atomic>
#include <cstdint>

namespace tilld {

class clock {
 public:
  virtual ~clock() = default;
  // Milliseconds since the Unix epoch; may jump when somebody sets the clock.
  virtual std::int64_t wall_ms() const = 0;
  // Milliseconds since some fixed point; never goes back. For deadlines and durations.
  virtual std::int64_t mono_ms() const = 0;

  std::int64_t wall_s() const { return wall_ms() / 1000; }
};

class system_clock final : public clock {
 public:
  std::int64_t wall_ms() const override;
  std::int64_t mono_ms() const override;
};

// A clock that moves only when told. Thread-safe.
class manual_clock final : public clock {
 public:
  explicit manual_clock(std::int64_t wall_ms = 1'767'225'600'000) : wall_(wall_ms) {}
  std::int64_t wall_ms() const override { return wall_.load(); }
  std::int64_t mono_ms() const override { return mono_.load(); }
  void advance_ms(std::int64_t ms) {
    wall_ += ms;
    mono_ += ms;
  }
  void jump_wall_ms(std::int64_t ms) { wall_ += ms; }  // as an operator or NTP would

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> mono_{1'000'000};
};

}  // namespace tilld
