// A disk that is really full (a small tmpfs; needs the right to mount).
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include <sys/mount.h>
#include <sys/statvfs.h>

#include "fixtures.hpp"
#include "store/rocks_store.hpp"

using namespace tilld;
using namespace tilld::store;
using namespace tilld::store::testing;

namespace {

class small_disk {
 public:
  explicit small_disk(int megabytes) {
    const std::string size = "size=" + std::to_string(megabytes) + "m";
    mounted_ = ::mount("tmpfs", dir_.path().c_str(), "tmpfs", 0, size.c_str()) == 0;
    if (!mounted_) WARN("skipped: cannot mount a small tmpfs: " << std::strerror(errno));
  }
  ~small_disk() {
    if (mounted_) ::umount2(dir_.path().c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  bool mounted() const { return mounted_; }
  std::string operator/(const std::string& name) const { return dir_ / name; }
  void ballast(std::size_t megabytes) const {
    write_file(dir_ / "ballast", std::string(megabytes << 20, 'x'));
  }
  void drop_ballast() const { std::filesystem::remove(dir_ / "ballast"); }

 private:
  temp_dir dir_;
  bool mounted_ = false;
};

std::string noise(int seed) {
  std::string out;
  for (std::uint32_t x = static_cast<std::uint32_t>(seed) + 1; out.size() < 4000;) {
    x = x * 1664525 + 1013904223;
    out.push_back(static_cast<char>(x >> 24));
  }
  return out;
}

std::string name_of(int i) {
  return "k" + std::to_string(i);
}

// Commits until refused; how many were acknowledged in all.
int fill(store::store& it, int from) {
  for (int i = from; i < from + 20'000; ++i) {
    const auto answer = it.commit(putting(family::events, name_of(i), noise(i)));
    if (answer) continue;
    CHECK(answer.error().code == errc::unavailable);
    return i;
  }
  FAIL("the disk does not fill up");
  return 0;
}

void all_there(const store::store& in, int count) {
  for (int i = 0; i < count; ++i) {
    INFO(i);
    REQUIRE(in.get(family::events, name_of(i)).value() == noise(i));
  }
}

bool writable_soon(const store::store& it) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    if (it.state().writable) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

void fill_and_free(int disk_megabytes, std::uint64_t least_free, const char* why) {
  const small_disk disk(disk_megabytes);
  if (!disk.mounted()) return;
  auto options = small_options(disk / "db");
  options.least_free_bytes = least_free;
  disk.ballast(20);
  auto it = open_rocks_store(options).value();
  int count = 0;
  for (int round = 0; round < 3; ++round) {
    INFO("round " << round);
    const int before = count;
    count = fill(*it, count);
    if (round == 0) CHECK(count > 500);
    const condition now = it->state();
    CHECK_FALSE(now.writable);
    CHECK_FALSE(now.fatal);
    CHECK(now.why.find(why) != std::string::npos);
    all_there(*it, count);

    disk.drop_ballast();
    REQUIRE(writable_soon(*it));
    REQUIRE(it->commit(putting(family::events, name_of(count), noise(count))).has_value());
    ++count;
    CHECK(count > before);
    // Make room for the next round, as an operator or a retention limit would.
    batch away;
    for (int i = 0; i < count; ++i)
      away.erase(family::events, name_of(i));
    REQUIRE(it->commit(away).has_value());
    it.reset();
    it = open_rocks_store(options).value();
    CHECK(rows_of(*it, family::events).empty());
    disk.ballast(16);
    count = 0;
  }
}

}  // namespace

TEST_CASE("Short of space, batches are refused before the disk is full, and go on when it is not") {
  // Room for 8 MB of rows, and above the least for all of them to be compacted.
  fill_and_free(40, 12u << 20, "nearly full");
}

TEST_CASE("On a full disk reads go on, nothing acknowledged is lost, and writing resumes") {
  fill_and_free(40, 0, "No space left on device");
}

TEST_CASE("What was acknowledged before the disk was full is there after a restart") {
  const small_disk disk(24);
  if (!disk.mounted()) return;
  auto options = small_options(disk / "db");
  options.least_free_bytes = 0;
  disk.ballast(10);
  auto it = open_rocks_store(options).value();
  const int count = fill(*it, 0);
  it.reset();
  disk.drop_ballast();
  it = open_rocks_store(options).value();
  all_there(*it, count);
  CHECK(it->commit(putting(family::events, name_of(count), noise(count))).has_value());
}
