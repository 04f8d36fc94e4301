#include "core/order.hpp"

#include <algorithm>
#include <vector>

#include "core/order_json.hpp"
#include "core/order_rules.hpp"
#include "core/order_scene.hpp"

namespace tilld::core {

using ordering::fact;
using ordering::order_of;
using ordering::role;
using ordering::scene;

namespace {

std::string tombstone(std::string_view object_name, std::string_view document) {
  std::string stub = R"({"id":")";
  stub += ordering::look(document).id;
  stub += R"(","object":")";
  stub += object_name;
  stub += R"(","deleted":true})";
  return stub;
}

verdict ignored(std::string_view why) {
  return {action::ignore, {}, {}, why};
}

verdict taken(const event_fact& event, std::string_view why) {
  const bool gone = is_deletion(event.type, event.object_name);
  return {action::replace,
          gone ? tombstone(event.object_name, event.object) : std::string(event.object),
          {.lo = event.created_s,
           .hi = event.created_s,
           .born = is_creation(event.type),
           .deleted = gone},
          why};
}

verdict taken(const snapshot_fact& snapshot, const std::optional<held>& current,
              std::string_view why) {
  const bool gone = snapshot.deleted || snapshot.missing;
  const auto named = snapshot.object.empty() && current ? current->document : snapshot.object;
  return {action::replace,
          gone ? tombstone(snapshot.object_name, named) : std::string(snapshot.object),
          {.lo = snapshot.lo, .hi = snapshot.hi, .from_snapshot = true, .deleted = gone},
          why};
}

// The document stays and is in doubt up to `seen_until_s`.
verdict doubted(const held& current, std::int64_t seen_until_s, std::string_view why) {
  stamp at = current.at;
  at.hi = std::max(at.hi, seen_until_s);
  at.suspect = true;
  return {action::refetch, {}, at, why};
}

verdict kept(const held& current, const stamp& at, std::string_view why) {
  if (at == current.at) return ignored(why);
  return {action::replace, std::string(current.document), at, why};
}

std::optional<std::int64_t> incarnation(std::string_view document) {
  return ordering::look(document).created_s;
}

bool same_incarnation(std::string_view a, std::string_view b) {
  const auto one = incarnation(a);
  return one && one == incarnation(b);
}

// --- uncontested -----------------------------------------------------------------------------

verdict newer_than_tombstone(const held& current, const event_fact& event) {
  const bool reborn = ordering::can_be_reborn(event.object_name);
  if (is_deletion(event.type, event.object_name)) return taken(event, "newer");
  const auto life = incarnation(event.object);
  if (reborn && (is_creation(event.type) || (life && *life > current.at.hi)))
    return taken(event, "reborn");
  return doubted(current, event.created_s, "alive after deletion");
}

verdict newer(const held& current, const event_fact& event) {
  if (current.at.deleted) return newer_than_tombstone(current, event);
  if (is_creation(event.type) &&
      (ordering::can_be_reborn(event.object_name) ? same_incarnation(current.document, event.object)
                                                  : true))
    return ignored("creation is past");
  if (!is_deletion(event.type, event.object_name) &&
      ordering::in_final_status(event.object_name, current.document) &&
      !ordering::in_final_status(event.object_name, event.object))
    return doubted(current, event.created_s, "final status left");
  return taken(event, "newer");
}

// The end arrives late, behind something that came after it: the end is held until Stripe is asked,
// so that whichever of the two comes first, the row is the same.
verdict doubted_end(verdict end, const held& current, std::string_view why) {
  end.what = action::refetch;
  end.at.hi = current.at.hi;
  end.at.suspect = true;
  end.why = why;
  return end;
}

verdict older(const held& current, const event_fact& event) {
  if (current.at.deleted) return ignored("older");
  if (current.at.born && !is_creation(event.type) &&
      same_incarnation(current.document, event.object))
    return taken(event, "after birth");
  if (is_deletion(event.type, event.object_name)) {
    const auto life = incarnation(current.document);
    if (!ordering::can_be_reborn(event.object_name) || (life && *life < event.created_s))
      return doubted_end(taken(event, {}), current, "alive after deletion");
    return ignored("older");
  }
  if (ordering::in_final_status(event.object_name, event.object) &&
      !ordering::in_final_status(event.object_name, current.document))
    return doubted_end(taken(event, {}), current, "final status left");
  return ignored("older");
}

