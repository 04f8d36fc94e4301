// The writer: the one who commits. Whatever batches have queued up go into one synced write, and
// then each sender is answered. It blocks on the disk, so it is spawned on a thread of its own.
#pragma once

#include <functional>

#include "actors/context.hpp"
#include "actors/messages.hpp"

namespace tilld::actors {

struct writer_state {
  static inline const char* name = "writer";
  struct waiting {
    std::shared_ptr<const store::batch> batch;
    caf::typed_response_promise<commit_answer> answer;
  };
  std::vector<waiting> queue;
  bool flush_sent = false;
};

// `on_fatal` is called once when the store can no longer promise anything (a failed sync).
writer_actor::behavior_type writer(writer_actor::stateful_pointer<writer_state> self,
                                   store::store* store, const context* shared,
                                   std::function<void(std::string why)> on_fatal);

}  // namespace tilld::actors
