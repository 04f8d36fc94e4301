#include "core/gateway_plan.hpp"

#include <algorithm>
#include <cassert>

#include "core/backoff.hpp"

namespace tilld::core {

namespace {

constexpr auto check_lane = static_cast<std::size_t>(stripe::lane::check);

std::int64_t thousandths(double value) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(value * 1000));
}

adaptive_limit::bounds bounds_of(double ceiling, double floor, double recovers_in_s) {
  const std::int64_t most = thousandths(ceiling);
  return {most, std::min(most, thousandths(floor)),
          thousandths(ceiling / std::max(recovers_in_s, 1.0))};
}

std::size_t lane_of(const stripe::call& call) {
  return std::min(static_cast<std::size_t>(call.in), stripe::lane_count - 1);
}

std::size_t size_of(const stripe::call& call) {
  return call.target.size() + call.body.size() + call.idempotency_key.size();
}

int whole(const adaptive_limit& width) {
  return static_cast<int>(width.value() / 1000);
}

}  // namespace

gateway_plan::gateway_plan(gateway_limits limits, std::uint64_t seed)
    : limits_(limits),
      chance_(seed),
      reads_(bounds_of(limits.read_per_s, limits.slowest_per_s, limits.rate_recovers_in_s),
             limits.burst),
      writes_(bounds_of(limits.write_per_s, limits.slowest_per_s, limits.rate_recovers_in_s),
              limits.burst),
      width_(bounds_of(std::max(1, limits.most_in_flight), 1, limits.width_recovers_in_s)),
      breaker_(limits.breaking) {}

// -- what happens -----------------------------------------------------------------------------

actions gateway_plan::submit(ticket id, stripe::call call, std::int64_t now_ms) {
  return submit(id, std::make_shared<const stripe::call>(std::move(call)), now_ms);
}

actions gateway_plan::submit(ticket id, std::shared_ptr<const stripe::call> call,
                             std::int64_t now_ms) {
  advance(now_ms);
  actions out;
  assert(call && !calls_.contains(id));
  ++counts_.submitted;
  const std::size_t lane = lane_of(*call);
  const bool full = queued_[lane] >= limits_.most_queued ||
                    queued_bytes_ + size_of(*call) > limits_.most_queued_bytes;
  if (draining_ || full) {
    ++counts_.not_sent;
    stripe::outcome refused;
    refused.why = draining_ ? "shutting down" : "the queue is full";
    out.deliver.push_back({id, std::move(refused)});
    return settle(std::move(out));
  }
  entry e;
  e.at = &endpoint_for(*call);
  e.age = next_age_++;
  e.give_up_ms = now_ms_ + std::max<std::int64_t>(0, call->give_up_after_ms);
  e.call = std::move(call);
  ++e.at->calls;
  enqueue(id, calls_.emplace(id, std::move(e)).first->second);
  return settle(std::move(out));
}

actions gateway_plan::answered(ticket id, try_answer answer, std::int64_t now_ms) {
  advance(now_ms);
  actions out;
  entry* e = land(id);
  if (e == nullptr) return settle(std::move(out));
  if (answer.status >= 500 && answer.status != 501) {  // what it has not got is no outage
    breaker_.failed(e->era, now_ms_, chance_);
  } else {
    breaker_.succeeded(e->era);
  }
  if (answer.status == 429) throttle(*e, answer);
  take_answer(id, *e, std::move(answer), out);
  return settle(std::move(out));
}

void gateway_plan::take_answer(ticket id, entry& e, try_answer answer, actions& out) {
  const bool hides = may_hide_effect(answer.status, answer.body);
  const bool crowded = answer.status == 409 || answer.status == 429;
  bool again = worth_retrying(answer.status, answer.header("stripe-should-retry"));
  if (again && !crowded) again = ++e.error_tries < limits_.most_error_tries;
  if (again && hides) again = is_repeatable(*e.call);
  stripe::outcome said = read_answer(answer);
  const auto not_before_ms =
      now_ms_ + parse_retry_after(answer.header("retry-after"), said.date_s).value_or(0);
  e.maybe_sent = true;
  said.end = end_of(*e.call, said.status, said.body, e.maybe_done);
  if (e.maybe_done && said.status == 404) said.why = "an earlier try may have done it";
  e.maybe_done = e.maybe_done || hides;
  e.last = std::move(said);
  e.why = "Stripe answered " + std::to_string(e.last->status);
  if (again) {
    try_again_or_end(id, e, not_before_ms, out);
  } else {
    finish(id, last_word(e, ""), out);
  }
}

