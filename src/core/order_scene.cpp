#include "core/order_scene.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace tilld::core::ordering {
namespace {

using nlohmann::json;

// Pairs are compared with each other; a second busier than this is asked of Stripe.
constexpr std::size_t most_in_elimination = 32;

bool known_and_different(const std::optional<std::int64_t>& a,
                         const std::optional<std::int64_t>& b) {
  return a && b && *a != *b;
}

order_of turned(order_of o) {
  switch (o) {
    case order_of::before:
      return order_of::after;
    case order_of::after:
      return order_of::before;
    case order_of::unknown:
      return order_of::unknown;
  }
  return order_of::unknown;
}

}  // namespace

struct scene::update_states {
  json change;
  json before;
};

// Deques, because references to what was read earlier must stay good.
struct scene::library {
  std::deque<std::pair<std::string_view, json>> documents;
  std::deque<std::pair<std::pair<std::string_view, std::string_view>, update_states>> updates;
  std::deque<std::pair<std::string_view, json>> last_lives;
};

scene::scene(std::string_view object_name)
    : object_name_(object_name),
      reborn_(ordering::can_be_reborn(object_name)),
      read_(std::make_unique<library>()) {}

scene::~scene() = default;

fact scene::read(const event_fact& event) const {
  const bool changes = event.previous.size() > 2;  // not "{}"
  const auto kind = kind_of_event(event.type, event.object_name, changes);
  fact f;
  f.as = kind.as;
  f.moved_field = kind.moved_field;
  f.text = event.object;
  if (kind.as == role::update) f.previous = event.previous;
  f.lo = f.hi = event.created_s;
  f.gone = kind.as == role::death;
  f.seen = look(event.object);
  if (!f.gone) f.rank = kind.rank ? kind.rank : status_rank(object_name_, f.seen.status);
  f.entered_once = kind.once || (kind.as == role::move && kind.moved_field == "status" &&
                                 status_is_entered_once(object_name_, f.seen.status));
  return f;
}

fact scene::read(const held& current) const {
  fact f;
  f.is_snapshot = current.at.from_snapshot;
  f.as = current.at.born ? role::birth : role::other;
  f.text = current.document;
  f.lo = current.at.lo;
  f.hi = current.at.from_snapshot ? current.at.hi : current.at.lo;
  f.gone = current.at.deleted;
  f.seen = look(current.document);
  if (!f.gone) f.rank = status_rank(object_name_, f.seen.status);
  return f;
}

fact scene::read(const snapshot_fact& snapshot) const {
  fact f;
  f.is_snapshot = true;
  f.text = snapshot.object;
  f.lo = snapshot.lo;
  f.hi = snapshot.hi;
  f.gone = snapshot.deleted || snapshot.missing;
  f.seen = look(snapshot.object);
  if (!f.gone) f.rank = status_rank(object_name_, f.seen.status);
  return f;
}

bool scene::is_final(const fact& f) const {
  return !f.gone && status_is_final(object_name_, f.seen.status);
}

const json& scene::document(std::string_view text) {
  for (const auto& [bytes, parsed] : read_->documents)
    if (bytes == text) return parsed;
  auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) {
    unreadable_ = true;
    parsed = json::object();
  }
  return read_->documents.emplace_back(text, std::move(parsed)).second;
}

const scene::update_states& scene::states_of(const fact& f) {
  const std::pair key{f.text, f.previous};
  for (const auto& [bytes, states] : read_->updates)
    if (bytes == key) return states;
  update_states states;
  states.change = json::parse(f.previous, nullptr, false);
  if (!states.change.is_object()) {
    unreadable_ = true;
    states.change = json::object();
  }
  if (!states.change.empty()) {
    states.before = undo(after(f), states.change);
    if (same(states.before, after(f))) states.change = json::object();
  }
  return read_->updates.emplace_back(key, std::move(states)).second;
}

const json* scene::change(const fact& f) {
  if (f.previous.empty()) return nullptr;
  const auto& states = states_of(f);
  return states.change.empty() ? nullptr : &states.change;
}

const json& scene::before(const fact& f) {
  return states_of(f).before;
}

const json& scene::while_alive(const fact& death) {
  for (const auto& [bytes, parsed] : read_->last_lives)
    if (bytes == death.text) return parsed;
  json alive = after(death);
  alive.erase("deleted");
  return read_->last_lives.emplace_back(death.text, std::move(alive)).second;
}

bool scene::same_state(const fact& a, const fact& b) {
  if (a.gone || b.gone) return a.gone == b.gone;
  if (a.text == b.text) return true;
  if (known_and_different(a.seen.created_s, b.seen.created_s)) return false;
  if (a.seen.status != b.seen.status) return false;
  return same(after(a), after(b));
}

bool scene::saw(const fact& event, const fact& state) {
  if (same_state(event, state)) return true;
  if (state.gone) return reborn_ && event.as == role::birth;
  if (event.as == role::death)
    return event.seen.created_s.has_value() && same(while_alive(event), after(state));
  return change(event) != nullptr && same(before(event), after(state));
}

order_of scene::gone_against(const fact& gone, const fact& alive) const {
  if (!reborn_) return order_of::after;
  if (gone.seen.created_s)  // a deletion event carries the incarnation that it ends
    return alive.seen.created_s == gone.seen.created_s ? order_of::after : order_of::unknown;
  if (!alive.seen.created_s) return order_of::unknown;
  if (*alive.seen.created_s < gone.lo) return order_of::after;
  if (*alive.seen.created_s > gone.hi) return order_of::before;
  return order_of::unknown;
}

