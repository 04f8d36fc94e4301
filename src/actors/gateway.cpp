#include "actors/gateway.hpp"

#include <chrono>
#include <utility>

#include "base/bytes.hpp"
#include "base/log.hpp"

namespace tilld::actors {

namespace {

using gateway_ptr = gateway_actor::stateful_pointer<gateway_state>;

// Stripe's own libraries wait this long for one try.
constexpr std::int64_t try_deadline_ms = 80'000;

net::request request_of(const gateway_settings& settings, const stripe::call& call) {
  net::request r;
  r.verb = call.verb;
  r.url = settings.api_url + call.target;
  r.body = call.body;
  r.deadline_ms = try_deadline_ms;
  r.headers = {{"Authorization", "Bearer " + settings.api_key}, {"Accept", "application/json"}};
  const std::string& version = call.api_version.empty() ? settings.api_version : call.api_version;
  if (!version.empty()) r.headers.emplace_back("Stripe-Version", version);
  if (!call.stripe_account.empty()) r.headers.emplace_back("Stripe-Account", call.stripe_account);
  if (call.verb != "GET") {
    r.headers.emplace_back("Content-Type", call.content_type);
    if (!call.idempotency_key.empty()) {
      r.headers.emplace_back("Idempotency-Key", call.idempotency_key);
    }
  }
  return r;
}

void perform(gateway_ptr self, core::actions todo);

void start_try(gateway_ptr self, const core::to_send& next) {
  gateway_state& me = self->state;
  if (next.attempt > 1) {
    log::info("stripe_retry", {{"verb", next.what->verb},
                               {"target", core::endpoint_of(*next.what)},
                               {"attempt", next.attempt}});
  }
  me.way_out(request_of(me.settings, *next.what), [to = caf::actor_cast<gateway_actor>(self),
                                                   id = next.id](net::outcome outcome) {
    caf::anon_send(to, transport_done{id, std::make_shared<net::outcome>(std::move(outcome))});
  });
}

void deliver(gateway_state& me, core::to_deliver done) {
  const auto at = me.waiting.find(done.id);
  if (at == me.waiting.end()) return;
  once<stripe::outcome> answer = std::move(at->second);
  me.waiting.erase(at);
  answer(std::move(done.end));
}

void wake_at(gateway_ptr self, std::int64_t due_ms) {
  gateway_state& me = self->state;
  const std::int64_t now = me.shared->time.mono_ms();
  if (me.tick_at_ms > now && me.tick_at_ms <= due_ms) return;
  me.tick_at_ms = std::max(due_ms, now + 1);
  self->delayed_send(caf::actor_cast<gateway_actor>(self),
                     std::chrono::milliseconds(me.tick_at_ms - now), tick{});
}

void perform(gateway_ptr self, core::actions todo) {
  gateway_state& me = self->state;
  for (const auto& next : todo.send)
    start_try(self, next);
  for (auto& done : todo.deliver)
    deliver(me, std::move(done));
  if (todo.wake_at_ms) wake_at(self, *todo.wake_at_ms);
  auto status = me.plan->status(me.shared->time.mono_ms());
  const std::lock_guard lock(me.board->mutex);
  me.board->status = std::move(status);
}

void on_submit(gateway_ptr self, const submit_call& m) {
  gateway_state& me = self->state;
  const core::ticket id = me.next_ticket++;
  me.waiting.emplace(id, m.answer);
  perform(self, me.plan->submit(id, m.call, me.shared->time.mono_ms()));
}

void on_done(gateway_ptr self, const transport_done& m) {
  gateway_state& me = self->state;
  const std::int64_t now = me.shared->time.mono_ms();
  net::outcome& outcome = *m.outcome;
  if (!outcome && outcome.error().refused) {
    perform(self, me.plan->refused(m.ticket, std::move(outcome.error().message), now));
    return;
  }
  if (!outcome) {
    perform(self, me.plan->failed(m.ticket, outcome.error().maybe_sent,
                                  std::move(outcome.error().message), now));
    return;
  }
  perform(self, me.plan->answered(m.ticket,
                                  {outcome->status, std::move(outcome->headers),
                                   std::move(outcome->body), outcome->took_ms},
                                  now));
}

}  // namespace

gateway_actor::behavior_type gateway(gateway_ptr self, const context* shared,
                                     gateway_settings settings, transport way_out,
                                     std::shared_ptr<gateway_board> board) {
  gateway_state& me = self->state;
  me.shared = shared;
  me.settings = std::move(settings);
  me.way_out = std::move(way_out);
  me.board = std::move(board);
  me.plan.emplace(me.settings.limits, read_be64(random_bytes(8).data()));
  return {
      [self](const submit_call& m) { on_submit(self, m); },
      [self](const transport_done& m) { on_done(self, m); },
      [self](tick) {
        self->state.tick_at_ms = 0;
        perform(self, self->state.plan->tick(self->state.shared->time.mono_ms()));
      },
      [self](drain) { perform(self, self->state.plan->drain(self->state.shared->time.mono_ms())); },
  };
}

}  // namespace tilld::actors
