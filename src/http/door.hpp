// The thread in front: it accepts, reads, frames, refuses, keeps the deadlines and closes. Inside
// of server; split over three files: door.cpp (the loop, who comes and who goes), reception.cpp
// (from bytes to requests) and deadlines.cpp (who is late, who must make room, draining).
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "http/library.hpp"
#include "http/server.hpp"
#include "http/switchboard.hpp"
#include "http/workers.hpp"

namespace tilld::http {

class server::door {
 public:
  door(listener_settings settings, router routes, metrics& counts);
  ~door();

  result<void> start();
  int drain(std::int64_t deadline_ms);
  std::uint16_t port() const { return listening_.port; }
  int in_flight() const { return board_->in_flight.load(std::memory_order_relaxed); }

 private:
  using connection_ptr = std::shared_ptr<connection>;

  // -- door.cpp
  void run();
  int wait_ms() const;
  void on_event(std::uint64_t key, std::uint32_t events);
  void read_mail();
  void accept_some();
  void admit(accepted who);
  void pause_accepting(int cause);
  void resume_accepting();
  void hand_over();
  void handle(const workers::task& e);
  // The rest of the door holds the connection's mutex.
  void look_at(connection& c);
  void linger(connection& c);
  void close(connection& c);

  // -- reception.cpp
  void receive(connection& c);
  bool receive_bytes(connection& c);
  bool receive_body(connection& c);
  bool has_read(connection& c, ssize_t n, std::size_t asked);
  void keep_rest(connection& c, std::string_view rest);
  std::size_t frame(connection& c, std::string_view bytes);
  std::size_t frame_one(connection& c, std::string_view bytes);
  void begin_request(connection& c, const head& h, std::string_view body_so_far);
  void request_complete(connection& c);
  bool may_call_us(std::string_view host) const;
  void refuse(connection& c, int status, std::string_view code, std::string_view message,
              bool keep_open = false);

  // -- deadlines.cpp
  void find_late();
  void find_late_orphans();
  void late(connection& c);
  bool make_room();
  void find_idlers();
  void sweep_for_drain();

  const std::shared_ptr<switchboard> board_;
  const router routes_;
  library library_;

  listening listening_;
  descriptor epoll_;
  std::int64_t now_ms_ = 0;           // read once per turn of the loop
  std::int64_t accept_again_ms_ = 0;  // 0: accepting
  std::int64_t look_for_late_ms_ = 0;
  std::int64_t look_for_idlers_ms_ = 0;

  std::vector<connection_ptr> slots_;  // by the lower half of a connection's key
  std::vector<std::uint32_t> generations_;
  std::vector<std::uint32_t> free_slots_;
  int open_ = 0;
  // Requests whose client went away before the answer: they still count as in flight.
  struct orphan {
    std::shared_ptr<exchange> request;
    std::int64_t deadline_ms;
  };
  std::vector<orphan> orphans_;
  // Candidates to make room, the longest idle last, with the time that they idled since.
  std::vector<std::pair<std::int64_t, std::uint64_t>> idlers_;

  std::int64_t alone_again_ms_ = 0;   // after a slow handler
  std::vector<workers::task> ready_;  // requests for the workers, handed over once a turn
  std::vector<char> scratch_;
  int requests_left_ = 0;  // that one connection may have framed in this look

  std::mutex drain_mutex_;
  std::condition_variable drain_step_;
  bool drained_ = false;

  std::unique_ptr<workers> workers_;
  std::jthread thread_;
};

}  // namespace tilld::http
