// The /v1 face over a till in memory, before a Stripe that a test scripts: requests go in at the
// router, answers are waited for.
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "http/faces.hpp"
#include "http/router.hpp"
#include "support/catch.hpp"
#include "unit/actors/fixtures.hpp"

namespace tilld::test {

// Stripe that answers when the test says so.
class slow_stripe {
 public:
  actors::transport transport() {
    return [this](net::request r, std::move_only_function<void(net::outcome)> done) {
      const std::lock_guard lock(mutex_);
      targets_.push_back(r.verb + " " + r.url.substr(r.url.find("/v1/")));
      waiting_.push_back(std::move(done));
      changed_.notify_all();
    };
  }
  // Waits until that many requests have come in all.
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(
        changed_.wait_for(lock, std::chrono::seconds(5), [&] { return targets_.size() >= count; }));
  }
  std::vector<std::string> targets() const {
    const std::lock_guard lock(mutex_);
    return targets_;
  }
  // Answers the oldest that waits; or the one behind `before` others.
  void answer(net::outcome with) { answer_nth(0, std::move(with)); }
  void answer_nth(std::size_t before, net::outcome with) {
    std::move_only_function<void(net::outcome)> done;
    {
      const std::lock_guard lock(mutex_);
      REQUIRE(before < waiting_.size());
      const auto at = waiting_.begin() + static_cast<std::ptrdiff_t>(before);
      done = std::move(*at);
      waiting_.erase(at);
    }
    done(std::move(with));
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> targets_;
  std::deque<std::move_only_function<void(net::outcome)>> waiting_;
};

class v1_bench {
 public:
  explicit v1_bench(actors::transport to_stripe) : till_(std::move(to_stripe)) {
    http::add_v1_routes(router_, house_);
  }

  std::future<http::response> send(const std::string& verb, const std::string& target,
                                   http::header_list headers = {}, const std::string& body = "") {
    http::request r;
    r.verb = verb;
    r.target = target;
    r.path = target.substr(0, target.find('?'));
    if (r.path.size() < target.size()) r.query = target.substr(r.path.size() + 1);
    for (std::size_t at = 1; at < r.path.size();) {
      const auto end = std::min(r.path.find('/', at), r.path.size());
      r.segments.push_back(r.path.substr(at, end - at));
      at = end + 1;
    }
    r.headers = std::move(headers);
    r.body = body;
    r.account = main_scope.account;
    auto done = std::make_shared<std::promise<http::response>>();
    auto answer = done->get_future();
    router_.route(r, http::responder([done](http::response a) { done->set_value(std::move(a)); },
                                     http::response{}));
    return answer;
  }
  http::response get(const std::string& target, http::header_list headers = {}) {
    return send("GET", target, std::move(headers)).get();
  }
  bench_till& till() { return till_; }

  static std::string source(const http::response& r) {
    for (const auto& [name, value] : r.headers)
      if (name == "Tilld-Source") return value;
    return "";
  }

 private:
  bench_till till_;
  system_clock time_;
  metrics counts_;
  http::token_table tokens_;
  http::house house_{
      till_.till(), time_, counts_, tokens_, {{main_scope.account, {main_scope, version}}}};
  http::router router_;
};

}  // namespace tilld::test
