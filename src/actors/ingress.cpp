#include "actors/ingress.hpp"

#include <atomic>
#include <chrono>
#include <utility>

#include "actors/outbox.hpp"
#include "actors/ownership.hpp"
#include "base/log.hpp"
#include "stripe/collapse.hpp"
#include "stripe/json_scan.hpp"

namespace tilld::actors {

namespace {

using ingress_ptr = ingress_actor::stateful_pointer<ingress_state>;

std::string owner_key(const store::scope& scope, std::string_view customer) {
  return scope.bytes() + std::string(customer);
}

// Invalid when there is no Stripe key for it.
gateway_actor gateway_of(const ingress_state& me, const store::scope& scope) {
  const auto at = me.gateways.find(scope.platform().bytes());
  return at == me.gateways.end() ? gateway_actor{} : at->second;
}

ingress_state::entry& spawn_owner(ingress_ptr self, const std::string& key,
                                  const store::scope& scope, const std::string& customer) {
  ingress_state& me = self->state;
  ingress_state::entry made;
  owner_links links = me.links;
  links.gateway = gateway_of(me, scope);
  links.ingress = caf::actor_cast<ingress_actor>(self);
  made.actor = self->spawn(owner, me.shared, std::move(links), key, scope, customer);
  auto [at, is_new] = me.owners.emplace(key, std::move(made));
  at->second.place = me.by_use.end();
  if (!customer.empty()) at->second.place = me.by_use.insert(me.by_use.end(), key);
  me.shared->count.owners.set(static_cast<double>(me.owners.size()));
  return at->second;
}

ingress_state::entry& owner_entry(ingress_ptr self, const store::scope& scope,
                                  const std::string& customer) {
  ingress_state& me = self->state;
  const std::string key = owner_key(scope, customer);
  auto at = me.owners.find(key);
  auto& found = at != me.owners.end() ? at->second : spawn_owner(self, key, scope, customer);
  found.last_used_ms = me.shared->time.mono_ms();
  if (found.place != me.by_use.end()) {
    me.by_use.splice(me.by_use.end(), me.by_use, found.place);
  }
  return found;
}

template <class Message>
void tell(ingress_ptr self, const store::scope& scope, const std::string& customer,
          Message message) {
  auto& entry = owner_entry(self, scope, customer);
  ++entry.sent;
  self->send(entry.actor, std::move(message));
}

// Twice the wanted number in memory means that none of them is idle: that is overload.
bool overloaded(const ingress_state& me) {
  return me.owners.size() > 2 * me.shared->most_owners;
}

void on_event(ingress_ptr self, const take_event& m) {
  ingress_state& me = self->state;
  if (me.draining || overloaded(me)) {
    m.answer(
        {event_end::unavailable, me.draining ? "shutting down" : "too many customers at once"});
    return;
  }
  me.under_way.event_came(m.event->scope, m.event->event->object_id);
  tell(self, m.event->scope, m.event->event->owner_customer, apply_event{m});
}

void on_order(ingress_ptr self, const take_order& m) {
  ingress_state& me = self->state;
  if (me.draining || overloaded(me)) {
    m.answer(refuse_order(503, "api_error", "shutting_down",
                          "tilld is shutting down; the order was not sent."));
  } else if (!gateway_of(me, m.order->scope)) {
    m.answer(refuse_order(503, "api_error", "no_stripe_key",
                          "No Stripe key is configured, so nothing can be ordered: set "
                          "secret_key_file of the account."));
  } else {
    tell(self, m.order->scope, m.order->owner, place_order{m});
  }
}

void on_fetch(ingress_ptr self, const take_fetch& m) {
  ingress_state& me = self->state;
  const gateway_actor gateway = gateway_of(me, m.fetch->scope);
  if (me.draining || !gateway) {
    const char* why = me.draining ? "tilld is shutting down."
                                  : "Not in the mirror, and no Stripe key is configured to ask.";
    m.answer({503, refuse_order(503, "api_error", "unavailable", why).body, ""});
    return;
  }
  if (me.under_way.join(*m.fetch, m.answer)) return;
  auto in_hand = std::make_shared<snapshot_in_hand>();
  in_hand->request = *m.fetch;
  auto opened = me.under_way.open(*m.fetch, m.answer);
  in_hand->joined = opened.ticket;
  in_hand->answer = std::move(opened.to_all);
  ++me.shared->outstanding;
  stripe::outcome lost;
  lost.why = "the gateway is gone";
  once<stripe::outcome> answer(
      [to = caf::actor_cast<ingress_actor>(self), in_hand,
       shared = me.shared](stripe::outcome outcome) {
        in_hand->outcome = std::move(outcome);
        caf::anon_send(to, fetch_came_back{in_hand});
        --shared->outstanding;
      },
      std::move(lost));
  self->send(gateway,
             submit_call{std::make_shared<const stripe::call>(m.fetch->call), std::move(answer)});
}

// Whose actor keeps the object that Stripe answered with.
std::string owner_of_answer(const stripe::outcome& outcome, const std::string& otherwise) {
  if (outcome.end != stripe::call_end::answered || outcome.status >= 300) return otherwise;
  const auto head = stripe::parse_object(outcome.body);
  return head ? head->owner_customer : otherwise;
}

// An object that came with others, on its way to its owner.
void tell_part(ingress_ptr self, const store::scope& scope, stripe::outcome outcome,
               once<fetch_answer> answer) {
  auto part = std::make_shared<snapshot_in_hand>();
  part->request.scope = scope;
  part->request.object_name = stripe::unquoted(stripe::member_of(outcome.body, "object"));
  part->request.object_id = stripe::unquoted(stripe::member_of(outcome.body, "id"));
  part->outcome = std::move(outcome);
  part->answer = std::move(answer);
  const std::string owner = owner_of_answer(part->outcome, "");
  tell(self, scope, owner, apply_snapshot{part});
}

// The objects that an order's answer was asked to show whole. What is repeated may be old, and
// another version has another shape.
void learn_inside(ingress_ptr self, const order_in_hand& order) {
  const stripe::call& call = order.record.call;
  const stripe::outcome& outcome = order.outcome;
  const bool expanded = call.body.find("expand") != std::string::npos;
  const bool fresh = outcome.end == stripe::call_end::answered && outcome.status < 300 &&
                     !outcome.replayed && outcome.attempts == 1 && order.record.attempts == 0;
  const auto& version = self->state.shared->rules.of(order.scope).api_version;
  if (!expanded || !fresh || (!call.api_version.empty() && call.api_version != version)) return;
  auto all = stripe::collapse_all(outcome.body);
  if (!all) return;
  for (auto& object : all->inside) {
    stripe::outcome one = outcome;
    one.body = std::move(object);
    tell_part(self, order.scope, std::move(one), {});
  }
}

void on_order_back(ingress_ptr self, const order_came_back& m) {
  self->state.under_way.order_came_back();
  const store::order_record& record = m.order->record;
  if (!record.owner.empty()) tell(self, m.order->scope, record.owner, order_left{});
  tell(self, m.order->scope, owner_of_answer(m.order->outcome, record.owner),
       settle_order{m.order});
  learn_inside(self, *m.order);
}

// What a page of a list has brought goes to its owners; whoever asked is answered when all of it is
// on disk.
struct learning {
  explicit learning(once<fetch_answer> to) : answer(std::move(to)) {}
  void one_done(bool is_kept) {
    if (!is_kept) kept = false;
    if (--left > 0) return;
    end.kept = kept;
    answer(std::move(end));
  }
  once<fetch_answer> answer;
  fetch_answer end;
  std::atomic<std::size_t> left{1};
  std::atomic<bool> kept{true};
};

void learn(ingress_ptr self, const snapshot_in_hand& page, stripe::list_text list) {
  auto all = std::make_shared<learning>(page.answer);
  all->end = {page.outcome.status, page.outcome.body, page.outcome.request_id};
  all->end.has_more = list.has_more;
  all->left = list.objects.size() + 1;
  const bool expanded = page.request.call.target.find("expand") != std::string::npos;
  for (auto& object : list.objects) {
    if (expanded) object = stripe::collapse(object).value_or(object);
    all->end.last_id = stripe::unquoted(stripe::member_of(object, "id"));
    stripe::outcome one = page.outcome;
    one.body = std::move(object);
    tell_part(self, page.request.scope, std::move(one),
              once<fetch_answer>([all](const fetch_answer& a) { all->one_done(a.kept); }, {}));
  }
  all->one_done(true);
}

void on_fetch_back(ingress_ptr self, const fetch_came_back& m) {
  const fetch_request& asked = m.snapshot->request;
  const stripe::outcome& outcome = m.snapshot->outcome;
  self->state.under_way.came_back(asked, m.snapshot->joined);
  const bool found = outcome.end == stripe::call_end::answered && outcome.status == 200;
  const bool gone = outcome.end == stripe::call_end::answered && outcome.status == 404 &&
                    !asked.object_id.empty();
  if (asked.keep && (found || gone)) {
    const std::string mirrored =
        owner_of_object(self->state.shared->store, asked.scope, asked.object_name, asked.object_id);
    tell(self, asked.scope, owner_of_answer(outcome, mirrored), apply_snapshot{m.snapshot});
    return;
  }
  if (asked.learn && found) {
    if (auto list = stripe::read_list(outcome.body)) return learn(self, *m.snapshot, *list);
  }
  if (asked.is_refetch) {
    self->send(self->state.links.sync,
               refetch_settled{asked.scope, asked.object_name, asked.object_id, false});
  }
  if (outcome.end == stripe::call_end::answered) {
    m.snapshot->answer({outcome.status, outcome.body, outcome.request_id});
    return;
  }
  m.snapshot->answer({503,
                      refuse_order(503, "api_error", "stripe_unreachable",
                                   "Stripe could not be asked: " + outcome.why)
                          .body,
                      ""});
}

void put_away(ingress_ptr self, const owner_is_idle& m) {
  ingress_state& me = self->state;
  const auto at = me.owners.find(m.key);
  if (at == me.owners.end() || at->second.sent != m.taken) return;
  self->send_exit(at->second.actor, caf::exit_reason::normal);
  if (at->second.place != me.by_use.end()) me.by_use.erase(at->second.place);
  me.owners.erase(at);
  me.shared->count.owners.set(static_cast<double>(me.owners.size()));
}

void ask_idle_to_rest(ingress_ptr self) {
  ingress_state& me = self->state;
  const std::int64_t now = me.shared->time.mono_ms();
  std::size_t too_many =
      me.owners.size() > me.shared->most_owners ? me.owners.size() - me.shared->most_owners : 0;
  std::size_t asked = 0;
  for (auto key = me.by_use.begin(); key != me.by_use.end(); ++key) {
    if (asked >= bounds::rests_per_tick + too_many) break;
    auto& entry = me.owners.at(*key);
    if (asked >= too_many && now - entry.last_used_ms < me.shared->owner_idle_ms) break;
    ++entry.sent;
    self->send(entry.actor, rest_if_idle{});
    ++asked;
  }
}

void schedule_tick(ingress_ptr self) {
  self->delayed_send(caf::actor_cast<ingress_actor>(self),
                     std::chrono::milliseconds(bounds::ingress_tick_ms), tick{});
}

}  // namespace

ingress_actor::behavior_type ingress(ingress_ptr self, const context* shared, writer_actor writer,
                                     gateway_table gateways, sync_actor sync) {
  self->state.shared = shared;
  self->state.links.writer = std::move(writer);
  self->state.gateways = std::move(gateways);
  self->state.links.sync = std::move(sync);
  schedule_tick(self);
  return {
      [self](const take_event& m) { on_event(self, m); },
      [self](const take_order& m) { on_order(self, m); },
      [self](const resume_order& m) {
        if (self->state.draining) return;
        tell(self, m.order->scope, m.order->record.owner, send_order_again{m.order});
      },
      [self](const take_fetch& m) { on_fetch(self, m); },
      [self](const order_came_back& m) { on_order_back(self, m); },
      [self](const fetch_came_back& m) { on_fetch_back(self, m); },
      [self](const owner_is_idle& m) { put_away(self, m); },
      [self](tick) {
        ask_idle_to_rest(self);
        self->state.shared->watch.expire(self->state.shared->time.mono_ms());
        if (!self->state.draining) schedule_tick(self);
      },
      [self](drain) { self->state.draining = true; },
  };
}

}  // namespace tilld::actors