actions gateway_plan::failed(ticket id, bool maybe_sent, std::string why, std::int64_t now_ms) {
  advance(now_ms);
  actions out;
  entry* e = land(id);
  if (e == nullptr) return settle(std::move(out));
  breaker_.failed(e->era, now_ms_, chance_);
  e->why = std::move(why);
  if (maybe_sent) {
    e->maybe_sent = true;
    e->maybe_done = true;
    e->last.reset();
  }
  if (maybe_sent && !is_repeatable(*e->call)) {
    finish(id, last_word(*e, ""), out);
  } else {
    try_again_or_end(id, *e, now_ms_, out);
  }
  return settle(std::move(out));
}

actions gateway_plan::refused(ticket id, std::string why, std::int64_t now_ms) {
  advance(now_ms);
  actions out;
  entry* e = land(id);
  if (e == nullptr) return settle(std::move(out));
  breaker_.told_nothing(e->era);
  e->why = std::move(why);
  finish(id, last_word(*e, ""), out);
  return settle(std::move(out));
}

actions gateway_plan::tick(std::int64_t now_ms) {
  advance(now_ms);
  return settle({});
}

actions gateway_plan::drain(std::int64_t now_ms) {
  advance(now_ms);
  draining_ = true;
  actions out;
  for (const ticket id : waiting_tickets([](const entry&) { return true; })) {
    entry& e = calls_.at(id);
    leave_queue(id, e);
    finish(id, last_word(e, "shutting down"), out);
  }
  return settle(std::move(out));
}

actions gateway_plan::cancel_all(std::int64_t now_ms) {
  actions out = drain(now_ms);
  std::vector<ticket> in_flight;
  for (const auto& [id, e] : calls_)
    in_flight.push_back(id);
  std::ranges::sort(in_flight);
  for (const ticket id : in_flight) {
    entry& e = *land(id);
    e.maybe_sent = true;
    e.last.reset();
    e.why.clear();
    finish(id, last_word(e, "shutting down"), out);
  }
  out.wake_at_ms.reset();
  return out;
}

// -- what follows -----------------------------------------------------------------------------

void gateway_plan::advance(std::int64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  reads_.advance(now_ms_);
  writes_.advance(now_ms_);
  width_.advance(now_ms_);
  for (auto& [name, at] : endpoints_) {
    at.width.advance(now_ms_);
    at.rate.advance(now_ms_);
  }
}

actions gateway_plan::settle(actions out) {
  wake_sleepers();
  give_up_late(out);
  send_what_may_go(out);
  refuse_checks(out);
  out.wake_at_ms = next_wake();
  return out;
}

void gateway_plan::wake_sleepers() {
  while (!sleeping_.empty() && sleeping_.begin()->first <= now_ms_) {
    const ticket id = sleeping_.begin()->second;
    entry& e = calls_.at(id);
    leave_queue(id, e);
    enqueue(id, e);
  }
}

void gateway_plan::give_up_late(actions& out) {
  while (!give_ups_.empty() && give_ups_.begin()->first < now_ms_) {
    const ticket id = give_ups_.begin()->second;
    entry& e = calls_.at(id);
    leave_queue(id, e);
    finish(id, last_word(e, "its time ran out in the queue"), out);
  }
}

void gateway_plan::refuse_checks(actions& out) {
  if (queued_[check_lane] == 0 || breaker_.allows(now_ms_)) return;
  const auto is_check = [](const entry& e) { return lane_of(*e.call) == check_lane; };
  for (const ticket id : waiting_tickets(is_check)) {
    entry& e = calls_.at(id);
    leave_queue(id, e);
    finish(id, last_word(e, "Stripe is not answering; try again in a moment"), out);
  }
}

void gateway_plan::send_what_may_go(actions& out) {
  while (const auto c = next_choice())
    grant(*c, out);
}

bool gateway_plan::may_go(const endpoint& at) const {
  return at.waiting_count > 0 && at.in_flight < whole(at.width) && at.rate.has_token() &&
         bucket_of(at).has_token();
}

