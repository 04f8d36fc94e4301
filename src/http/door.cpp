#include "http/door.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.hpp"

namespace tilld::http {

namespace {

constexpr std::uint64_t key_of_listener = ~std::uint64_t{0};
constexpr std::uint64_t key_of_wake = key_of_listener - 1;
constexpr int events_per_turn = 256;
constexpr int accepts_per_turn = 64;  // so that who is in is served between
constexpr std::int64_t accept_pause_ms = 50;
constexpr std::chrono::milliseconds slow_for_door{1};
constexpr std::int64_t workers_only_ms = 1'000;
constexpr int refusals_at_once = 64;              // connections past the limit that are told so
constexpr std::size_t scratch_bytes = 32u << 10;  // a head at its limit, and as much again

bool watch(int epoll, int fd, std::uint32_t events, std::uint64_t key) {
  epoll_event wanted{};
  wanted.events = events;
  wanted.data.u64 = key;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) == 0;
}

bool somebody_waits(int listening_socket) {
  pollfd wanted{listening_socket, POLLIN, 0};
  return ::poll(&wanted, 1, 0) > 0;
}

// Signals are for the main thread; threads that are made meanwhile never see one.
class without_signals {
 public:
  without_signals() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~without_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  without_signals(const without_signals&) = delete;
  without_signals& operator=(const without_signals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

server::door::door(listener_settings settings, router routes, metrics& counts)
    : board_(std::make_shared<switchboard>(std::move(settings), counts)),
      routes_(std::move(routes)),
      library_(routes_),
      scratch_(scratch_bytes) {}

server::door::~door() {
  board_->stopping = true;
  board_->wake();
  if (thread_.joinable()) thread_.join();
  workers_.reset();
  board_->close();
  // A connection and its request hold each other while an answer is awaited.
  for (const connection_ptr& c : slots_) {
    if (!c) continue;
    const std::lock_guard lock(c->mutex);
    c->current.reset();
    c->socket.reset();
  }
}

result<void> server::door::start() {
  const listener_settings& s = board_->settings;
  auto bound = listen_on(s.address, s.port);
  if (!bound) return std::unexpected(bound.error());
  listening_ = std::move(*bound);
  epoll_ = descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_ || board_->wake_fd() < 0 ||
      !watch(epoll_.get(), board_->wake_fd(), EPOLLIN | EPOLLET, key_of_wake) ||
      !watch(epoll_.get(), listening_.socket.get(), EPOLLIN, key_of_listener)) {
    return fail(errc::unavailable, "cannot watch sockets for the listener " + s.name +
                                       "; the limit of open files may be too low");
  }
  const without_signals here;
  try {
    workers_ = std::make_unique<workers>(s.workers, s.name + "-worker",
                                         [this](const workers::task& e) { handle(e); });
    thread_ = std::jthread([this] { run(); });
  } catch (const std::system_error& e) {
    return fail(errc::unavailable,
                "cannot start the threads of the listener " + s.name + ": " + e.what());
  }
  ::pthread_setname_np(thread_.native_handle(), (s.name + "-door").substr(0, 15).c_str());
  return {};
}

void server::door::handle(const workers::task& e) {
  const running here(*e);
  library_.run(e->asked, responder_of(e));
}

// Who comes meanwhile waits for a handler that runs here, so a slow one sends the next ones to the
// workers for a while.
void server::door::hand_over() {
  const bool alone = board_->settings.alone_at_door && ready_.size() == 1;
  if (!alone || now_ms_ < alone_again_ms_) return workers_->push(ready_);
  const workers::task one = std::move(ready_.front());
  ready_.clear();
  const auto began = std::chrono::steady_clock::now();
  handle(one);
  if (std::chrono::steady_clock::now() - began > slow_for_door) {
    alone_again_ms_ = now_ms_ + workers_only_ms;
  }
}

void server::door::run() {
  std::array<epoll_event, events_per_turn> events;
  while (!board_->stopping) {
    const int n = ::epoll_wait(epoll_.get(), events.data(), events_per_turn, wait_ms());
    now_ms_ = steady_ms();
    for (int i = 0; i < n; ++i)
      on_event(events[i].data.u64, events[i].events);
    hand_over();
    if (accept_again_ms_ != 0 && now_ms_ >= accept_again_ms_) resume_accepting();
    if (now_ms_ >= look_for_late_ms_) find_late();
    if (board_->draining) sweep_for_drain();
    board_->counts.connections.set(open_);
    board_->counts.in_flight.set(in_flight());
  }
}

int server::door::wait_ms() const {
  if (board_->draining) return 10;
  if (open_ == 0 && orphans_.empty() && accept_again_ms_ == 0) return -1;
  std::int64_t next = look_for_late_ms_;
  if (accept_again_ms_ != 0) next = std::min(next, accept_again_ms_);
  return static_cast<int>(std::clamp<std::int64_t>(next - steady_ms(), 0, 60'000));
}

void server::door::on_event(std::uint64_t key, std::uint32_t events) {
  if (key == key_of_listener) return accept_some();
  if (key == key_of_wake) return read_mail();
  const std::size_t slot = key & 0xffffffffu;
  const connection_ptr c = slots_[slot];
  if (!c || c->key != key) return;  // closed earlier in this turn
  const std::lock_guard lock(c->mutex);
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) c->readable = true;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) c->hung_up = true;
  const bool reset = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (reset && (c->at == phase::handling || c->at == phase::sending)) return close(*c);
  if (c->at == phase::sending && (events & EPOLLOUT)) send_on(*c, board_->sending, now_ms_);
  look_at(*c);
}

void server::door::read_mail() {
  for (mail& m : board_->take()) {
    const std::lock_guard lock(m.on->mutex);
    if (m.about) send_answer(*m.about, std::move(m.out), m.status, now_ms_);
    look_at(*m.on);
  }
}

void server::door::look_at(connection& c) {
  switch (c.at) {
    case phase::idle:
    case phase::head:
    case phase::body:
      return receive(c);
    case phase::lingering:
      return linger(c);
    case phase::handling:
    case phase::sending:
    case phase::closed:
      return;
  }
}

void server::door::linger(connection& c) {
  for (;;) {
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): the socket does not block
    const ssize_t n = ::recv(c.socket.get(), scratch_.data(), scratch_.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return close(c);
    c.drained += static_cast<std::size_t>(n);
    if (c.drained > linger_bytes) return close(c);
  }
}

void server::door::close(connection& c) {
  if (!c.socket) return;
  if (c.at == phase::handling && c.current && !c.current->settled) {
    orphans_.push_back({c.current, c.deadline_ms});
  }
  c.socket.reset();
  c.at = phase::closed;
  c.received = {};
  c.out = {};
  c.current.reset();
  --open_;
  const std::size_t slot = c.key & 0xffffffffu;
  slots_[slot].reset();
  free_slots_.push_back(static_cast<std::uint32_t>(slot));
}

// -- who comes --------------------------------------------------------------------------------

void server::door::accept_some() {
  for (int i = 0; i < accepts_per_turn && listening_.socket; ++i) {
    accepted who = accept_from(listening_.socket.get());
    if (who.socket) {
      admit(std::move(who));
      continue;
    }
    switch (who.error) {
      case EAGAIN:
        return;
      // Errors of one connection that was still waiting (accept(2)): the next may be well.
      case EINTR:
      case ECONNABORTED:
      case EPROTO:
      case EPERM:
      case ENETDOWN:
      case ENETUNREACH:
      case EHOSTDOWN:
      case EHOSTUNREACH:
      case ENONET:
      case ENOPROTOOPT:
      case EOPNOTSUPP:
      case ETIMEDOUT:
        continue;
      case EMFILE:
      case ENFILE:
        // The kernel looks for a descriptor first, so this comes also when nobody waits.
        if (!somebody_waits(listening_.socket.get())) return;
        if (make_room()) continue;
        return pause_accepting(who.error);
      default:
        return pause_accepting(who.error);
    }
  }
}

void server::door::admit(accepted who) {
  const int most = board_->settings.most_connections;
  const bool full = open_ >= most && !make_room();
  if (full && open_ >= most + refusals_at_once) {
    board_->counts.refused(0, "dropped_unanswered");
    return;
  }
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
    generations_.push_back(0);
  }
  const std::uint32_t slot = free_slots_.back();
  const std::uint64_t key = std::uint64_t{++generations_[slot]} << 32 | slot;
  const int fd = who.socket.get();
  auto c = std::make_shared<connection>(std::move(who.socket), std::move(who.remote), key);
  const std::lock_guard lock(c->mutex);
  enter(*c, phase::idle, now_ms_, now_ms_ + board_->settings.idle_deadline_ms);
  if (!watch(epoll_.get(), fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, key)) return;
  free_slots_.pop_back();
  slots_[slot] = c;
  ++open_;
  if (full) {
    refuse(*c, 503, "too_many_connections", "This listener has no connection left; try again.");
    look_at(*c);
  }
}

void server::door::pause_accepting(int cause) {
  static log::limited lines(1);
  lines.write(log::level::warning, "accept_paused",
              {{"listener", board_->settings.name}, {"errno", cause}, {"connections", open_}});
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listening_.socket.get(), nullptr);
  accept_again_ms_ = now_ms_ + accept_pause_ms;
}

void server::door::resume_accepting() {
  accept_again_ms_ = 0;
  if (!listening_.socket) return;
  if (!watch(epoll_.get(), listening_.socket.get(), EPOLLIN, key_of_listener)) {
    accept_again_ms_ = now_ms_ + accept_pause_ms;
  }
}

}  // namespace tilld::http
