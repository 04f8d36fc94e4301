#include "cli/webhook_sender.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

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

bool wants(const webhook_endpoint& to, const std::string& type, const std::string& account) {
  const bool ours = to.connect ? !account.empty() : account == to.account;
  if (!to.everybodys && !ours) return false;
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
    std::int64_t skew_s = 0;
    bool old_secret = false;
  };

  void on_delivered(std::function<void(const std::string&)> told) { told_ = std::move(told); }

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

  bool send(sandbox::planned parcel) {
    auto shared = std::make_shared<const std::string>(std::move(parcel.body));
    bool wanted = false;
    {
      const std::lock_guard lock(mutex_);
      for (const auto* all : {&given_, &set_}) {
        for (const auto& to : *all) {
          if (!wants(*to, parcel.type, parcel.account)) continue;
          const std::int64_t now = time_.mono_ms();
          enter(now + parcel.after_ms,
                {to, parcel.event, shared, now, 0, parcel.skew_s, parcel.old_secret});
          wanted = true;
        }
      }
    }
    if (wanted) wake_.notify_one();
    return wanted;
  }

  void forget_all() {
    const std::lock_guard lock(mutex_);
    due_.clear();
    left_.clear();
  }

  std::string save() const {
    const std::lock_guard lock(mutex_);
    nlohmann::json list = nlohmann::json::array();
    const auto add = [&](const delivery& d) {
      list.push_back({{"url", d.to->url},
                      {"secrets", d.to->secrets},
                      {"event", d.event},
                      {"body", *d.body},
                      {"tries", d.tries}});
    };
    for (const auto& [at, d] : due_)
      add(d);
    for (const auto& [number, d] : out_)
      add(d);
    return list.dump();
  }

  void restore(std::string_view saved) {
    const auto list = nlohmann::json::parse(saved, nullptr, false);
    if (!list.is_array()) return;
    const std::lock_guard lock(mutex_);
    for (const auto& one : list) {
      auto to = std::make_shared<webhook_endpoint>();
      to->url = one.value("url", "");
      to->secrets = one.value("secrets", std::vector<std::string>{});
      const std::int64_t now = time_.mono_ms();
      enter(now, {std::move(to), one.value("event", ""),
                  std::make_shared<const std::string>(one.value("body", "")), now,
                  one.value("tries", 0), 0, false});
    }
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
    return due_.size() + out_.size();
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
      if (due_.empty() || out_.size() >= at_once) {
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

  void enter(std::int64_t at_ms, delivery d) {
    ++left_[d.event];
    due_.emplace(at_ms, std::move(d));
  }

  // Under the lock: the client only queues.
  void try_once(delivery d) {
    net::request r;
    r.verb = "POST";
    r.url = d.to->url;
    r.body = *d.body;
    r.deadline_ms = answer_within_ms;
    std::vector<std::string> secrets = d.to->secrets;
    if (d.old_secret) secrets.insert(secrets.begin(), "whsec_of_the_time_before_the_rotation");
    const std::int64_t skew_s = d.tries == 0 ? d.skew_s : 0;
    r.headers = {{"Content-Type", "application/json; charset=utf-8"},
                 {"Stripe-Signature", stripe::sign(*d.body, secrets, time_.wall_s() + skew_s)},
                 {"User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"}};
    const std::uint64_t number = ++last_number_;
    out_.emplace(number, std::move(d));
    client_->send(std::move(r),
                  [this, number](const net::outcome& outcome) { came_back(number, outcome); });
  }

  void came_back(std::uint64_t number, const net::outcome& outcome) {
    std::string finished;
    {
      const std::lock_guard lock(mutex_);
      const auto it = out_.find(number);
      delivery d = std::move(it->second);
      out_.erase(it);
      const bool taken = outcome && outcome->status >= 200 && outcome->status < 300;
      const std::int64_t now = time_.mono_ms();
      if (taken) {
        ++delivered_;
        const auto left = left_.find(d.event);
        if (left != left_.end() && --left->second == 0) {
          left_.erase(left);
          finished = d.event;
        }
      } else if (now - d.since_ms < give_up_ms && !ending_) {
        const std::int64_t pause =
            std::min(longest_pause_ms, first_pause_ms << std::min(d.tries, 24));
        ++d.tries;
        due_.emplace(now + pause, std::move(d));
      } else if (ending_) {
        due_.emplace(now, std::move(d));  // for save()
      }
    }
    if (!finished.empty() && told_) told_(finished);
    wake_.notify_one();
  }

  const clock& time_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  using endpoints = std::vector<std::shared_ptr<const webhook_endpoint>>;
  endpoints given_;
  endpoints set_;
  std::multimap<std::int64_t, delivery> due_;
  std::map<std::uint64_t, delivery> out_;  // sent, not yet answered
  std::map<std::string, int> left_;        // deliveries to go, by event
  std::uint64_t last_number_ = 0;
  std::function<void(const std::string&)> told_;
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
bool webhook_sender::send(sandbox::planned parcel) {
  return queue_->send(std::move(parcel));
}
void webhook_sender::forget_all() {
  queue_->forget_all();
}
void webhook_sender::on_delivered(std::function<void(const std::string&)> told) {
  queue_->on_delivered(std::move(told));
}
std::string webhook_sender::save() const {
  return queue_->save();
}
void webhook_sender::restore(std::string_view saved) {
  queue_->restore(saved);
}
std::size_t webhook_sender::waiting() const {
  return queue_->waiting();
}
std::size_t webhook_sender::delivered() const {
  return queue_->delivered();
}

}  // namespace tilld::cli
