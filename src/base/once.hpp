// An answer that is given exactly once, from any thread.
//
// A request waits for its answer across threads and actors. If whoever holds it dies or forgets,
// the last copy's destructor answers with the fallback, so nobody waits for ever.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

namespace tilld {

template <class T>
class once {
 public:
  using callback = std::move_only_function<void(T)>;

  once() = default;
  // `fallback` is delivered if every copy goes away without an answer.
  once(callback deliver, T fallback)
      : state_(std::make_shared<state>(std::move(deliver), std::move(fallback))) {}

  // The first call delivers; later ones do nothing and return false.
  bool operator()(T value) const { return state_ && state_->give(std::move(value)); }
  explicit operator bool() const { return static_cast<bool>(state_); }

 private:
  struct state {
    state(callback d, T f) : deliver(std::move(d)), fallback(std::move(f)) {}
    ~state() { give(std::move(fallback)); }
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    bool give(T value) {
      if (done.exchange(true)) return false;
      if (deliver) deliver(std::move(value));
      return true;
    }
    callback deliver;
    T fallback;
    std::atomic<bool> done{false};
  };
  std::shared_ptr<state> state_;
};

}  // namespace tilld