verdict newer(const held& current, const snapshot_fact& snapshot) {
  const bool gone = snapshot.deleted || snapshot.missing;
  if (!snapshot.refetch && !gone) {
    if (current.at.deleted && !ordering::can_be_reborn(snapshot.object_name))
      return doubted(current, snapshot.hi, "alive after deletion");
    if (!current.at.deleted && ordering::in_final_status(snapshot.object_name, current.document) &&
        !ordering::in_final_status(snapshot.object_name, snapshot.object))
      return doubted(current, snapshot.hi, "final status left");
  }
  auto v = taken(snapshot, current, "newer");
  if (snapshot.after_held) {
    v.at.lo = std::max(v.at.lo, current.at.lo);
    v.at.hi = std::max(v.at.hi, v.at.lo);
  }
  return v;
}

verdict older(const held& current, const snapshot_fact& snapshot) {
  const bool gone = snapshot.deleted || snapshot.missing;
  if (current.at.deleted) return ignored("older");
  if (gone && !ordering::can_be_reborn(snapshot.object_name))
    return doubted_end(taken(snapshot, current, {}), current, "alive after deletion");
  if (!gone && ordering::in_final_status(snapshot.object_name, snapshot.object) &&
      !ordering::in_final_status(snapshot.object_name, current.document))
    return doubted_end(taken(snapshot, current, {}), current, "final status left");
  return ignored("older");
}

// --- contested -------------------------------------------------------------------------------

enum class winner : std::uint8_t { held, event, snapshot, unknown };

struct ruling {
  winner who = winner::unknown;
  const fact* event = nullptr;  // the last event, where it wins
};

// Where one document stands against the events of its time.
enum class standing : std::uint8_t { among_them, after_them, unknown };

class court {
 public:
  court(scene& of, const fact& held, const std::vector<fact>& events, const fact* snapshot)
      : scene_(of), held_(held), events_(events), snapshot_(snapshot) {}

  ruling judge() {
    if (events_.empty()) return between_documents();
    last_second_ = std::ranges::max(events_, {}, &fact::lo).lo;
    for (const auto& e : events_)
      if (e.lo == last_second_) second_.push_back(&e);
    last_ = scene_.last_of(second_);
    ruling r = weigh();
    return scene_.unreadable() || returns_from_the_end(r) ? ruling{} : r;
  }

 private:
  ruling weigh() {
    const auto ours = stands(held_);
    if (!snapshot_) return against_events(ours);
    const auto theirs = stands(*snapshot_);
    if (theirs == standing::among_them) return against_events(ours);
    if (theirs == standing::unknown) return {};
    if (ours == standing::among_them) return {winner::snapshot};
    const auto r = between_documents();
    if (ours == standing::after_them || r.who == winner::snapshot) return r;
    return {};
  }

  ruling against_events(standing ours) const {
    if (ours == standing::after_them) return {winner::held};
    if (ours == standing::among_them && last_) return {winner::event, last_};
    return {};
  }

  ruling between_documents() {
    if (scene_.same_state(held_, *snapshot_)) return {winner::held};
    switch (scene_.certain(held_, *snapshot_)) {
      case order_of::before:
        return {winner::snapshot};
      case order_of::after:
        return {winner::held};
      case order_of::unknown:
        return {};
    }
    return {};
  }

  standing stands(const fact& document) {
    if (document.lo > last_second_) return standing::after_them;
    if (std::ranges::any_of(events_, [&](const fact& e) { return scene_.saw(e, document); }))
      return standing::among_them;
    const auto sure = against([&](const fact& e) { return scene_.certain(e, document); });
    if (sure != standing::unknown) return sure;
    // A state that no event saw: either it is the one before all of them, or events are missing.
    if (std::ranges::any_of(events_,
                            [&](const fact& e) { return scene_.may_precede(document, e); }))
      return standing::unknown;
    return against([&](const fact& e) { return scene_.likely(e, document); });
  }

