// Drives a gateway plan through virtual time against a server that a test makes up, and holds it to
// what it promises at every single step.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/gateway_plan.hpp"
#include "support/catch.hpp"

namespace tilld::core::test {

// How a try ends, as the server (or the network) has it.
struct reply {
  std::int64_t after_ms = 100;
  int status = 200;  // 0: lost
  bool maybe_sent = true;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body = "{}";
};
inline reply lost(bool maybe_sent, std::int64_t after_ms = 100) {
  return {after_ms, 0, maybe_sent, {}, maybe_sent ? "timed out" : "connection refused"};
}
inline reply says(int status, std::vector<std::pair<std::string, std::string>> headers = {},
                  std::string body = "{}") {
  return {100, status, true, std::move(headers), std::move(body)};
}

struct sending {
  std::int64_t at_ms = 0;
  ticket id = 0;
  int attempt = 0;
  std::shared_ptr<const stripe::call> call;
};

inline stripe::call get(std::string target, stripe::lane in = stripe::lane::repair) {
  stripe::call c;
  c.target = std::move(target);
  c.in = in;
  return c;
}
inline stripe::call post(std::string target, std::string key = "key",
                         stripe::lane in = stripe::lane::order) {
  stripe::call c = get(std::move(target), in);
  c.verb = "POST";
  c.body = "a=b";
  c.idempotency_key = std::move(key);
  return c;
}

class world {
 public:
  using server = std::function<reply(const to_send&, std::int64_t now_ms)>;

  world(gateway_limits limits, server serve, std::uint64_t seed = 1)
      : limits_(limits), serve_(std::move(serve)), plan_(limits, seed) {}

  std::int64_t now() const { return now_; }
  gateway_plan& plan() { return plan_; }
  const std::vector<sending>& sent() const { return sent_; }
  const std::map<ticket, stripe::outcome>& delivered() const { return delivered_; }
  const stripe::outcome& end_of(ticket id) const { return delivered_.at(id); }
  gateway_status status() const { return plan_.status(now_); }
  std::size_t pending() const { return submitted_.size() - delivered_.size(); }
  std::int64_t delivered_at(ticket id) const { return delivered_at_.at(id); }
  std::optional<std::int64_t> wake() const { return wake_; }

  ticket submit(stripe::call call) {
    const ticket id = ++last_ticket_;
    submitted_[id] = {now_, call};
    take(plan_.submit(id, std::move(call), now_));
    return id;
  }
  void drain() { take(plan_.drain(now_)); }
  void cancel_all() { take(plan_.cancel_all(now_)); }

  // Lets virtual time pass; events in their order, then timers.
  void run_until(std::int64_t until_ms) {
    for (std::int64_t next = next_event(); next <= until_ms; next = next_event())
      step(next);
    now_ = std::max(now_, until_ms);
  }
  void run_for(std::int64_t ms) { run_until(now_ + ms); }
  // Until everything is delivered; false when it takes longer than `most_ms`.
  bool settle(std::int64_t most_ms = 3'600'000) {
    const std::int64_t until = now_ + most_ms;
    while (pending() > 0 && next_event() <= until)
      step(next_event());
    return pending() == 0;
  }
  // Submit at a time of its own; `what` may do anything.
  void at(std::int64_t when_ms, std::function<void()> what) {
    events_.emplace(when_ms, std::move(what));
  }

 private:
  static constexpr std::int64_t never = INT64_MAX;

  std::int64_t next_event() const {
    const std::int64_t event = events_.empty() ? never : events_.begin()->first;
    return std::min(event, wake_.value_or(never));
  }

  void step(std::int64_t at_ms) {
    REQUIRE(at_ms >= now_);
    REQUIRE(++steps_ < 2'000'000);
    now_ = at_ms;
    if (!events_.empty() && events_.begin()->first <= now_) {
      const auto what = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      what();
    } else {
      take(plan_.tick(now_));
    }
  }

  void take(actions ordered) {
    for (to_send& s : ordered.send)
      start(s);
    for (to_deliver& d : ordered.deliver) {
      if (!submitted_.contains(d.id)) FAIL("delivered what was not submitted");
      if (!delivered_.emplace(d.id, std::move(d.end)).second) FAIL("delivered twice");
      delivered_at_[d.id] = now_;
      in_flight_.erase(d.id);
    }
    wake_ = ordered.wake_at_ms;
    if (wake_ && *wake_ <= now_) FAIL("a timer in the past spins");
    check_widths();
  }

  void start(const to_send& s) {
    const auto& [when, call] = submitted_.at(s.id);
    if (delivered_.contains(s.id)) FAIL("sent after its end");
    if (in_flight_.contains(s.id)) FAIL("two tries of one call at once");
    if (s.attempt != ++tries_[s.id]) FAIL("tries are miscounted");
    if (s.what->idempotency_key != call.idempotency_key || s.what->target != call.target ||
        s.what->body != call.body || s.what->verb != call.verb) {
      FAIL("another request under the same ticket");
    }
    if (now_ > when + call.give_up_after_ms) FAIL("a try after its time");
    in_flight_[s.id] = endpoint_of(call);
    sent_.push_back({now_, s.id, s.attempt, s.what});
    check_rates(s);
    reply r = serve_(s, now_);
    const std::int64_t took_ms = r.after_ms;
    events_.emplace(now_ + took_ms, [this, id = s.id, r = std::move(r)]() mutable {
      in_flight_.erase(id);
      if (r.status == 0) return take(plan_.failed(id, r.maybe_sent, r.body, now_));
      take(plan_.answered(id, {r.status, std::move(r.headers), std::move(r.body), r.after_ms},
                          now_));
    });
  }

  void check_widths() const {
    std::map<std::string, int> at;
    for (const auto& [id, endpoint] : in_flight_)
      ++at[endpoint];
    if (static_cast<int>(in_flight_.size()) > limits_.most_in_flight) FAIL("too many in flight");
    for (const auto& [endpoint, count] : at) {
      if (count > limits_.most_in_flight_endpoint) FAIL("too many in flight at " << endpoint);
    }
  }

  // The window that ends now and begins with the n-th last sending, for every n that matters.
  void check_rates(const to_send& s) {
    const bool read = s.what->verb == "GET";
    check_window(times_[read ? "reads" : "writes"],
                 read ? limits_.read_per_s : limits_.write_per_s);
    check_window(times_[endpoint_of(*s.what)], limits_.endpoint_per_s);
  }
  void check_window(std::deque<std::int64_t>& times, double per_s) {
    times.push_back(now_);
    if (times.size() > 400) times.pop_front();
    double count = 0;
    for (auto at = times.rbegin(); at != times.rend(); ++at) {
      ++count;
      const double allowed = per_s * static_cast<double>(now_ - *at) / 1000 + limits_.burst;
      if (count > allowed + 1e-6) FAIL("faster than the rate and the burst allow");
    }
  }

  gateway_limits limits_;
  server serve_;
  gateway_plan plan_;
  std::int64_t now_ = 1'000'000;
  std::size_t steps_ = 0;
  ticket last_ticket_ = 0;
  std::optional<std::int64_t> wake_;
  std::multimap<std::int64_t, std::function<void()>> events_;
  std::map<ticket, std::pair<std::int64_t, stripe::call>> submitted_;
  std::map<ticket, stripe::outcome> delivered_;
  std::map<ticket, std::int64_t> delivered_at_;
  std::map<ticket, int> tries_;
  std::map<ticket, std::string> in_flight_;
  std::map<std::string, std::deque<std::int64_t>> times_;
  std::vector<sending> sent_;
};

}  // namespace tilld::core::test
