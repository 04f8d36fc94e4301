// kill -9 of a process that commits: what it had acknowledged is there, batches are whole.
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixtures.hpp"
#include "store/rocks_store.hpp"

using namespace tilld;
using namespace tilld::store;
using namespace tilld::store::testing;

namespace {

constexpr int pipe_of_child = 17;

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value ? value : "";
}

int kills() {
  const std::string factor = environment("TILLD_KILLS");
  return factor.empty() ? 20 : std::stoi(factor);
}

std::string payload(std::uint64_t number) {
  return std::string(static_cast<std::size_t>(number * 7919 % 5000),
                     static_cast<char>('a' + number % 26));
}

// One batch, with rows in four families that belong together.
batch numbered(std::uint64_t number) {
  const std::string name = std::to_string(number);
  batch one;
  one.expect_absent(family::objects, name);
  one.put(family::objects, name, payload(number));
  one.put(family::index, name, "");
  one.put(family::events, name, payload(number + 1));
  one.append(family::feed, name);
  return one;
}

void send(std::uint64_t number) {
  const std::string bytes = number_key(number);
  if (::write(pipe_of_child, bytes.data(), bytes.size()) < 0) std::_Exit(3);
}

// Commits for ever and tells each number that was acknowledged.
[[noreturn]] void commit_until_killed(const std::string& path) {
  auto opened = open_rocks_store(small_options(path));
  if (!opened) std::_Exit(4);
  std::uint64_t next = (*opened)->last_number(family::feed) + 1;
  send(next - 1);
  for (std::size_t size = 1;; size = size % 16 + 1) {
    std::vector<batch> group;
    for (std::size_t i = 0; i < size; ++i)
      group.push_back(numbered(next + i));
    for (const std::string& said : commit_all(**opened, group)) {
      if (said != "applied") std::_Exit(5);
      send(next++);
    }
  }
}

struct child {
  pid_t pid = 0;
  int from = -1;
};

child start(const std::string& path) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  ::setenv("TILLD_KILL_CHILD", path.c_str(), 1);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], pipe_of_child);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, 1);
    ::execl("/proc/self/exe", "unit_store", "[.kill-child]", static_cast<char*>(nullptr));
    std::_Exit(127);
  }
  ::unsetenv("TILLD_KILL_CHILD");
  ::close(ends[1]);
  ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  return {pid, ends[0]};
}

// The next number, or nullopt when the other end is closed.
std::optional<std::uint64_t> receive(int from) {
  std::array<char, 8> bytes{};
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t n = ::read(from, bytes.data() + got, bytes.size() - got);
    if (n <= 0) return std::nullopt;
    got += static_cast<std::size_t>(n);
  }
  return read_be64(bytes.data());
}

bool whole(const store::store& in, std::uint64_t number, bool expected) {
  const std::string name = std::to_string(number);
  const auto object = in.get(family::objects, name).value();
  const auto index = in.get(family::index, name).value();
  const auto event = in.get(family::events, name).value();
  const auto feed = in.get(family::feed, number_key(number)).value();
  if (!expected) return !object && !index && !event && !feed;
  return object == payload(number) && index == "" && event == payload(number + 1) && feed == name;
}

}  // namespace

TEST_CASE("The child of the kill test", "[.kill-child]") {
  const std::string path = environment("TILLD_KILL_CHILD");
  REQUIRE_FALSE(path.empty());
  commit_until_killed(path);
}

TEST_CASE("After kill -9 every acknowledged batch is there, and every batch whole") {
  const temp_dir dir;
  const std::string path = dir / "db";
  std::mt19937 random(20'261'121);
  std::uniform_int_distribution<int> delay_us(0, 60'000);
  std::uint64_t checked = 0;
  std::uint64_t acknowledged = 0;
  for (int kill = 0; kill < kills(); ++kill) {
    INFO("kill " << kill);
    const child victim = start(path);
    const auto first = receive(victim.from);
    REQUIRE(first.has_value());
    REQUIRE(*first >= acknowledged);
    std::this_thread::sleep_for(std::chrono::microseconds(delay_us(random)));
    ::kill(victim.pid, SIGKILL);
    acknowledged = *first;
    while (const auto number = receive(victim.from))
      acknowledged = *number;
    ::close(victim.from);
    int status = 0;
    ::waitpid(victim.pid, &status, 0);
    REQUIRE(WIFSIGNALED(status));

    const auto opened = open_rocks_store(small_options(path));
    if (!opened) FAIL(opened.error().message);
    const std::uint64_t last = (*opened)->last_number(family::feed);
    REQUIRE(last >= acknowledged);
    CHECK(last <= acknowledged + 16);  // at most the group that was on its way
    for (std::uint64_t n = checked + 1; n <= last; ++n) {
      INFO(n);
      REQUIRE(whole(**opened, n, true));
    }
    REQUIRE(whole(**opened, last + 1, false));
    checked = last;
  }
  CHECK(checked > static_cast<std::uint64_t>(kills()));
  // What was checked after earlier kills is still there after the later ones.
  const auto opened = open_rocks_store(small_options(path));
  REQUIRE(opened.has_value());
  for (std::uint64_t n = 1; n <= checked; ++n)
    REQUIRE(whole(**opened, n, true));
  std::size_t rows = 0;
  REQUIRE((*opened)->scan({family::objects}, [&](auto, auto) { return ++rows > 0; }).has_value());
  CHECK(rows == checked);
  WARN(kills() << " kills, " << checked << " batches acknowledged or on their way, none lost");
}
