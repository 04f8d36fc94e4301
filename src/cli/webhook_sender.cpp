#include "cli/webhook_sender.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "net/client.hpp"
#include "stripe/signature.hpp"

namespace tilld::cli {

namespace {

// Stripe's own schedule is not published; this one reaches three days in about 20 tries.
constexpr std::int64_t first_pause_ms = 500;
constexpr std::int64_t longest_pause_ms = 4 * 3600 * 1000;
constexpr std::int64_t give_up_ms = 3 * 24 * 3600 * 1000LL;
constexpr std::size_t at_once = 16;
constexpr std::int64_t answer_within_ms = 20'000;

bool wants(const webhook_endpoint& to, const std::string& type) {
  if (to.enabled_events.empty()) return true;
  return std::ranges::any_of(to.enabled_events,
                             [&](const auto& e) { return e == "*" || e == type; });
}

}  // namespace

class webhook_sender::queue {
 public:
  explicit queue(const clock& time) : time_(time) {}

  struct delivery {
    std::shared_ptr<const webhook_endpoint> to;
    std::string event;
    std::shared_ptr<const std::string> body;
    std::int64_t since_ms = 0;
    int tries = 0;
  };

  void add(webhook_endpoint e) {
    const std::lock_guard lock(mutex_);
    given_.push_back(std::make_shared<const webhook_endpoint>(std::move(e)));
  }

  void set(std::vector<webhook_endpoint> all) {
    const std::lock_guard lock(mutex_);
    set_.clear();
    for (auto& e : all)
      set_.push_back(std::make_shared<const webhook_endpoint>(std::move(e)));
  }

  void send(const std::string& event_id, const std::string& type, std::string body) {
    auto shared = std::make_shared<const std::string>(std::move(body));
    {
      const std::lock_guard lock(mutex_);
      for (const auto* all : {&given_, &set_}) {
        for (const auto& to : *all) {
          if (!wants(*to, type)) continue;
          due_.emplace(time_.mono_ms(), delivery{to, event_id, shared, time_.mono_ms(), 0});
        }
      }
    }
    wake_.notify_one();
  }

  void start() {
    worker_ = std::thread([this] { work(); });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    if (worker_.joinable()) worker_.join();
    client_.reset();
  }

  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return due_.size() + away_;
  }
  std::size_t delivered() const {
    const std::lock_guard lock(mutex_);
    return delivered_;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      const std::int64_t now = time_.mono_ms();
      if (due_.empty() || away_ >= at_once) {
        wake_.wait_for(lock, std::chrono::milliseconds(200));
      } else if (due_.begin()->first > now) {
        wake_.wait_for(lock, std::chrono::milliseconds(
                                 std::min<std::int64_t>(due_.begin()->first - now, 200)));
      } else {
        delivery next = std::move(due_.begin()->second);
        due_.erase(due_.begin());
        try_once(std::move(next));
      }
    }
  }

  // Under the lock: the client only queues.
  void try_once(delivery d) {
    net::request r;
    r.verb = "POST";
    r.url = d.to->url;
    r.body = *d.body;
    r.deadline_ms = answer_within_ms;
    const std::vector<std::string> secrets{d.to->secret};
    r.headers = {{"Content-Type", "application/json; charset=utf-8"},
                 {"Stripe-Signature", stripe::sign(*d.body, secrets, time_.wall_s())},
                 {"User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"}};
    ++away_;
    client_->send(std::move(r), [this, d = std::move(d)](const net::outcome& outcome) mutable {
      came_back(std::move(d), outcome);
    });
  }

  void came_back(delivery d, const net::outcome& outcome) {
    {
      const std::lock_guard lock(mutex_);
      --away_;
      const bool taken = outcome && outcome->status >= 200 && outcome->status < 300;
      const std::int64_t now = time_.mono_ms();
      if (taken) {
        ++delivered_;
      } else if (now - d.since_ms < give_up_ms && !ending_) {
        const std::int64_t pause =
            std::min(longest_pause_ms, first_pause_ms << std::min(d.tries, 24));
        ++d.tries;
        due_.emplace(now + pause, std::move(d));
      }
    }
    wake_.notify_one();
  }

  const clock& time_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  using endpoints = std::vector<std::shared_ptr<const webhook_endpoint>>;
  endpoints given_;
  endpoints set_;
  std::multimap<std::int64_t, delivery> due_;
  std::size_t away_ = 0;
  std::size_t delivered_ = 0;
  bool ending_ = false;
  std::thread worker_;
  std::unique_ptr<net::client> client_ = std::make_unique<net::client>();
};

webhook_sender::webhook_sender(const clock& time) : queue_(std::make_unique<queue>(time)) {}
webhook_sender::~webhook_sender() {
  stop();
}
void webhook_sender::add_target(webhook_endpoint to) {
  queue_->add(std::move(to));
}
void webhook_sender::set_endpoints(std::vector<webhook_endpoint> all) {
  queue_->set(std::move(all));
}
void webhook_sender::start() {
  queue_->start();
}
void webhook_sender::stop() {
  queue_->stop();
}
void webhook_sender::send(const std::string& event_id, const std::string& type, std::string body) {
  queue_->send(event_id, type, std::move(body));
}
std::size_t webhook_sender::waiting() const {
  return queue_->waiting();
}
std::size_t webhook_sender::delivered() const {
  return queue_->delivered();
}

}  // namespace tilld::cli
