#include "order_model.hpp"

#include <algorithm>
#include <queue>

namespace order_model {

namespace core = tilld::core;

std::vector<std::uint8_t> tape_of(std::uint64_t seed, std::size_t length) {
  std::vector<std::uint8_t> tape(length);
  std::uint64_t x = seed;
  for (std::size_t i = 0; i < length; i += 8) {
    x += 0x9e37'79b9'7f4a'7c15u;  // splitmix64
    std::uint64_t z = x;
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9u;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebu;
    z ^= z >> 31;
    for (std::size_t j = i; j < std::min(i + 8, length); ++j, z >>= 8)
      tape[j] = static_cast<std::uint8_t>(z);
  }
  return tape;
}

const json& history::state_at(std::int64_t ms) const {
  static const json not_yet;
  const json* state = &not_yet;
  for (const auto& [since_ms, s] : states)
    if (since_ms <= ms) state = &s;
  return *state;
}

json previous_attributes(const json& before, const json& after) {
  json previous = json::object();
  for (auto it = after.begin(); it != after.end(); ++it) {
    if (!before.contains(it.key())) {
      previous[it.key()] = nullptr;
    } else if (before[it.key()] != *it) {
      const json& was = before[it.key()];
      previous[it.key()] = was.is_object() && it->is_object() ? previous_attributes(was, *it) : was;
    }
  }
  for (auto it = before.begin(); it != before.end(); ++it)
    if (!after.contains(it.key())) previous[it.key()] = *it;
  return previous;
}

author::author(std::string object_name, std::int64_t start_ms) : now_ms(start_ms) {
  out_.object_name = std::move(object_name);
}

void author::change(const json& next, const std::string& type, bool with_previous) {
  const json before = object;
  object = next;
  out_.states.emplace_back(now_ms, object);
  if (with_previous) {
    tell_with_previous(type, before);
  } else {
    tell(type);
  }
}

void author::tell(const std::string& type) {
  out_.events.push_back(
      {"evt_" + std::to_string(events_++), type, now_ms, out_.object_name, object.dump(), {}});
}

void author::tell_with_previous(const std::string& type, const json& before) {
  tell(type);
  out_.events.back().previous = previous_attributes(before, object).dump();
}

void author::disappear(const std::string& type) {
  tell(type);
  object = nullptr;
  out_.states.emplace_back(now_ms, object);
}

void author::ask(std::int64_t before_ms, std::int64_t after_ms) {
  out_.questions.push_back({now_ms - before_ms, now_ms, now_ms + after_ms});
}

history author::done() && {
  out_.end_ms = now_ms;
  return std::move(out_);
}

std::optional<core::held> mirror::current() const {
  if (!row_) return std::nullopt;
  return core::held{row_->at, row_->document};
}

std::vector<core::event_fact> mirror::peers(core::window time) const {
  std::vector<core::event_fact> found;
  for (const auto& e : seen_)
    if (e.ms / 1000 >= time.lo && e.ms / 1000 <= time.hi) found.push_back(e.fact());
  return found;
}

void mirror::follow(core::verdict v, std::string_view what) {
  ++tally_.decisions;
  if (v.what == core::action::refetch) ++tally_.refetch_verdicts;
  if (tells_)
    story_ += std::string(what) + "\n    -> " +
              (v.what == core::action::ignore    ? "ignore"
               : v.what == core::action::replace ? "replace"
                                                 : "refetch") +
              " (" + std::string(v.why) + ") at " + std::to_string(v.at.lo) + ".." +
              std::to_string(v.at.hi) + (v.at.suspect ? " suspect" : "") + "\n";
  if (v.what == core::action::ignore) return;
  if (!row_) row_.emplace();
  row_->at = v.at;
  if (v.what == core::action::replace || !v.document.empty()) row_->document = v.document;
}

void mirror::hear(const event& e) {
  if (!ids_.insert(e.id).second) return;
  const auto now = current();
  std::vector<core::event_fact> others;
  if (core::contested(now, e.fact())) others = peers(core::peer_window(*now, e.fact()));
  auto v = core::decide(now, e.fact(), others);
  seen_.push_back(e);
  follow(std::move(v), tells_ ? "event " + e.id + " " + e.type + " @" + std::to_string(e.ms) + " " +
                                    e.object + " was " + e.previous
                              : std::string());
}

void mirror::hear(const core::snapshot_fact& answer) {
  const auto now = current();
  std::vector<core::event_fact> others;
  if (core::contested(now, answer)) others = peers(core::peer_window(*now, answer));
  auto v = core::decide(now, answer, others);
  follow(std::move(v), tells_ ? "snapshot " + std::to_string(answer.lo) + ".." +
                                    std::to_string(answer.hi) + " " + std::string(answer.object) +
                                    (answer.refetch ? " refetch" : "") +
                                    (answer.after_held ? " after held" : "")
                              : std::string());
}

core::snapshot_fact answer(const history& h, const question& q, std::string& bytes, bool refetch) {
  const json& state = h.state_at(q.true_ms);
  core::snapshot_fact fact;
  fact.lo = q.sent_ms / 1000;
  fact.hi = q.answered_ms / 1000;
  fact.object_name = h.object_name;
  fact.refetch = refetch;
  if (!state.is_null()) {
    bytes = state.dump();
  } else if (h.object_name == "customer") {
    bytes = R"({"id":"x_1","object":"customer","deleted":true})";
    fact.deleted = true;
  } else {
    bytes.clear();
    fact.missing = true;
  }
  fact.object = bytes;
  return fact;
}

json without_nulls(const json& j) {
  if (!j.is_object()) return j;
  json out = json::object();
  for (auto it = j.begin(); it != j.end(); ++it)
    if (!it->is_null()) out[it.key()] = without_nulls(*it);
  return out;
}

bool agrees(const mirror& m, const history& h) {
  if (m.empty() || m.suspect()) return false;
  if (h.last_state().is_null()) return m.deleted();
  return !m.deleted() && without_nulls(json::parse(m.document())) == without_nulls(h.last_state());
}

namespace {

struct item {
  std::int64_t ms = 0;
  std::int64_t tie = 0;
  int event_index = -1;
  std::optional<question> asked = std::nullopt;
  bool refetch = false;
  bool leaves = false;         // the question, not yet its answer
  std::int64_t decisions = 0;  // when the question left
  friend bool operator<(const item& a, const item& b) {
    return std::pair(a.ms, a.tie) > std::pair(b.ms, b.tie);
  }
};

std::int64_t some_delay_ms(chance& choose) {
  switch (choose.below(4)) {
    case 0:
      return 0;
    case 1:
      return choose.below(250) * 2;
    case 2:
      return choose.below(250) * 16;
    default:
      return choose.below(250) * 200;
  }
}

class player {
 public:
  player(mirror& m, const history& h, chance& choose, const delivery_plan& plan)
      : m_(m), h_(h), choose_(choose), plan_(plan) {}