std::optional<gateway_plan::choice> gateway_plan::next_choice() {
  if (in_flight_ >= whole(width_) || !breaker_.allows(now_ms_)) return std::nullopt;
  std::array<endpoint*, stripe::lane_count> oldest{};
  lane_turns::lanes ready{};
  for (auto& [name, at] : endpoints_) {
    if (!may_go(at)) continue;
    for (std::size_t lane = 0; lane < oldest.size(); ++lane) {
      if (at.waiting[lane].empty()) continue;
      const bool older = oldest[lane] == nullptr || at.waiting[lane].begin()->first <
                                                        oldest[lane]->waiting[lane].begin()->first;
      if (older) oldest[lane] = &at;
      ready[lane] = true;
    }
  }
  const auto lane = turns_.next(ready);
  if (!lane) return std::nullopt;
  choice c{oldest[*lane], *lane, ready, {}};
  for (std::size_t i = 0; i < c.ready_here.size(); ++i) {
    c.ready_here[i] = !c.at->waiting[i].empty();
  }
  if (!turns_.due(ready)) {
    const auto due_here = c.at->turns.due(c.ready_here);
    if (due_here && *due_here > c.lane) c.lane = *due_here;
  }
  return c;
}

void gateway_plan::grant(const choice& c, actions& out) {
  const ticket id = c.at->waiting[c.lane].begin()->second;
  entry& e = calls_.at(id);
  leave_queue(id, e);
  turns_.went(c.lane, c.ready);
  c.at->turns.went(c.lane, c.ready_here);
  bucket_of(*c.at).take();
  c.at->rate.take();
  ++c.at->in_flight;
  ++in_flight_;
  ++counts_.tries;
  if (++e.tries > 1) ++counts_.retries;
  e.where = place::in_flight;
  e.sent_ms = now_ms_;
  e.era = breaker_.leave();
  out.send.push_back({id, e.call, e.tries});
}

gateway_plan::entry* gateway_plan::land(ticket id) {
  const auto found = calls_.find(id);
  if (found == calls_.end() || found->second.where != place::in_flight) return nullptr;
  --found->second.at->in_flight;
  --in_flight_;
  return &found->second;
}

void gateway_plan::throttle(const entry& e, const try_answer& answer) {
  ++counts_.throttled;
  const std::string_view reason = answer.header("stripe-rate-limited-reason");
  const bool one_object =
      reason == "resource-specific" || answer.body.find("lock_timeout") != std::string::npos;
  if (one_object) return;
  if (reason == "global-concurrency") {
    width_.cut(e.sent_ms, now_ms_);
  } else if (reason == "endpoint-concurrency") {
    e.at->width.cut(e.sent_ms, now_ms_);
  } else if (reason == "endpoint-rate") {
    e.at->rate.cut(e.sent_ms, now_ms_);
  } else {
    bucket_of(*e.at).cut(e.sent_ms, now_ms_);
  }
}

void gateway_plan::try_again_or_end(ticket id, entry& e, std::int64_t not_before_ms, actions& out) {
  const std::int64_t bound =
      backoff_bound_ms(e.tries, limits_.backoff_base_ms, limits_.backoff_cap_ms);
  const std::int64_t due_ms = std::max(not_before_ms, now_ms_ + full_jitter_ms(bound, chance_));
  if (draining_ || due_ms > e.give_up_ms) {
    finish(id, last_word(e, draining_ ? "shutting down" : "its time ran out"), out);
    return;
  }
  e.where = place::sleeping;
  e.due_ms = due_ms;
  sleeping_.emplace(due_ms, id);
  count_in(id, e);
}

void gateway_plan::finish(ticket id, stripe::outcome end, actions& out) {
  switch (end.end) {
    case stripe::call_end::answered:
      ++counts_.answered;
      break;
    case stripe::call_end::not_sent:
      ++counts_.not_sent;
      break;
    case stripe::call_end::unknown:
      ++counts_.unknown;
      break;
  }
  --calls_.at(id).at->calls;
  calls_.erase(id);
  out.deliver.push_back({id, std::move(end)});
}

stripe::outcome gateway_plan::last_word(entry& e, std::string_view reason) {
  stripe::outcome out;
  if (e.last) out = std::move(*e.last);
  out.attempts = e.tries;
  if (!e.maybe_sent) {
    out.end = stripe::call_end::not_sent;
  } else if (!e.last) {
    out.end = stripe::call_end::unknown;
  }
  if (out.end == stripe::call_end::answered) return out;
  out.why = std::string(reason);
  if (!e.why.empty()) out.why += out.why.empty() ? e.why : " after: " + e.why;
  return out;
}

// -- queues and endpoints ---------------------------------------------------------------------

