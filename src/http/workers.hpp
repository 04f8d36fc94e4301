// The threads that run handlers, and the queue before them. The queue needs no bound of its own:
// what is in it is in flight, and most_in_flight bounds that.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tilld::http {

struct exchange;

class workers {
 public:
  using task = std::shared_ptr<exchange>;

  // `run` is called by many threads at once and must not throw. Threads are named after `name`.
  workers(int count, const std::string& name, std::function<void(const task&)> run);
  // Lets running tasks finish and forgets waiting ones.
  ~workers();

  // Empties `batch` into the queue and wakes as many threads as it takes.
  void push(std::vector<task>& batch);

 private:
  void work();

  const std::function<void(const task&)> run_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<task> queue_;
  std::size_t waiting_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace tilld::http