// What times, incarnations, births, deaths and statuses say.
order_of scene::without_reading(const fact& a, const fact& b) const {
  if (a.hi < b.lo) return order_of::before;
  if (b.hi < a.lo) return order_of::after;
  if (known_and_different(a.seen.created_s, b.seen.created_s))
    return a.seen.created_s < b.seen.created_s ? order_of::before : order_of::after;
  if (a.gone && b.gone) return order_of::unknown;
  if (a.gone) return gone_against(a, b);
  if (b.gone) return turned(gone_against(b, a));
  const bool one_life = !reborn_ || (a.seen.created_s && b.seen.created_s);
  if ((a.as == role::birth) != (b.as == role::birth) && one_life)
    return a.as == role::birth ? order_of::before : order_of::after;
  if (a.rank && b.rank && *a.rank != *b.rank)
    return *a.rank < *b.rank ? order_of::before : order_of::after;
  return order_of::unknown;
}

order_of scene::certain(const fact& a, const fact& b) {
  const auto told = without_reading(a, b);
  if (told != order_of::unknown || a.gone || b.gone || a.text == b.text) return told;
  if (is_first_there(a, b) != is_first_there(b, a))
    return is_first_there(a, b) ? order_of::before : order_of::after;
  switch (by_growth(object_name_, after(a), after(b))) {
    case -1:
      return order_of::before;
    case 1:
      return order_of::after;
    default:
      return order_of::unknown;
  }
}

order_of scene::likely(const fact& a, const fact& b) {
  const auto told = certain(a, b);
  return told != order_of::unknown || a.gone || b.gone ? told : by_evidence(a, b);
}

bool scene::may_precede(const fact& state, const fact& event) {
  if (event.as == role::birth || event.as == role::death || event.as == role::notice ||
      change(event))
    return saw(event, state);
  if (certain(event, state) == order_of::before) return false;
  if (event.as != role::move || event.moved_field.empty() || state.gone) return true;
  return !same(member(after(state), event.moved_field), member(after(event), event.moved_field));
}

bool scene::is_first_there(const fact& a, const fact& b) {
  if (!a.entered_once) return false;
  if (a.moved_field == "status") return a.seen.status == b.seen.status;
  return same(member(after(a), a.moved_field), member(after(b), a.moved_field));
}

// `b` can directly or indirectly follow `a`: `a` still shows what `b` replaced, and `b` already
// shows what `a` brought, where `b` did not replace it again.
bool scene::leads_to(const fact& a, const fact& b) {
  const json* by_a = change(a);
  const json* by_b = change(b);
  if (!by_a && !by_b) return false;
  // A snapshot that still shows the old values may also come after a way back that is not seen yet.
  if (a.is_snapshot && by_b) return false;
  if (by_b && !agree(after(a), before(b), *by_b, nullptr)) return false;
  return !by_a || agree(after(b), after(a), *by_a, by_b);
}

bool scene::shows(const fact& later, const fact& change_by) {
  const json* what = change(change_by);
  return what && agree(after(later), after(change_by), *what, nullptr);
}

order_of scene::by_evidence(const fact& a, const fact& b) {
  bool forward = leads_to(a, b);
  bool backward = leads_to(b, a);
  if (!forward && !backward) {  // what lies between them is missing; one may still show the other
    forward = shows(b, a);
    backward = shows(a, b);
  }
  if (forward == backward) return order_of::unknown;
  return forward ? order_of::before : order_of::after;
}

const fact* scene::last_of(std::span<const fact* const> second) {
  std::vector<const fact*> left(second.begin(), second.end());
  const auto dead = std::ranges::find_if(left, [](const fact* f) { return f->gone; });
  if (!reborn_ && dead != left.end()) return *dead;

  // Only the highest status of the second can be its last; the states below do not matter.
  if (std::ranges::all_of(left, [](const fact* f) { return f->rank.has_value(); })) {
    const auto top = (*std::ranges::max_element(left, {}, &fact::rank))->rank;
    std::erase_if(left, [&](const fact* f) { return f->rank < top; });
  }
  const auto unborn = std::ranges::find_if(left, [](auto* f) { return f->as != role::birth; });
  const fact* one = unborn == left.end() ? left.front() : *unborn;
  if (std::ranges::all_of(left, [&](const fact* f) {
        return (!f->gone && f->text == one->text) || (!reborn_ && f->as == role::birth && f != one);
      }))
    return one;

  bool told = false;
  const fact* last = last_by_walking(left, told);
  return told ? last : last_by_elimination(left);
}

const fact* scene::last_by_elimination(std::span<const fact* const> second) {
  if (second.size() > most_in_elimination) return nullptr;
  const fact* last = nullptr;
  for (const fact* f : second) {
    const bool has_successor = std::ranges::any_of(second, [&](const fact* other) {
      return other != f && !same_state(*f, *other) && likely(*f, *other) == order_of::before;
    });
    if (has_successor) continue;
    if (last && !same_state(*last, *f)) return nullptr;
    if (!last) last = f;
  }
  return last;
}

// An event without previous_attributes that still shows what an update of its second replaced: the
// walk that ends in it went back in a way that no event tells.
bool scene::contradicted(const fact& last, std::span<const fact* const> second) {
  for (const fact* f : second)
    if (same_state(*f, last) && change(*f)) return false;
  return std::ranges::any_of(second, [&](const fact* f) {
    return !f->gone && !same_state(*f, last) && change(*f) &&
           agree(after(last), before(*f), *change(*f), nullptr);
  });
}

}  // namespace tilld::core::ordering
