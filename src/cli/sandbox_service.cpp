#include "cli/sandbox_service.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "cli/common.hpp"
#include "cli/sandbox_state.hpp"
#include "cli/webhook_sender.hpp"
#include "http/server.hpp"
#include "sandbox/control/control.hpp"
#include "sandbox/control/limits.hpp"
#include "sandbox/simulator.hpp"

namespace tilld::cli {

namespace {

constexpr std::int64_t save_every_ms = 1'000;
constexpr std::int64_t tick_ms = 1'000;
constexpr int workers = 8;  // some may be held by a fault that wants to be slow

sandbox::request request_of(const http::request& r) {
  sandbox::request asked;
  asked.verb = r.verb;
  asked.path = r.path;
  asked.query = r.query;
  asked.body = r.body;
  asked.authorization = r.header("authorization");
  asked.idempotency_key = r.header("idempotency-key");
  asked.stripe_version = r.header("stripe-version");
  asked.content_type = r.header("content-type");
  asked.stripe_account = r.header("stripe-account");
  return asked;
}

http::response response_of(sandbox::response answer) {
  http::response r;
  r.status = answer.status;
  r.date_s = answer.date_s;
  r.body = std::move(answer.body);
  for (auto& header : answer.headers)
    r.headers.push_back(std::move(header));
  return r;
}

}  // namespace

class sandbox_service::service {
 public:
  service(sandbox_settings settings, const clock& time, metrics& counts)
      : settings_(std::move(settings)),
        time_(time),
        simulator_({settings_.secret_key, settings_.seed, "acct_1SandboxTilld0000"}),
        faults_(settings_.faults),
        sender_(time),
        server_(listener(), routes(), counts) {
    for (auto& to : settings_.targets)
      sender_.add_target({to.url, {to.secret}});
    sender_.on_delivered([this](const std::string& event) {
      const std::lock_guard lock(mutex_);
      simulator_.note_delivered(event);
      changed_ = true;
    });
  }

  result<void> start() {
    if (auto ok = load(); !ok) return ok;
    if (settings_.frozen_at_s != 0) simulator_.freeze(settings_.frozen_at_s);
    if (auto ok = server_.start(); !ok) return ok;
    {
      const std::lock_guard lock(mutex_);
      simulator_.set_base_url("http://" + settings_.address + ":" + std::to_string(server_.port()));
    }
    sender_.start();
    ticker_ = std::thread([this] { keep_time(); });
    if (!settings_.state_file.empty()) saver_ = std::thread([this] { keep_saving(); });
    return {};
  }

  std::uint16_t port() const { return server_.port(); }

  void add_target(sandbox_settings::target to) { sender_.add_target({to.url, {to.secret}}); }

