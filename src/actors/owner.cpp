#include "actors/owner.hpp"

#include <algorithm>
#include <utility>

#include "actors/owner_jobs.hpp"
#include "base/log.hpp"

namespace tilld::actors {

namespace {

using owner_ptr = owner_actor::stateful_pointer<owner_state>;

void work(owner_ptr self);

void next_order(owner_ptr self);

// Decides as many waiting facts as share one commit.
std::size_t decide_some(owner_state& me, working_set& set, owner_state::under_way& now) {
  const std::size_t most = me.alone ? 1 : bounds::facts_per_batch;
  std::size_t decided = 0;
  while (!me.jobs.empty() && decided < most) {
    owner_job job = std::move(me.jobs.front());
    me.jobs.pop_front();
    auto after = run_job(me, set, now.next ? &*now.next : nullptr, job);
    now.jobs.push_back(std::move(job));
    now.after.push_back(std::move(after));
    ++decided;
  }
  return decided;
}

void finish(owner_state& me, const error* failed) {
  auto done = std::exchange(me.current, {});
  if (failed == nullptr) me.state = std::move(done.next);
  if (failed != nullptr) me.state.reset();  // read it anew: who knows what is there
  for (auto& after : done.after)
    after(failed);
}

// Somebody else changed an object first: decide again, each fact by itself.
bool decide_again(owner_state& me) {
  for (auto& job : me.current.jobs) {
    if (++job.tries > bounds::tries_per_fact) return false;
  }
  auto again = std::exchange(me.current, {});
  for (auto job = again.jobs.rbegin(); job != again.jobs.rend(); ++job) {
    me.jobs.push_front(std::move(*job));
  }
  me.state.reset();
  me.alone = true;
  return true;
}

void committed(owner_ptr self, const std::optional<error>& failed) {
  owner_state& me = self->state;
  me.committing = false;
  if (failed && failed->code == errc::conflict && decide_again(me)) {
    work(self);
    return;
  }
  finish(me, failed ? &*failed : nullptr);
  if (me.jobs.empty()) me.alone = false;
  if (std::exchange(me.turn_over, false)) next_order(self);
  work(self);
}

bool load_state(owner_state& me) {
  if (me.customer.empty() || me.state) return true;
  auto loaded = load_customer(me.shared->store, me.scope, me.customer);
  if (!loaded) {
    const error why = loaded.error();
    auto jobs = std::exchange(me.jobs, {});
    log::error("customer_unreadable", {{"customer", me.customer}, {"why", why.message}});
    for (auto& job : jobs)
      refuse_job(me, job, why);
    return false;
  }
  me.state = std::move(*loaded);
  return true;
}

void work(owner_ptr self) {
  owner_state& me = self->state;
  while (!me.committing && !me.jobs.empty()) {
    if (!load_state(me)) return;
    working_set set(me.shared->store);
    me.current = {};
    me.current.next = me.state;
    decide_some(me, set, me.current);
    if (set.empty()) {
      finish(me, nullptr);
      if (std::exchange(me.turn_over, false)) next_order(self);
      continue;
    }
    me.committing = true;
    self->request(me.links.writer, caf::infinite, commit_batch{set.release()})
        .then([self](const commit_answer& answer) { committed(self, answer.failed); },
              [self](const caf::error&) {
                committed(self, error{errc::unavailable, "the writer is gone"});
              });
  }
}

void add(owner_ptr self, decltype(owner_job::what) what) {
  self->state.jobs.push_back({std::move(what), 0});
  work(self);
}

// The orders of one customer leave one by one, so that Stripe sees them in the order they came.
void start_order(owner_ptr self, place_order order) {
  owner_state& me = self->state;
  if (me.customer.empty()) return add(self, std::move(order));
  if (!std::exchange(me.order_away, true)) return add(self, std::move(order));
  if (me.orders.size() >= bounds::orders_waiting_per_owner) {
    order.what.answer(
        refuse_order(429, "api_error", "too_many_orders",
                     "Too many orders wait for this customer; send fewer at a time."));
    return;
  }
  me.orders.push_back(std::move(order));
}

void next_order(owner_ptr self) {
  owner_state& me = self->state;
  me.order_away = false;
  if (me.orders.empty()) return;
  place_order next = std::move(me.orders.front());
  me.orders.pop_front();
  start_order(self, std::move(next));
}

// An order whose outcome is unknown: the same key again, unless Stripe may have forgotten the key.
void again(owner_ptr self, const std::shared_ptr<order_in_hand>& order) {
  owner_state& me = self->state;
  order->record.attempts = std::max(order->record.attempts, 1);  // an earlier run may have sent it
  const std::int64_t age_ms = me.shared->time.wall_ms() - order->record.created_ms;
  if (age_ms >= me.shared->order_give_up_ms) {
    order->outcome.end = stripe::call_end::unknown;
    order->outcome.why = "too old to be sent again with the same idempotency key";
    return add(self, settle_order{order});
  }
  if (!me.customer.empty()) me.order_away = true;
  send_order(me, order);
}

bool idle(const owner_state& me) {
  return !me.committing && me.jobs.empty() && me.orders.empty() && !me.order_away;
}

}  // namespace

owner_actor::behavior_type owner(owner_ptr self, const context* shared, owner_links links,
                                 std::string key, store::scope scope, std::string customer) {
  auto& me = self->state;
  me.shared = shared;
  me.links = std::move(links);
  me.key = std::move(key);
  me.scope = std::move(scope);
  me.customer = std::move(customer);
  return {
      [self](const apply_event& m) {
        ++self->state.taken;
        add(self, m);
      },
      [self](const place_order& m) {
        ++self->state.taken;
        start_order(self, m);
      },
      [self](const send_order_again& m) {
        ++self->state.taken;
        again(self, m.order);
      },
      [self](order_left) {
        ++self->state.taken;
        next_order(self);
      },
      [self](const settle_order& m) {
        ++self->state.taken;
        add(self, m);
      },
      [self](const apply_snapshot& m) {
        ++self->state.taken;
        add(self, m);
      },
      [self](rest_if_idle) {
        auto& state = self->state;
        ++state.taken;
        if (idle(state)) self->send(state.links.ingress, owner_is_idle{state.key, state.taken});
      },
  };
}

}  // namespace tilld::actors