void gateway_plan::enqueue(ticket id, entry& e) {
  e.where = place::waiting;
  e.at->waiting[lane_of(*e.call)].emplace(e.age, id);
  ++e.at->waiting_count;
  count_in(id, e);
}

void gateway_plan::count_in(ticket id, const entry& e) {
  give_ups_.emplace(e.give_up_ms, id);
  ++queued_[lane_of(*e.call)];
  queued_bytes_ += size_of(*e.call);
}

void gateway_plan::leave_queue(ticket id, entry& e) {
  if (e.where == place::sleeping) {
    sleeping_.erase({e.due_ms, id});
  } else {
    e.at->waiting[lane_of(*e.call)].erase(e.age);
    --e.at->waiting_count;
  }
  give_ups_.erase({e.give_up_ms, id});
  --queued_[lane_of(*e.call)];
  queued_bytes_ -= size_of(*e.call);
}

std::vector<ticket> gateway_plan::waiting_tickets(bool (*wanted)(const entry&)) const {
  std::vector<std::pair<std::uint64_t, ticket>> found;
  for (const auto& [when, id] : give_ups_) {
    const entry& e = calls_.at(id);
    if (wanted(e)) found.emplace_back(e.age, id);
  }
  std::ranges::sort(found);
  std::vector<ticket> out;
  for (const auto& [age, id] : found)
    out.push_back(id);
  return out;
}

gateway_plan::endpoint& gateway_plan::endpoint_for(const stripe::call& call) {
  std::string name = endpoint_of(call);
  const bool is_read = call.verb == "GET" || call.verb == "HEAD";
  const char* const others = is_read ? "all other reads" : "all other writes";
  auto found = endpoints_.find(name);
  if (found != endpoints_.end()) return found->second;
  // While the shared budget is in use, this name may be in it: only when it is as good as new may
  // the name have a budget of its own.
  if (endpoints_.size() >= limits_.most_endpoints || endpoints_.contains(others)) {
    forget_idle_endpoints();
    if (endpoints_.size() >= limits_.most_endpoints || endpoints_.contains(others)) name = others;
  }
  found = endpoints_.find(name);
  if (found != endpoints_.end()) return found->second;
  endpoint at;
  at.is_read = is_read;
  at.width = adaptive_limit(
      bounds_of(std::max(1, limits_.most_in_flight_endpoint), 1, limits_.width_recovers_in_s));
  at.rate = token_bucket(
      bounds_of(limits_.endpoint_per_s, limits_.slowest_per_s, limits_.rate_recovers_in_s),
      limits_.burst);
  at.width.advance(now_ms_);
  at.rate.advance(now_ms_);
  return endpoints_.emplace(std::move(name), std::move(at)).first->second;
}

void gateway_plan::forget_idle_endpoints() {
  std::erase_if(endpoints_, [](const auto& named) {
    const endpoint& at = named.second;
    return at.calls == 0 && at.rate.is_full() && at.width.value() == at.width.ceiling();
  });
}

// -- when to wake -----------------------------------------------------------------------------

std::optional<std::int64_t> gateway_plan::next_wake() const {
  std::optional<std::int64_t> at;
  const auto or_at = [&](std::int64_t when) { at = at ? std::min(*at, when) : when; };
  if (!sleeping_.empty()) or_at(sleeping_.begin()->first);
  if (!give_ups_.empty()) or_at(give_ups_.begin()->first + 1);
  for (const auto& [name, here] : endpoints_) {
    if (const auto when = opens_at(here)) or_at(*when);
  }
  if (at) at = std::max(*at, now_ms_ + 1);
  return at;
}

// When something that waits here may go if no try ends before; nullopt when only that can help.
std::optional<std::int64_t> gateway_plan::opens_at(const endpoint& at) const {
  if (at.waiting_count == 0) return std::nullopt;
  const bool probe_is_out =
      breaker_.at(now_ms_) == breaker::position::half_open && !breaker_.allows(now_ms_);
  if (probe_is_out || in_flight_ * 1000 >= width_.ceiling() ||
      at.in_flight * 1000 >= at.width.ceiling()) {
    return std::nullopt;
  }
  return std::max({breaker_.opens_until_ms(), at.rate.token_at(now_ms_),
                   bucket_of(at).token_at(now_ms_),
                   width_.reaches_at((in_flight_ + 1) * 1000, now_ms_),
                   at.width.reaches_at((at.in_flight + 1) * 1000, now_ms_)});
}

}  // namespace tilld::core
