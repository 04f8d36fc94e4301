// The one translation unit that instantiates Catch2's runner for every unit test program.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <csignal>

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // as tilld's own main does: a peer that leaves is not a signal
  return Catch::Session().run(argc, argv);
}
