// Between the door's thread, its workers and whoever answers later. It outlives the door as long
// as somebody still holds a responder, so a late answer falls on soft ground.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "http/connection.hpp"
#include "http/server.hpp"

namespace tilld::http {

// What a listener counts. Touched only while the server stands.
struct traffic {
  traffic(const std::string& listener, metrics& counts);

  // A request was answered so many seconds after it was there in full.
  void answered(int status, double seconds);
  // The door itself refused. Only the door's thread may call this.
  void refused(int status, std::string_view code);

  gauge connections;
  gauge in_flight;

 private:
  const std::string listener_;
  metrics& counts_;
  counter by_class_[5];
  histogram seconds_;
  std::map<std::string, counter, std::less<>> refused_;
};

// One request and its way back.
struct exchange {
  std::shared_ptr<connection> on;
  std::shared_ptr<class switchboard> board;
  request asked;
  bool head_only = false;
  bool close = false;
  std::chrono::steady_clock::time_point began;
  std::atomic<bool> settled{false};  // answered, or given up
};

// For the door: an answer to send (`about` is set), or a connection to look at.
struct mail {
  std::shared_ptr<connection> on;
  std::shared_ptr<exchange> about;
  wire out;
  int status = 0;
};

class switchboard {
 public:
  switchboard(listener_settings s, metrics& counter_source);

  const listener_settings settings;
  const send_limits sending;
  traffic counts;
  std::atomic<int> in_flight{0};
  std::atomic<bool> draining{false};
  std::atomic<bool> stopping{false};

  // An eventfd that epoll watches edge-triggered: written once per burst, never read.
  int wake_fd() const { return wake_.get(); }
  void wake();
  void post(mail m);
  std::vector<mail> take();
  // Mail that comes later is thrown away.
  void close();

 private:
  const descriptor wake_;
  std::mutex mutex_;
  bool closed_ = false;
  bool woken_ = false;
  std::vector<mail> box_;
};

std::int64_t steady_ms();

// Makes the handler's responder. Dropped unanswered, it answers 503.
responder responder_of(std::shared_ptr<exchange> e);

// While it lives, this thread is running e's handler, and an answer is written right here.
class running {
 public:
  explicit running(const exchange& e);
  ~running();
  running(const running&) = delete;
  running& operator=(const running&) = delete;
};

// Takes e out of the count of requests in flight; false if somebody was first.
bool settle(exchange& e);

// Puts the answer on its way and counts it, unless the connection went on without it. The caller
// holds the connection's mutex; returns whether the door must look at it.
bool send_answer(const exchange& e, wire out, int status, std::int64_t now_ms);

}  // namespace tilld::http