  void stop() {
    if (std::exchange(stopped_, true)) return;
    server_.drain(1'000);
    sender_.stop();
    {
      const std::lock_guard lock(save_mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (auto* thread : {&ticker_, &saver_}) {
      if (thread->joinable()) thread->join();
    }
    save();
  }

 private:
  http::listener_settings listener() const {
    http::listener_settings l;
    l.name = "sandbox";
    l.address = settings_.address;
    l.port = settings_.port;
    l.workers = workers;
    return l;
  }

  http::router routes() {
    http::router to;
    to.add("GET", "/_sandbox/deliveries", [this](http::request&, const http::responder& answer) {
      http::response r;
      r.body =
          nlohmann::json{{"waiting", sender_.waiting()}, {"delivered", sender_.delivered()}}.dump();
      answer(std::move(r));
    });
    to.add("*", "/_sandbox/{rest...}",
           [this](http::request& r, const http::responder& answer) { answer(control_call(r)); });
    to.add("*", "/{rest...}",
           [this](http::request& r, const http::responder& answer) { answer(handle(r)); });
    return to;
  }

  http::response visit(const http::request& r) {
    const std::lock_guard lock(mutex_);
    const auto page = simulator_.visit({r.verb, r.path, r.query, r.body}, time_.wall_s());
    changed_ = true;
    send_events();
    http::response answer;
    answer.status = page.status;
    answer.content_type = page.content_type;
    answer.body = page.body;
    answer.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; style-src 'unsafe-inline'; "
                                "frame-ancestors 'none'; base-uri 'none'");
    if (!page.location.empty()) answer.headers.emplace_back("Location", page.location);
    return answer;
  }

  http::response handle(const http::request& r) {
    if (sandbox::simulator::is_page(r.path)) return visit(r);
    std::unique_lock lock(mutex_);
    std::string wrong;
    sandbox::mishap m = faults_.for_request(std::string(r.header("tilld-sandbox-fault")), wrong);
    if (!wrong.empty()) {
      return http::error_response(400, "invalid_request_error", "unknown_fault", wrong);
    }
    if (settings_.rate_limits) limit(r, m);
    sandbox::response answer;
    if (!m.refuses && !m.skips) {
      answer = simulator_.handle(request_of(r), time_.wall_s());
      if (r.verb != "GET") changed_ = true;
      send_events();
      if (r.verb != "GET" && r.path.starts_with("/v1/webhook_endpoints")) endpoints_changed();
    }
    if (m.refuses || m.replaces) {
      m.answer.date_s = simulator_.time(time_.wall_s());
      answer = std::move(m.answer);
    }
    lock.unlock();
    if (m.wait_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(m.wait_ms));
    http::response out = response_of(std::move(answer));
    out.hang_up = m.hangs_up;
    return out;
  }

  void limit(const http::request& r, sandbox::mishap& m) {
    const auto reason = limits_.refuses(r.verb, r.path, time_.mono_ms());
    if (reason.empty()) return;
    m.refuses = true;
    m.answer = sandbox::rate_limited(reason);
  }

  http::response control_call(const http::request& r) {
    const std::lock_guard lock(mutex_);
    const auto done = control_.handle(r.verb, r.path, r.body, time_.wall_s());
    if (!done) {
      return http::error_response(404, "invalid_request_error", "",
                                  "There is no " + r.verb + " " + r.path +
                                      "; docs/sandbox.md lists the sandbox's own calls.");
    }
    if (r.verb != "GET") {
      changed_ = true;
      endpoints_changed();
    }
    send_events();
    http::response answer;
    answer.status = done->status;
    answer.body = done->body;
    return answer;
  }

  // Under the lock.
  void send_events() {
    auto events = simulator_.take_events();
    if (!events.empty()) changed_ = true;
    for (auto& parcel : faults_.for_events(std::move(events))) {
      const std::string id = parcel.event;
      if (!sender_.send(std::move(parcel))) simulator_.note_delivered(id);
    }
  }

  // What falls due while nobody asks.
  void keep_time() {
    std::unique_lock lock(save_mutex_);
    while (!ending_) {
      wake_.wait_for(lock, std::chrono::milliseconds(tick_ms));
      lock.unlock();
      {
        const std::lock_guard state_lock(mutex_);
        simulator_.pass(time_.wall_s());
        send_events();
      }
      lock.lock();
    }
  }

  void endpoints_changed() {
    std::vector<webhook_endpoint> made;
    for (auto& to : simulator_.destinations()) {
      if (!to.enabled) continue;
      made.push_back({to.url, to.secrets, to.enabled_events, false, to.connect, to.account});
    }
    sender_.set_endpoints(std::move(made));
  }

  result<void> load() {
    if (settings_.state_file.empty()) return {};
    auto bytes = read_small_file(settings_.state_file);
    if (!bytes) return {};  // the first start
    const std::lock_guard lock(mutex_);
    const auto kept = sandbox_state_of(*bytes);
    if (!kept || !simulator_.load(kept->simulator)) {
      return fail(errc::corrupt, settings_.state_file +
                                     " is not a sandbox state of this version; move it away to "
                                     "start afresh");
    }
    endpoints_changed();
    sender_.restore(kept->deliveries);
    return {};
  }

  void save() {
    if (settings_.state_file.empty() || !changed_.exchange(false)) return;
    sandbox_state state;
    {
      const std::lock_guard lock(mutex_);
      state.deliveries = sender_.save();
      state.simulator = simulator_.save();
    }
    if (auto ok = write_private_file(settings_.state_file, to_bytes(state)); !ok) {
      log::warning("sandbox_not_saved", {{"why", ok.error().message}});
    }
  }

  // Each second, or less often when that takes long: a large account is not to wait for its file.
  void keep_saving() {
    std::unique_lock lock(save_mutex_);
    std::int64_t pause_ms = save_every_ms;
    while (!ending_) {
      wake_.wait_for(lock, std::chrono::milliseconds(pause_ms));
      lock.unlock();
      const std::int64_t began = time_.mono_ms();
      save();
      pause_ms = std::max(save_every_ms, 10 * (time_.mono_ms() - began));
      lock.lock();
    }
  }

  sandbox_settings settings_;
  const clock& time_;
  std::mutex mutex_;  // of the simulator
  sandbox::simulator simulator_;
  sandbox::faults faults_;
  sandbox::rate_limits limits_;
  sandbox::control control_{simulator_, faults_};
  webhook_sender sender_;
  std::atomic<bool> changed_{false};
  std::mutex save_mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  bool stopped_ = false;
  std::thread ticker_;
  std::thread saver_;
  http::server server_;
};

sandbox_service::sandbox_service(sandbox_settings settings, const clock& time, metrics& counts)
    : service_(std::make_unique<service>(std::move(settings), time, counts)) {}
sandbox_service::~sandbox_service() {
  stop();
}
result<void> sandbox_service::start() {
  return service_->start();
}
std::uint16_t sandbox_service::port() const {
  return service_->port();
}
void sandbox_service::add_target(sandbox_settings::target to) {
  service_->add_target(std::move(to));
}
void sandbox_service::stop() {
  service_->stop();
}

}  // namespace tilld::cli
