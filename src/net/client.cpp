#include "net/client.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include <curl/curl.h>
#include <pthread.h>

#include "net/request_check.hpp"
#include "net/transfer.hpp"

namespace tilld::net {

namespace {

// Handles kept for the next request: as many as are in flight at most in quiet times.
constexpr std::size_t most_spare_handles = 64;
// Idle connections kept, over all hosts.
constexpr long most_idle_connections = 128;
constexpr std::int64_t longest_poll_ms = 60'000;

std::int64_t mono_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Once in the life of the process; curl's global state is never taken down.
void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

outcome refused(std::string why) {
  return std::unexpected(failure{false, false, std::move(why), true});
}

}  // namespace

std::string_view answer::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

// What the thread owns: the multi handle, the transfers and their queues. Other threads touch the
// inbox alone, and wake it.
class client::loop {
 public:
  explicit loop(options o);
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  void send(request r, transfer::callback done);
  bool is_own_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  // The requests for one scheme, host and port.
  struct line {
    int active = 0;
    std::deque<transfer*> waiting;
  };

  void run();
  void take_inbox();
  void admit(std::unique_ptr<transfer> t);
  void start_waiting(const std::string& origin);
  bool start(transfer& t);
  void reap();
  void expire();
  int poll_ms() const;
  void finish(transfer* t, outcome o);
  void release(transfer& t);
  void abort_all();
  CURL* take_handle();

  const options options_;
  CURLM* multi_ = nullptr;
  std::mutex mutex_;
  std::vector<std::unique_ptr<transfer>> inbox_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> not_begun_{0};

  std::unordered_map<transfer*, std::unique_ptr<transfer>> transfers_;
  std::map<std::string, line> lines_;
  std::set<std::pair<std::int64_t, transfer*>> deadlines_;
  std::vector<CURL*> spare_;
  std::thread thread_;
};

client::loop::loop(options o) : options_(std::move(o)) {
  start_curl();
  multi_ = curl_multi_init();
  if (multi_ == nullptr) return;
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, most_idle_connections);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  thread_ = std::thread([this] { run(); });
}

client::loop::~loop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (multi_ == nullptr) return;
  curl_multi_wakeup(multi_);
  thread_.join();
  for (CURL* easy : spare_)
    curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);
}

void client::loop::send(request r, transfer::callback done) {
  auto origin = check_request(r);
  if (!origin) return done(refused(origin.error().message));
  const std::int64_t deadline_ms = mono_ms() + std::max<std::int64_t>(0, r.deadline_ms);
  auto t =
      std::make_unique<transfer>(std::move(r), std::move(*origin), deadline_ms, std::move(done));
  const char* why = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (multi_ == nullptr) {
      why = "the client could not start";
    } else if (stopping_) {
      why = "shutting down";
    } else if (not_begun_ >= options_.most_waiting) {
      why = "too many requests are waiting";
    } else {
      ++not_begun_;
      inbox_.push_back(std::move(t));
    }
  }
  if (why != nullptr) return t->tell(t->give_up(false, why));
  curl_multi_wakeup(multi_);
}

void client::loop::run() {
  // Signals are for the main thread; and a peer that leaves while TLS writes must not raise
  // SIGPIPE.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  while (!stopping_) {
    take_inbox();
    int running = 0;
    curl_multi_perform(multi_, &running);
    reap();
    expire();
    curl_multi_poll(multi_, nullptr, 0, poll_ms(), nullptr);
  }
  abort_all();
}

void client::loop::take_inbox() {
  std::vector<std::unique_ptr<transfer>> arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(inbox_);
  }
  for (auto& t : arrived)
    admit(std::move(t));
}

void client::loop::admit(std::unique_ptr<transfer> t) {
  transfer* const raw = t.get();
  deadlines_.emplace(raw->deadline_ms(), raw);
  lines_[raw->origin()].waiting.push_back(raw);
  const std::string origin = raw->origin();
  transfers_.emplace(raw, std::move(t));
  start_waiting(origin);
}

// Our own queue, not libcurl's: a request that waits in libcurl's for a connection is outside of
// its timeouts.
void client::loop::start_waiting(const std::string& origin) {
  const auto found = lines_.find(origin);
  while (!stopping_ && found != lines_.end() && !found->second.waiting.empty() &&
         found->second.active < std::max(1, options_.most_connections_per_host)) {
    transfer* const t = found->second.waiting.front();
    found->second.waiting.pop_front();
    ++found->second.active;
    --not_begun_;
    if (!start(*t)) return finish(t, t->give_up(false, "out of memory"));
  }
  if (found != lines_.end() && found->second.waiting.empty() && found->second.active == 0) {
    lines_.erase(found);
  }
}

bool client::loop::start(transfer& t) {
  CURL* const easy = take_handle();
  if (easy == nullptr) return false;
  return t.begin(easy, options_, mono_ms()) && curl_multi_add_handle(multi_, easy) == CURLM_OK;
}

CURL* client::loop::take_handle() {
  if (spare_.empty()) return curl_easy_init();
  CURL* const easy = spare_.back();
  spare_.pop_back();
  return easy;
}

void client::loop::reap() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    transfer* t = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
    finish(t, t->end(code, mono_ms()));
  }
}

void client::loop::expire() {
  const std::int64_t now_ms = mono_ms();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_ms) {
    transfer* const t = deadlines_.begin()->second;
    finish(t, t->give_up(true, "its deadline passed"));
  }
}

int client::loop::poll_ms() const {
  if (deadlines_.empty()) return static_cast<int>(longest_poll_ms);
  const std::int64_t left = deadlines_.begin()->first - mono_ms();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, longest_poll_ms));
}

void client::loop::finish(transfer* t, outcome o) {
  const auto found = transfers_.find(t);
  const std::unique_ptr<transfer> own = std::move(found->second);
  transfers_.erase(found);
  deadlines_.erase({t->deadline_ms(), t});
  release(*t);
  const std::string origin = t->origin();
  t->tell(std::move(o));
  start_waiting(origin);
}

// Gives back what the transfer held: its handle and its place, or its place in the queue.
void client::loop::release(transfer& t) {
  const auto at = lines_.find(t.origin());
  if (t.easy() == nullptr) {
    if (std::erase(at->second.waiting, &t) > 0) {
      --not_begun_;
    } else {
      --at->second.active;
    }
    return;
  }
  --at->second.active;
  curl_multi_remove_handle(multi_, t.easy());
  if (spare_.size() < most_spare_handles) {
    curl_easy_reset(t.easy());
    spare_.push_back(t.easy());
  } else {
    curl_easy_cleanup(t.easy());
  }
}

void client::loop::abort_all() {
  take_inbox();
  while (!transfers_.empty()) {
    transfer* const t = transfers_.begin()->first;
    finish(t, t->give_up(false, "shutting down"));
  }
}

client::client() : client(options{}) {}
client::client(options o) : loop_(std::make_unique<loop>(std::move(o))) {}
client::~client() = default;

void client::send(request r, std::move_only_function<void(outcome)> done) {
  loop_->send(std::move(r), std::move(done));
}

outcome client::call(request r) {
  if (loop_->is_own_thread()) return refused("call() on the client's own thread");
  std::promise<outcome> promise;
  auto future = promise.get_future();
  send(std::move(r), [&promise](outcome o) { promise.set_value(std::move(o)); });
  return future.get();
}

}  // namespace tilld::net
