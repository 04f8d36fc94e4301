#include "actors/sync.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/form.hpp"

namespace tilld::actors {

namespace {

using sync_ptr = sync_actor::stateful_pointer<sync_state>;

// Doubles with each try, up to a bound.
std::int64_t later(std::int64_t first_ms, int tries, std::int64_t most_ms) {
  return std::min(most_ms, first_ms << std::min(tries, 20));
}

void schedule(sync_ptr self, std::int64_t due_ms) {
  sync_state& me = self->state;
  const std::int64_t now = me.shared->time.mono_ms();
  if (me.tick_at_ms > now && me.tick_at_ms <= due_ms) return;
  me.tick_at_ms = std::max(due_ms, now + 1);
  self->delayed_send(caf::actor_cast<sync_actor>(self),
                     std::chrono::milliseconds(me.tick_at_ms - now), tick{});
}

void ask(sync_ptr self, sync_state::wish& wish) {
  sync_state& me = self->state;
  auto fetch = std::make_shared<fetch_request>();
  fetch->scope = wish.what.scope;
  fetch->call.verb = "GET";
  fetch->call.target = stripe::retrieve_target(wish.what.object_name, wish.what.object_id);
  fetch->call.stripe_account = wish.what.scope.connected();
  fetch->call.in = stripe::lane::repair;
  fetch->is_refetch = true;
  fetch->object_name = wish.what.object_name;
  fetch->object_id = wish.what.object_id;
  wish.asked = true;
  ++wish.tries;
  me.shared->count.refetches.add();
  self->send(me.ingress, take_fetch{std::move(fetch), {}});
}

void on_wish(sync_ptr self, const refetch_wanted& m) {
  sync_state& me = self->state;
  if (me.draining) return;  // the row is there; the next start finds it
  if (stripe::retrieve_target(m.object_name, m.object_id).empty()) {
    log::warning("refetch_impossible", {{"object", m.object_name}, {"id", m.object_id}});
    return;
  }
  const std::string key = store::key::refetch(m.scope, m.object_name, m.object_id);
  auto [at, is_new] = me.wishes.try_emplace(key, sync_state::wish{m});
  if (!is_new) {
    if (at->second.asked) at->second.again = true;
    at->second.what.not_before_ms = std::max(at->second.what.not_before_ms, m.not_before_ms);
  }
  me.shared->count.refetches_waiting.set(static_cast<double>(me.wishes.size()));
  schedule(self, at->second.what.not_before_ms);
}

void on_settled(sync_ptr self, const refetch_settled& m) {
  sync_state& me = self->state;
  const auto at = me.wishes.find(store::key::refetch(m.scope, m.object_name, m.object_id));
  if (at == me.wishes.end()) return;
  sync_state::wish& wish = at->second;
  wish.asked = false;
  if (m.done && !std::exchange(wish.again, false)) {
    me.wishes.erase(at);
  } else {
    if (!m.done) me.shared->count.refetches_failed.add();
    const std::int64_t wait =
        m.done ? bounds::tie_wait_ms
               : later(bounds::refetch_retry_ms, wish.tries - 1, bounds::refetch_retry_most_ms);
    wish.what.not_before_ms = me.shared->time.mono_ms() + wait;
    schedule(self, wish.what.not_before_ms);
  }
  me.shared->count.refetches_waiting.set(static_cast<double>(me.wishes.size()));
}

void on_order(sync_ptr self, const retry_order_later& m) {
  sync_state& me = self->state;
  if (me.draining) return;
  const std::int64_t due =
      me.shared->time.mono_ms() +
      later(bounds::order_retry_ms, m.order->resumed, bounds::order_retry_most_ms);
  me.orders.push_back({m.order, due});
  schedule(self, due);
}

void on_tick(sync_ptr self) {
  sync_state& me = self->state;
  const std::int64_t now = me.shared->time.mono_ms();
  me.tick_at_ms = 0;
  std::int64_t next = 0;
  const auto wait_for = [&](std::int64_t due) { next = next == 0 ? due : std::min(next, due); };
  for (auto& [key, wish] : me.wishes) {
    if (wish.asked) continue;
    if (wish.what.not_before_ms > now) {
      wait_for(wish.what.not_before_ms);
    } else {
      ask(self, wish);
    }
  }
  auto orders = std::exchange(me.orders, {});
  for (auto& waiting : orders) {
    if (waiting.due_ms > now) {
      wait_for(waiting.due_ms);
      me.orders.push_back(std::move(waiting));
    } else {
      // The caller has been answered long ago; what follows is for the record.
      auto order = std::make_shared<order_in_hand>();
      order->scope = waiting.order->scope;
      order->record = waiting.order->record;
      order->resumed = waiting.order->resumed + 1;
      self->send(me.ingress, resume_order{std::move(order)});
    }
  }
  if (next != 0) schedule(self, next);
}

}  // namespace

sync_actor::behavior_type sync(sync_ptr self, const context* shared) {
  self->state.shared = shared;
  return {
      [self](const refetch_wanted& m) { on_wish(self, m); },
      [self](const refetch_settled& m) { on_settled(self, m); },
      [self](const retry_order_later& m) { on_order(self, m); },
      [self](const meet_ingress& m) { self->state.ingress = m.ingress; },
      [self](tick) {
        if (!self->state.draining) on_tick(self);
      },
      [self](drain) { self->state.draining = true; },
  };
}

}  // namespace tilld::actors
