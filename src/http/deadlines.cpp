// The door: who is late, who must make room, and how it closes for good.
#include <algorithm>

#include <sys/socket.h>

#include "http/door.hpp"

namespace tilld::http {

namespace {

constexpr std::size_t idlers_at_once = 64;
constexpr std::int64_t idlers_again_ms = 10;  // when a look has found none
constexpr std::int64_t slow_head_ms = 1'000;  // an honest head comes in one piece

std::int64_t shortest(const listener_settings& s) {
  return std::min({s.head_deadline_ms, s.body_deadline_ms, s.idle_deadline_ms, s.write_deadline_ms,
                   s.answer_deadline_ms, linger_ms});
}

// A reset, not a polite end: what the kernel still holds for a peer that takes nothing is freed.
void reset_on_close(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

}  // namespace

// A deadline that is set after this look lies at least the shortest deadline ahead, so looking
// then, or when the next known one is due, misses none. The grain bounds the looks: a deadline may
// come late by a twentieth of the shortest.
void server::door::find_late() {
  const std::int64_t step = shortest(board_->settings);
  const std::int64_t grain = std::clamp<std::int64_t>(step / 20, 2, 250);
  std::int64_t next = now_ms_ + step;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const connection_ptr c = slots_[i];
    if (!c) continue;
    std::int64_t deadline = c->deadline_ms.load(std::memory_order_relaxed);
    if (deadline <= now_ms_) {
      const std::lock_guard lock(c->mutex);
      if (c->deadline_ms.load(std::memory_order_relaxed) <= now_ms_) late(*c);
      deadline = c->deadline_ms.load(std::memory_order_relaxed);
    }
    if (deadline > now_ms_) next = std::min(next, deadline);
  }
  find_late_orphans();
  look_for_late_ms_ = std::max(next, now_ms_ + grain);
}

void server::door::find_late_orphans() {
  std::erase_if(orphans_, [&](const orphan& one) {
    if (one.deadline_ms <= now_ms_) settle(*one.request);
    return one.request->settled.load();
  });
}

void server::door::late(connection& c) {
  switch (c.at) {
    case phase::head:
      refuse(c, 408, "head_too_slow", "The head of the request took too long to arrive.");
      break;
    case phase::body:
      refuse(c, 408, "body_too_slow", "The body of the request took too long to arrive.");
      break;
    case phase::handling: {
      const std::shared_ptr<exchange> e = c.current;
      // If it is settled, its answer is on the way here.
      if (!settle(*e)) return enter(c, phase::handling, now_ms_, now_ms_ + 1'000);
      refuse(c, 503, "answer_too_slow", "tilld found no answer in time; ask again.", !e->close);
      break;
    }
    case phase::sending:
      c.deadline_ms = sending_deadline_ms(c, board_->sending);
      if (c.deadline_ms > now_ms_) return;
      reset_on_close(c.socket.get());
      return close(c);
    case phase::idle:
    case phase::lingering:
      return close(c);
    case phase::closed:
      return;
  }
  look_at(c);
}

// Closes the connection that is missed least: one that only waits for its peer to go, else the one
// that idles the longest, else one whose request dribbles in. False: all are busy.
bool server::door::make_room() {
  if (idlers_.empty() && now_ms_ >= look_for_idlers_ms_) find_idlers();
  while (!idlers_.empty()) {
    const auto [since, key] = idlers_.back();
    idlers_.pop_back();
    const connection_ptr c = slots_[key & 0xffffffffu];
    if (!c || c->key != key) continue;
    const std::lock_guard lock(c->mutex);
    const bool replaceable =
        c->at == phase::idle || c->at == phase::lingering || c->at == phase::head;
    if (!replaceable || c->since_ms != since) continue;
    board_->counts.refused(0, "evicted");
    close(*c);
    return true;
  }
  return false;
}

// Many at once, so that a flood of connections does not make the door look at all of them for each.
void server::door::find_idlers() {
  struct candidate {
    int rank;
    std::int64_t since;
    std::uint64_t key;
    auto operator<=>(const candidate&) const = default;
  };
  std::vector<candidate> all;
  for (const connection_ptr& c : slots_) {
    if (!c) continue;
    const std::lock_guard lock(c->mutex);
    const bool dribbles = c->at == phase::head && c->since_ms + slow_head_ms <= now_ms_;
    if (c->at == phase::lingering) all.push_back({0, c->since_ms, c->key});
    if (c->at == phase::idle) all.push_back({1, c->since_ms, c->key});
    if (dribbles) all.push_back({2, c->since_ms, c->key});
  }
  if (all.empty()) look_for_idlers_ms_ = now_ms_ + idlers_again_ms;
  const std::size_t kept = std::min(all.size(), idlers_at_once);
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(kept));
  for (std::size_t i = kept; i > 0; --i)
    idlers_.emplace_back(all[i - 1].since, all[i - 1].key);
}

void server::door::sweep_for_drain() {
  listening_.socket.reset();
  bool busy = in_flight() > 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const connection_ptr c = slots_[i];
    if (!c) continue;
    const std::lock_guard lock(c->mutex);
    switch (c->at) {
      case phase::idle:
        close(*c);
        break;
      case phase::head:
      case phase::body:
        refuse(*c, 503, "shutting_down", "tilld is shutting down; try again.");
        look_at(*c);
        break;
      case phase::lingering:
      case phase::closed:
      case phase::handling:
      case phase::sending:
        break;
    }
    busy = busy || c->at == phase::handling || c->at == phase::sending;
  }
  if (busy) return;
  const std::lock_guard lock(drain_mutex_);
  drained_ = true;
  drain_step_.notify_all();
}

int server::door::drain(std::int64_t deadline_ms) {
  if (!thread_.joinable()) return 0;
  board_->draining = true;
  board_->wake();
  std::unique_lock lock(drain_mutex_);
  drain_step_.wait_for(lock, std::chrono::milliseconds(deadline_ms), [&] { return drained_; });
  return in_flight();
}

}  // namespace tilld::http
