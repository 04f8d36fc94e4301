#include <csignal>

#include "cli/app.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that leaves is an error on its socket, not a signal
  return tilld::cli::run(argc, argv);
}