  // By the last event, or, where it is not known which that is, by all of the last second.
  template <class F>
  standing against(F&& order_with) const {
    std::size_t before = 0;
    std::size_t after = 0;
    std::size_t all = 0;
    for (const fact* e : second_) {
      if (last_ && !scene_.same_state(*e, *last_)) continue;
      const auto told = order_with(*e);
      before += told == order_of::before;
      after += told == order_of::after;
      ++all;
    }
    if (after > 0) return before > 0 && last_ ? standing::unknown : standing::among_them;
    const bool enough = last_ ? before > 0 : before == all;
    return enough ? standing::after_them : standing::unknown;
  }

  const fact& state_of(const ruling& r) const {
    if (r.who == winner::event) return *r.event;
    return r.who == winner::snapshot ? *snapshot_ : held_;
  }

  // Something that is seen to be at its end is not so any more: nobody's order explains that.
  bool returns_from_the_end(const ruling& r) const {
    if (r.who == winner::unknown) return false;
    const fact& result = state_of(r);
    if (result.gone) return false;
    const auto is_left = [&](const fact& f) {
      if (f.gone) return !explained_by_rebirth(f, result);
      return scene_.is_final(f) && !scene_.is_final(result);
    };
    return std::ranges::any_of(events_, is_left) || is_left(held_) ||
           (snapshot_ && is_left(*snapshot_));
  }

  bool explained_by_rebirth(const fact& death, const fact& result) const {
    if (!scene_.can_be_reborn()) return false;
    if (result.seen.created_s && *result.seen.created_s > death.hi) return true;
    return std::ranges::any_of(events_, [&](const fact& e) {
      return e.as == role::birth && e.lo >= death.lo &&
             (!result.seen.created_s || e.seen.created_s == result.seen.created_s);
    });
  }

  scene& scene_;
  const fact& held_;
  const std::vector<fact>& events_;
  const fact* snapshot_;
  std::vector<const fact*> second_;  // the events of the last second
  std::int64_t last_second_ = 0;
  const fact* last_ = nullptr;
};

std::vector<fact> read_all(const scene& in, std::span<const event_fact> peers,
                           const event_fact* event) {
  std::vector<fact> events;
  events.reserve(peers.size() + 1);
  for (const auto& peer : peers)
    if (!event || peer.id != event->id) events.push_back(in.read(peer));
  if (event) events.push_back(in.read(*event));
  return events;
}

std::int64_t latest(const std::vector<fact>& events, std::int64_t otherwise) {
  for (const auto& e : events)
    otherwise = std::max(otherwise, e.lo);
  return otherwise;
}

stamp stamp_of(const fact& event) {
  return {.lo = event.lo, .hi = event.lo, .born = event.as == role::birth, .deleted = event.gone};
}

// The row after the last event has been found to hold the truth.
verdict settled_by_event(scene& in, const held& current, const fact& now, const fact& last,
                         std::string_view object_name) {
  if (in.same_state(now, last)) {
    if (!current.at.suspect) return ignored("known");
    stamp at = current.at.from_snapshot ? current.at : stamp_of(last);
    at.suspect = false;
    return kept(current, at, "settled");
  }
  return {action::replace, last.gone ? tombstone(object_name, last.text) : std::string(last.text),
          stamp_of(last), "chain"};
}

verdict settled_by_held(const held& current) {
  stamp at = current.at;
  at.suspect = false;
  return kept(current, at, at == current.at ? "included" : "settled");
}

// The only other event of this second is the creation we hold: it needs no DOM.
bool first_after_birth(const held& current, const event_fact& event,
                       std::span<const event_fact> peers) {
  return current.at.born && !current.at.suspect && !is_creation(event.type) &&
         !ordering::can_be_reborn(event.object_name) &&
         std::ranges::all_of(peers, [](const auto& p) { return is_creation(p.type); });
}

