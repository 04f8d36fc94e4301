#include "http/switchboard.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

namespace tilld::http {

namespace {

thread_local const exchange* in_hand = nullptr;

// No handler gives this status, so it marks an answer that nobody gave.
constexpr int nobody_answered = 0;

response given_up() {
  response made = error_response(503, "api_error", "no_answer",
                                 "tilld dropped this request; it may be sent again.");
  made.headers.emplace_back("Retry-After", "1");
  return made;
}

void answer(const std::shared_ptr<exchange>& e, response given) {
  if (!settle(*e)) return;
  if (given.status == nobody_answered) given = given_up();
  switchboard& board = *e->board;
  const int status = given.status;
  wire out = to_wire(std::move(given),
                     {.request_id = e->asked.id,
                      .close = e->close || board.draining.load(std::memory_order_relaxed),
                      .head_only = e->head_only});
  if (in_hand != e.get()) {
    board.post({e->on, e, std::move(out), status});
    return;
  }
  const std::int64_t now = steady_ms();
  bool look = false;
  {
    const std::lock_guard lock(e->on->mutex);
    look = send_answer(*e, std::move(out), status, now);
  }
  if (look) board.post({e->on, nullptr, {}, 0});
}

}  // namespace

traffic::traffic(const std::string& listener, metrics& counts)
    : listener_(listener), counts_(counts) {
  const std::pair<std::string, std::string> label{"listener", listener};
  connections = counts.make_gauge("tilld_http_connections", "Open connections", {label});
  in_flight = counts.make_gauge("tilld_http_in_flight", "Requests being answered", {label});
  seconds_ = counts.make_histogram(
      "tilld_http_request_seconds", "From the last byte of a request to its answer",
      {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5, 30}, {label});
  for (int i = 0; i < 5; ++i) {
    by_class_[i] = counts.make_counter("tilld_http_requests_total", "Requests answered",
                                       {label, {"status", std::to_string(i + 1) + "xx"}});
  }
}

void traffic::answered(int status, double seconds) {
  if (status >= 100 && status <= 599) by_class_[status / 100 - 1].add();
  seconds_.observe(seconds);
}

void traffic::refused(int status, std::string_view code) {
  if (status >= 100 && status <= 599) by_class_[status / 100 - 1].add();
  auto found = refused_.find(code);
  if (found == refused_.end()) {
    const counter made = counts_.make_counter(
        "tilld_http_refused_total", "Requests and connections refused by the door",
        {{"listener", listener_}, {"code", std::string(code)}});
    found = refused_.emplace(code, made).first;
  }
  found->second.add();
}

switchboard::switchboard(listener_settings s, metrics& counter_source)
    : settings(std::move(s)),
      sending{settings.idle_deadline_ms, settings.write_deadline_ms},
      counts(settings.name, counter_source),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void switchboard::wake() {
  const std::uint64_t one = 1;
  // It can only fail if the counter is full, and then the door is awake.
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof(one));
}

void switchboard::post(mail m) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    box_.push_back(std::move(m));
    first = !std::exchange(woken_, true);
  }
  if (first) wake();
}

std::vector<mail> switchboard::take() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  return std::exchange(box_, {});
}

void switchboard::close() {
  std::vector<mail> unread;  // its destructors may answer, and so come back here
  const std::lock_guard lock(mutex_);
  closed_ = true;
  unread.swap(box_);
}

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

responder responder_of(std::shared_ptr<exchange> e) {
  return responder([e = std::move(e)](response given) { answer(e, std::move(given)); },
                   response{nobody_answered, {}, {}, {}});
}

running::running(const exchange& e) {
  in_hand = &e;
}
running::~running() {
  in_hand = nullptr;
}

bool settle(exchange& e) {
  if (e.settled.exchange(true)) return false;
  e.board->in_flight.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

bool send_answer(const exchange& e, wire out, int status, std::int64_t now_ms) {
  connection& c = *e.on;
  if (c.current.get() != &e || c.at != phase::handling || !c.socket) return false;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - e.began;
  e.board->counts.answered(status, took.count());
  return start_sending(c, std::move(out), e.board->sending, now_ms);
}

}  // namespace tilld::http
