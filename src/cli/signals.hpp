// SIGTERM and SIGINT, waited for instead of handled.
#pragma once

#include <csignal>

namespace tilld::cli {

class signals {
 public:
  // Blocks them in this thread and in every thread it starts from now on.
  signals();
  // Until one of them comes, or raise() is called.
  void wait();
  void raise();

 private:
  sigset_t set_;
};

}  // namespace tilld::cli
