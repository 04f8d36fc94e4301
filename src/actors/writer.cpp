#include "actors/writer.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/log.hpp"

namespace tilld::actors {

namespace {

using writer_ptr = writer_actor::stateful_pointer<writer_state>;

// How many of the queue go into the next write.
std::size_t share_of(const std::vector<writer_state::waiting>& queue) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < queue.size() && count < bounds::batches_per_commit &&
         (count == 0 || bytes < bounds::bytes_per_commit)) {
    bytes += queue[count].batch->bytes();
    ++count;
  }
  return count;
}

void commit_some(writer_ptr self, store::store& store, const context& shared,
                 const std::function<void(std::string)>& on_fatal) {
  auto& queue = self->state.queue;
  const std::size_t count = share_of(queue);
  std::vector<const store::batch*> group;
  group.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    group.push_back(queue[i].batch.get());
  const std::int64_t began = shared.time.mono_ms();
  auto results = store.commit(group);
  shared.count.commits.add();
  shared.count.committed_batches.add(static_cast<double>(count));
  shared.count.commit_seconds.observe(static_cast<double>(shared.time.mono_ms() - began) / 1000.0);
  bool failed = false;
  for (std::size_t i = 0; i < count; ++i) {
    commit_answer answer;
    if (!results[i]) {
      answer.failed = results[i].error();
      if (answer.failed->code == errc::conflict) shared.count.conflicts.add();
      if (answer.failed->code != errc::conflict) failed = true;
    }
    queue[i].answer.deliver(std::move(answer));
  }
  queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
  if (!failed) return;
  shared.count.commit_failures.add();
  const store::condition now = store.state();
  log::error("commit_failed", {{"why", now.why}, {"fatal", now.fatal}});
  if (now.fatal) on_fatal(now.why);
}

}  // namespace

writer_actor::behavior_type writer(writer_ptr self, store::store* store, const context* shared,
                                   std::function<void(std::string why)> on_fatal) {
  return {
      [self](const commit_batch& what) {
        auto promise = self->make_response_promise<commit_answer>();
        self->state.queue.push_back({what.batch, promise});
        if (!std::exchange(self->state.flush_sent, true)) {
          // Behind whatever is already in the mailbox: that joins this write.
          self->send(caf::actor_cast<writer_actor>(self), flush{});
        }
        return promise;
      },
      [self, store, shared, on_fatal](flush) {
        self->state.flush_sent = false;
        while (!self->state.queue.empty())
          commit_some(self, *store, *shared, on_fatal);
      },
  };
}

}  // namespace tilld::actors
