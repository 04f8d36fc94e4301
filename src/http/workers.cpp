#include "http/workers.hpp"

#include <algorithm>

#include <pthread.h>

namespace tilld::http {

workers::workers(int count, const std::string& name, std::function<void(const task&)> run)
    : run_(std::move(run)) {
  for (int i = 0; i < std::max(count, 1); ++i) {
    threads_.emplace_back([this] { work(); });
    // The kernel keeps 15 letters of a thread's name.
    ::pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
  }
}

workers::~workers() {
  std::deque<task> forgotten;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    forgotten.swap(queue_);
  }
  wanted_.notify_all();
  threads_.clear();
}

void workers::push(std::vector<task>& batch) {
  if (batch.empty()) return;
  std::size_t to_wake = 0;
  {
    const std::lock_guard lock(mutex_);
    for (task& one : batch)
      queue_.push_back(std::move(one));
    to_wake = std::min(waiting_, batch.size());
  }
  batch.clear();
  for (; to_wake > 0; --to_wake)
    wanted_.notify_one();
}

void workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    while (queue_.empty() && !stopping_) {
      ++waiting_;
      wanted_.wait(lock);
      --waiting_;
    }
    if (stopping_) return;
    task next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    run_(next);
    next.reset();  // the last reference may run a destructor that answers
    lock.lock();
  }
}

}  // namespace tilld::http