  void run() {
    plan_deliveries();
    int answers = 0;
    while (!queue_.empty()) {
      const item next = queue_.top();
      queue_.pop();
      if (next.event_index >= 0) m_.hear(h_.events[static_cast<std::size_t>(next.event_index)]);
      if (next.asked && next.leaves) leave(next);
      if (next.asked && !next.leaves) {
        if (next.refetch) asking_ = false;
        if (++answers > 60) return;  // a refetch that never settles: agrees() will fail
        tell(next);
      }
      if (m_.suspect() && !asking_) want_refetch(next.ms);
    }
  }

 private:
  std::int64_t tie() { return choose_.below(256); }

  void plan_deliveries() {
    const std::int64_t catch_up_ms = h_.end_ms + 100'000;
    for (int i = 0; i < static_cast<int>(h_.events.size()); ++i) {
      const auto& e = h_.events[static_cast<std::size_t>(i)];
      const bool lost = plan_.losses && choose_.one_in(5);
      const auto first = lost ? catch_up_ms + choose_.below(200) : e.ms + some_delay_ms(choose_);
      queue_.push({.ms = first, .tie = tie(), .event_index = i});
      if (choose_.one_in(4))
        queue_.push({.ms = first + some_delay_ms(choose_), .tie = tie(), .event_index = i});
    }
    for (const auto& q : h_.questions) {
      if (h_.state_at(q.true_ms).is_null() && q.true_ms < h_.states.front().first) continue;
      queue_.push({.ms = q.sent_ms, .tie = tie(), .asked = q, .leaves = true});
    }
  }

  void want_refetch(std::int64_t now_ms) {
    asking_ = true;
    std::int64_t at = now_ms + 20 + choose_.below(100);
    if (plan_.rests) at = std::max(at, (m_.in_doubt_until_s() + 1) * 1000);
    queue_.push({.ms = at, .tie = tie(), .asked = question{}, .refetch = true, .leaves = true});
  }

  void leave(item next) {
    if (next.refetch) {
      if (!m_.suspect()) {
        asking_ = false;
        return;
      }
      m_.count_call();
      next.asked->sent_ms = next.ms;
      next.asked->true_ms = next.ms + 10 + choose_.below(250) * 3;
      next.asked->answered_ms = next.asked->true_ms + 10 + choose_.below(250) * 3;
    }
    next.leaves = false;
    next.decisions = m_.decisions();
    next.ms =
        next.asked->answered_ms + (next.refetch ? choose_.below(250) * 3 : some_delay_ms(choose_));
    queue_.push(next);
  }

  void tell(const item& answered) {
    std::string bytes;
    auto fact = answer(h_, *answered.asked, bytes, answered.refetch);
    fact.after_held = plan_.knows_after_held && m_.decisions() == answered.decisions;
    m_.hear(fact);
  }

  mirror& m_;
  const history& h_;
  chance& choose_;
  const delivery_plan& plan_;
  std::priority_queue<item> queue_;
  bool asking_ = false;
};

}  // namespace

void play(mirror& m, const history& h, chance& choose, const delivery_plan& plan) {
  player(m, h, choose, plan).run();
}

}  // namespace order_model
