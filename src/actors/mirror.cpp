#include "actors/mirror.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "actors/collections.hpp"
#include "base/json_text.hpp"
#include "core/event_doubt.hpp"
#include "core/order.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/list_filters.hpp"

namespace tilld::actors {

using store::family;
namespace key = store::key;

namespace {

// Past this many events of one object in one second the order rule fetches anyway.
constexpr std::size_t most_peers = 64;

result<std::optional<store::object_record>> load_object(const working_set& set,
                                                        const std::string& row_key) {
  auto row = set.get(family::objects, row_key);
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  auto record = store::decode_object(**row);
  if (!record) return std::unexpected(record.error());
  return std::move(*record);
}

// All of a kind are one list, and each value that a document is filed under another.
std::string list_key(const store::scope& scope, std::string_view name, std::string_view id,
                     std::int64_t created_s, const stripe::filed& place) {
  return key::list_entry(scope, name, place.under, place.value, created_s, id);
}

// What `one` has and `other` has not; all of it when they stand at different times.
template <class Act>
void each_missing(const stripe::filing& one, const stripe::filing* other, const Act& act) {
  const bool same_time = other != nullptr && other->created_s == one.created_s;
  if (!same_time) act(stripe::filed{});
  for (const auto& place : one.places) {
    if (!same_time || std::ranges::find(other->places, place) == other->places.end()) act(place);
  }
}

// Most changes move no entry; then no key is made.
void move_list_entries(working_set& set, const store::scope& scope, std::string_view name,
                       std::string_view id, const std::optional<store::object_record>& before,
                       const core::verdict& after) {
  std::optional<stripe::filing> then;
  std::optional<stripe::filing> now;
  if (before && !before->at.deleted) then = stripe::filing_of(name, before->document);
  if (!after.at.deleted) now = stripe::filing_of(name, after.document);
  if (then == now) return;
  if (then) {
    each_missing(*then, now ? &*now : nullptr, [&](const stripe::filed& place) {
      set.erase(family::index, list_key(scope, name, id, then->created_s, place));
    });
  }
  if (now) {
    each_missing(*now, then ? &*then : nullptr, [&](const stripe::filed& place) {
      set.put(family::index, list_key(scope, name, id, now->created_s, place), "");
      // So that lists know in one look that nobody's objects are to be hidden.
      if (place.under == "test_clock") set.put(family::meta, key::clocks(scope), "");
    });
  }
}

void write_feed(working_set& set, const mirror_context& context, std::string_view change,
                std::string_view name, std::string_view id, std::string_view cause) {
  std::string entry = R"({"at_ms":)" + std::to_string(context.now_ms) + R"(,"account":)";
  append_json_string(entry, context.scope.account);
  entry += context.scope.live ? R"(,"livemode":true,"change":)" : R"(,"livemode":false,"change":)";
  append_json_string(entry, change);
  entry += R"(,"object":)";
  append_json_string(entry, name);
  entry += R"(,"id":)";
  append_json_string(entry, id);
  entry += R"(,"cause":)";
  append_json_string(entry, cause);
  entry += '}';
  set.append(family::feed, std::move(entry));
}

// The row itself, its indexes and the feed; and the owner's derived state.
result<void> write_object(working_set& set, core::customer_state* state,
                          const mirror_context& context, std::string_view name, std::string_view id,
                          const std::optional<store::object_record>& before,
                          const core::verdict& after, std::string_view cause) {
  std::string row_key = key::object(context.scope, name, id);
  store::object_record record;
  record.version = before ? before->version + 1 : 1;
  record.at = after.at;
  record.document = after.document;
  if (before) {
    set.expect_prefix(family::objects, row_key, store::version_prefix(before->version));
  } else {
    set.expect_absent(family::objects, row_key);
  }
  if (state != nullptr) {
    if (auto ok = core::absorb(*state, name, after.document, after.at.deleted, after.at.hi,
                               context.rules.user_id_metadata);
        !ok) {
      return ok;
    }
  }
  set.put(family::objects, std::move(row_key), store::encode(record));
  move_list_entries(set, context.scope, name, id, before, after);
  write_feed(set, context,
             after.at.deleted ? "deleted"
             : before         ? "updated"
                              : "created",
             name, id, cause);
  return {};
}

// Keeps the document, sets the mark, and makes the wish to fetch it durable.
result<void> mark_for_refetch(working_set& set, core::customer_state* state,
                              const mirror_context& context, std::string_view name,
                              std::string_view id,
                              const std::optional<store::object_record>& before,
                              std::string_view why) {
  if (before && !before->at.suspect) {
    std::string row_key = key::object(context.scope, name, id);
    set.expect_prefix(family::objects, row_key, store::version_prefix(before->version));
    store::object_record marked = *before;
    marked.version += 1;
    marked.at.suspect = true;
    set.put(family::objects, std::move(row_key), store::encode(marked));
  }
  std::string mark_key = key::refetch(context.scope, name, id);
  auto already = set.get(family::meta, mark_key);
  if (!already) return std::unexpected(already.error());
  if (!*already) {
    set.put(family::meta, std::move(mark_key),
            store::encode(store::refetch_record{std::string(why), context.now_ms, 0}));
  }
  if (state != nullptr) core::mark_suspect(*state, name, id, true);
  return {};
}

void clear_refetch(working_set& set, core::customer_state* state, const mirror_context& context,
                   std::string_view name, std::string_view id) {
  set.erase(family::meta, key::refetch(context.scope, name, id));
  if (state != nullptr) core::mark_suspect(*state, name, id, false);
}

result<void> write_customer(working_set& set, const core::customer_state& before,
                            const core::customer_state& after, const mirror_context& context) {
  if (before == after) return {};
  if (before.user_id != after.user_id) {
    if (!before.user_id.empty()) {
      set.erase(family::customers, key::user_link(context.scope, before.user_id, after.id));
    }
    if (!after.user_id.empty()) {
      set.put(family::customers, key::user_link(context.scope, after.user_id, after.id), "");
    }
  }
  set.put(family::customers, key::customer_state(context.scope, after.id), core::to_json(after));
  return {};
}

bool in_other_version(const stripe::event& e, const mirror_rules& rules) {
  return !e.api_version.empty() && !rules.api_version.empty() && e.api_version != rules.api_version;
}

// Why the event's document is not to be stored, though the event has happened; empty: it may be.
std::string_view why_not_stored(const stripe::event& e, const mirror_rules& rules) {
  if (e.thin) return "thin event";
  if (!rules.can_refetch) return {};
  if (in_other_version(e, rules)) return "other API version";
  return core::doubt_of(e.object_json, e.previous_json);
}

// An event whose document does not count has none: its second stays in doubt.
core::event_fact fact_of(const stripe::event& e, const mirror_rules& rules) {
  core::event_fact fact{e.id, e.type, e.created_s, e.object_name, e.object_json, e.previous_json};
  if (!core::is_deletion(e.type, e.object_name) && !why_not_stored(e, rules).empty()) {
    fact.object = {};
    fact.previous = {};
  }
  return fact;
}

core::held held_of(const store::object_record& r) {
  return {r.at, r.document};
}

// The stored events of one object in a span of seconds, and those about to be stored.
class peer_events {
 public:
  result<void> load(const working_set& set, const store::scope& scope, std::string_view name,
                    std::string_view id, std::int64_t lo_s, std::int64_t hi_s,
                    std::string_view except, const mirror_rules& rules);
  std::span<const core::event_fact> facts() const { return facts_; }