verdict decide_contested(const held& current, const event_fact& event,
                         std::span<const event_fact> peers) {
  if (first_after_birth(current, event, peers)) return taken(event, "after birth");
  scene in(event.object_name);
  const auto now = in.read(current);
  const auto events = read_all(in, peers, &event);
  const auto r = court(in, now, events, nullptr).judge();
  switch (r.who) {
    case winner::event:
      return settled_by_event(in, current, now, *r.event, event.object_name);
    case winner::held:
      return settled_by_held(current);
    case winner::snapshot:
    case winner::unknown:
      break;
  }
  return doubted(current, latest(events, event.created_s),
                 in.unreadable() ? "unreadable" : "order unknown");
}

stamp later_of(const stamp& current, const snapshot_fact& snapshot) {
  if (snapshot.lo <= current.lo) return current;
  stamp at = current;
  at.lo = snapshot.lo;
  at.hi = std::max(current.hi, snapshot.hi);
  at.from_snapshot = true;
  at.born = false;
  return at;
}

verdict snapshot_in_doubt(const held& current, const snapshot_fact& snapshot,
                          std::string_view why) {
  if (snapshot.lo <= current.at.lo) return doubted(current, snapshot.hi, why);
  auto v = taken(snapshot, current, why);
  v.what = action::refetch;
  v.at.hi = std::max(v.at.hi, current.at.hi);
  v.at.suspect = true;
  return v;
}

verdict decide_contested(const held& current, const snapshot_fact& snapshot,
                         std::span<const event_fact> peers) {
  scene in(snapshot.object_name);
  const auto now = in.read(current);
  const auto then = in.read(snapshot);
  const auto events = read_all(in, peers, nullptr);
  const auto r = court(in, now, events, &then).judge();
  if (r.who == winner::event && !in.same_state(now, *r.event))
    return settled_by_event(in, current, now, *r.event, snapshot.object_name);
  if (r.who == winner::snapshot) return taken(snapshot, current, "follows");
  if (!in.same_state(now, then)) {
    if (r.who == winner::unknown) return snapshot_in_doubt(current, snapshot, "order unknown");
    return settled_by_held(current);
  }
  stamp at = later_of(current.at, snapshot);
  at.suspect = r.who == winner::unknown;
  if (at.suspect) return doubted({at, current.document}, snapshot.hi, "order unknown");
  return kept(current, at, "confirmed");
}

}  // namespace

bool contested(const std::optional<held>& current, const event_fact& event) {
  return current && event.created_s >= current->at.lo && event.created_s <= current->at.hi;
}

bool contested(const std::optional<held>& current, const snapshot_fact& snapshot) {
  return current && !snapshot.after_held && snapshot.hi >= current->at.lo &&
         snapshot.lo <= current->at.hi;
}

window peer_window(const held& current, const event_fact&) {
  return {current.at.lo, current.at.hi};
}

window peer_window(const held& current, const snapshot_fact& snapshot) {
  return {std::min(current.at.lo, snapshot.lo), std::max(current.at.hi, snapshot.hi)};
}

verdict decide(const std::optional<held>& current, const event_fact& event,
               std::span<const event_fact> peers) {
  if (event.object.empty()) {  // told without its document: only Stripe has it
    if (current) return doubted(*current, event.created_s, "no document");
    return {action::refetch,
            {},
            {.lo = event.created_s, .hi = event.created_s, .suspect = true},
            "no document"};
  }
  if (!current) return taken(event, "first");
  if (contested(current, event)) return decide_contested(*current, event, peers);
  return event.created_s > current->at.hi ? newer(*current, event) : older(*current, event);
}

verdict decide(const std::optional<held>& current, const snapshot_fact& snapshot,
               std::span<const event_fact> peers) {
  if (!current) {
    if (snapshot.missing) return ignored("never seen");
    return taken(snapshot, current, "first");
  }
  verdict v;
  if (contested(current, snapshot)) {
    v = decide_contested(*current, snapshot, peers);
  } else {
    const bool is_newer = snapshot.after_held || snapshot.lo > current->at.hi;
    v = is_newer ? newer(*current, snapshot) : older(*current, snapshot);
  }
  // Our own question came too early or too late for the doubt: it is still open.
  if (snapshot.refetch && v.what == action::ignore && current->at.suspect)
    return doubted(*current, current->at.hi, v.why);
  return v;
}

}  // namespace tilld::core
