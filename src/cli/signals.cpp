#include "cli/signals.hpp"

#include <pthread.h>
#include <unistd.h>

namespace tilld::cli {

signals::signals() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

void signals::wait() {
  int which = 0;
  sigwait(&set_, &which);
}

void signals::raise() {
  ::kill(::getpid(), SIGTERM);
}

}  // namespace tilld::cli