 private:
  void add(std::shared_ptr<const stripe::event> event, const mirror_rules& rules) {
    facts_.push_back(fact_of(*event, rules));
    events_.push_back(std::move(event));
  }
  std::vector<std::shared_ptr<const stripe::event>> events_;
  std::vector<core::event_fact> facts_;
};

result<void> peer_events::load(const working_set& set, const store::scope& scope,
                               std::string_view name, std::string_view id, std::int64_t lo_s,
                               std::int64_t hi_s, std::string_view except,
                               const mirror_rules& rules) {
  const std::string prefix = key::events_of(scope, name, id);
  store::scan_range range{family::index, prefix, key::event_of(scope, name, id, lo_s, ""), false};
  const std::string end = key::event_of(scope, name, id, hi_s + 1, "");
  // An empty id still ends in NUL, which sorts before every real id of that second.
  std::vector<std::string> rows;
  auto scanned = set.base().scan(range, [&](std::string_view row_key, std::string_view) {
    if (row_key >= end || rows.size() >= most_peers) return false;
    if (const auto event_id = key::last_text(row_key); event_id && *event_id != except) {
      rows.push_back(key::event(scope, *event_id));
    }
    return true;
  });
  if (!scanned) return scanned;
  auto found = set.base().multi_get(family::events, rows);
  if (!found) return std::unexpected(found.error());
  for (const auto& row : *found) {
    if (!row) continue;
    auto record = store::decode_event(*row);
    if (!record) return std::unexpected(record.error());
    auto event = stripe::parse_event(std::move(record->raw));
    if (event) add(std::move(*event), rules);
  }
  for (auto& event : set.noted()) {
    if (event->id == except || event->object_name != name || event->object_id != id) continue;
    if (event->created_s >= lo_s && event->created_s <= hi_s) {
      add(std::move(event), rules);
    }
  }
  return {};
}

store::event_status status_of(event_end end) {
  switch (end) {
    case event_end::applied:
      return store::event_status::applied;
    case event_end::refetch:
      return store::event_status::refetch;
    case event_end::failed:
      return store::event_status::failed;
    case event_end::ignored:
    case event_end::duplicate:
    case event_end::unavailable:
      return store::event_status::ignored;
  }
  return store::event_status::ignored;
}

result<mirrored> refetch_event(working_set& set, core::customer_state* state,
                               const mirror_context& context, const stripe::event& e,
                               const std::optional<store::object_record>& before, bool tie,
                               std::string_view why) {
  auto marked = mark_for_refetch(set, state, context, e.object_name, e.object_id, before, why);
  if (!marked) return std::unexpected(marked.error());
  return mirrored{event_end::refetch, std::string(why),
                  refetch_target{e.object_name, e.object_id, tie}};
}

// A card of the time before payment methods is listed among them, without an event of theirs.
void end_marks(working_set& set, const mirror_context& context, const stripe::event& e) {
  if (!e.type.starts_with("customer.source.") || e.owner_customer.empty()) return;
  store::batch ended;
  collections::end_mark(ended, context.scope, "payment_method", e.owner_customer, e.id);
  for (const auto& change : ended.changes())
    set.put(change.in, change.key, change.value);
}

// What the event means for its object. Errors of code invalid are the event's own fault.
result<mirrored> change_object(working_set& set, core::customer_state* state,
                               const mirror_context& context, const stripe::event& e) {
  if (e.object_id.empty()) return mirrored{event_end::ignored, "its object has no id", {}};
  auto before = load_object(set, key::object(context.scope, e.object_name, e.object_id));
  if (!before) return std::unexpected(before.error());
  const bool deletion = core::is_deletion(e.type, e.object_name);
  const bool past = *before && e.created_s < (*before)->at.lo;
  if (e.thin || (!deletion && !past)) {
    if (const auto why = why_not_stored(e, context.rules); !why.empty()) {
      return refetch_event(set, state, context, e, *before, false, why);
    }
  }
  const core::event_fact fact = fact_of(e, context.rules);
  std::optional<core::held> current;
  if (*before) current = held_of(**before);
  peer_events peers;
  if (core::contested(current, fact)) {
    auto loaded = peers.load(set, context.scope, e.object_name, e.object_id, current->at.lo,
                             current->at.hi, e.id, context.rules);
    if (!loaded) return std::unexpected(loaded.error());
  }
  core::verdict verdict = core::decide(current, fact, peers.facts());
  if (verdict.what == core::action::refetch && !context.rules.can_refetch) {
    verdict.what = verdict.document.empty() ? core::action::ignore : core::action::replace;
  }
  switch (verdict.what) {
    case core::action::ignore:
      return mirrored{event_end::ignored, std::string(verdict.why), {}};
    case core::action::refetch: {
      if (!verdict.document.empty()) {
        auto written =
            write_object(set, state, context, e.object_name, e.object_id, *before, verdict, e.id);
        if (!written) return std::unexpected(written.error());
        before = load_object(set, key::object(context.scope, e.object_name, e.object_id));
        if (!before) return std::unexpected(before.error());
      }
      return refetch_event(set, state, context, e, *before, true, verdict.why);
    }
    case core::action::replace:
      break;
  }
  auto written =
      write_object(set, state, context, e.object_name, e.object_id, *before, verdict, e.id);
  if (!written) return std::unexpected(written.error());
  const bool settled = (*before) && (*before)->at.suspect && !verdict.at.suspect;
  if (settled) clear_refetch(set, state, context, e.object_name, e.object_id);
  return mirrored{event_end::applied, std::string(verdict.why), {}};
}

void write_event_rows(working_set& set, const mirror_context& context,
                      const incoming_event& incoming, const mirrored& became, int tries,
                      bool first_time) {
  const stripe::event& e = *incoming.event;
  store::event_record record;
  record.status = status_of(became.end);
  record.reason = became.why;
  record.received_ms = incoming.received_ms;
  record.endpoint = incoming.endpoint;
  record.tries = tries;
  record.raw = e.raw;
  std::string row_key = key::event(context.scope, e.id);
  if (first_time) set.expect_absent(family::events, row_key);
  set.put(family::events, std::move(row_key), store::encode(record));
  if (first_time) {
    set.put(family::index, key::arrival(context.scope, incoming.received_ms, e.id), "");
    if (!e.object_id.empty()) {
      set.put(family::index,
              key::event_of(context.scope, e.object_name, e.object_id, e.created_s, e.id), "");
    }
  }
  if (record.status == store::event_status::failed) {
    set.put(family::index, key::failure(context.scope, e.id), "");
  } else if (!first_time) {
    set.erase(family::index, key::failure(context.scope, e.id));
  }
}

}  // namespace

result<core::customer_state> load_customer(const store::reader& from, const store::scope& scope,
                                           std::string_view customer_id) {
  auto row = from.get(family::customers, key::customer_state(scope, customer_id));
  if (!row) return std::unexpected(row.error());
  if (*row) return core::customer_state_from_json(**row);
  core::customer_state fresh;
  fresh.id = customer_id;
  return fresh;
}

result<mirrored> mirror_event(working_set& set, core::customer_state* state,
                              const mirror_context& context, const incoming_event& incoming) {
  const stripe::event& e = *incoming.event;
  auto seen = set.get(family::events, key::event(context.scope, e.id));
  if (!seen) return std::unexpected(seen.error());
  int tries = 1;
  if (*seen) {
    auto record = store::decode_event(**seen);
    if (!record) return std::unexpected(record.error());
    // A failed event is tried again whenever Stripe or a person sends it again.
    if (!incoming.again && record->status != store::event_status::failed) {
      return mirrored{event_end::duplicate, "", {}};
    }
    tries = record->tries + 1;
  }
  const core::customer_state before = state ? *state : core::customer_state{};
  working_set change(&set);
  auto became = change_object(change, state, context, e);
  if (became && state != nullptr) {
    if (auto ok = write_customer(change, before, *state, context); !ok) {
      became = std::unexpected(ok.error());
    }
  }
  if (became) {
    set.take(std::move(change));
  } else {
    if (became.error().code != errc::invalid) return std::unexpected(became.error());
    if (state != nullptr) *state = before;
    became = mirrored{event_end::failed, became.error().message, {}};
  }
  write_event_rows(set, context, incoming, *became, tries, !*seen);
  end_marks(set, context, e);
  set.note(incoming.event);
  return became;
}

result<mirrored> mirror_snapshot(working_set& set, core::customer_state* state,
                                 const mirror_context& context, const snapshot& snap) {
  auto before = load_object(set, key::object(context.scope, snap.object_name, snap.object_id));
  if (!before) return std::unexpected(before.error());
  core::snapshot_fact fact;
  fact.lo = snap.lo_s;
  fact.hi = snap.hi_s;
  fact.object_name = snap.object_name;
  fact.object = snap.json;
  fact.deleted = snap.deleted;
  fact.missing = snap.missing;
  fact.refetch = snap.refetch;
  fact.after_held = snap.after_held;
  std::optional<core::held> current;
  if (*before) current = held_of(**before);
  peer_events peers;
  if (core::contested(current, fact)) {
    auto loaded = peers.load(set, context.scope, snap.object_name, snap.object_id,
                             std::min(current->at.lo, fact.lo), std::max(current->at.hi, fact.hi),
                             "", context.rules);
    if (!loaded) return std::unexpected(loaded.error());
  }
  const core::customer_state state_before = state ? *state : core::customer_state{};
  core::verdict verdict = core::decide(current, fact, peers.facts());
  mirrored became{event_end::ignored, std::string(verdict.why), {}};
  working_set change(&set);
  if (verdict.what == core::action::replace || !verdict.document.empty()) {
    auto written = write_object(change, state, context, snap.object_name, snap.object_id, *before,
                                verdict, snap.cause);
    if (!written) return std::unexpected(written.error());
    became.end = event_end::applied;
    before = load_object(change, key::object(context.scope, snap.object_name, snap.object_id));
    if (!before) return std::unexpected(before.error());
  }
  if (verdict.what == core::action::refetch && context.rules.can_refetch) {
    auto marked = mark_for_refetch(change, state, context, snap.object_name, snap.object_id,
                                   *before, verdict.why);
    if (!marked) return std::unexpected(marked.error());
    became.end = event_end::refetch;
    became.refetch =
        refetch_target{std::string(snap.object_name), std::string(snap.object_id), true};
  } else if (!*before || !(*before)->at.suspect) {
    if (snap.refetch) clear_refetch(change, state, context, snap.object_name, snap.object_id);
  }
  if (state != nullptr) {
    if (auto ok = write_customer(change, state_before, *state, context); !ok) {
      return std::unexpected(ok.error());
    }
  }
  set.take(std::move(change));
  return became;
}

result<mirrored> mirror_doubt(working_set& set, core::customer_state* state,
                              const mirror_context& context, std::string_view object_name,
                              std::string_view object_id, std::string_view why) {
  auto before = load_object(set, key::object(context.scope, object_name, object_id));
  if (!before) return std::unexpected(before.error());
  const core::customer_state state_before = state ? *state : core::customer_state{};
  working_set change(&set);
  auto marked = mark_for_refetch(change, state, context, object_name, object_id, *before, why);
  if (!marked) return std::unexpected(marked.error());
  if (state != nullptr) {
    if (auto ok = write_customer(change, state_before, *state, context); !ok) {
      return std::unexpected(ok.error());
    }
  }
  set.take(std::move(change));
  return mirrored{event_end::refetch, std::string(why),
                  refetch_target{std::string(object_name), std::string(object_id), false}};
}

}  // namespace tilld::actors
