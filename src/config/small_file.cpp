#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/files.hpp"
#include "config/secrets.hpp"

namespace tilld::config {

namespace {

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<error> cannot_read(const std::string& path, const std::string& cause) {
  return fail(errc::invalid, "cannot read " + presentable(path) + ": " + cause);
}

std::string cause_of(int number) {
  return std::generic_category().message(number);
}

}  // namespace

result<small_file> read_small_file(const std::string& path, std::size_t most_bytes) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) {
    const int number = errno;
    if (path.starts_with("~")) {
      return cannot_read(path, cause_of(number) + " (~ is not expanded: write the whole path)");
    }
    return cannot_read(path, cause_of(number));
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return cannot_read(path, cause_of(errno));
  if (S_ISDIR(info.st_mode)) return cannot_read(path, "it is a directory; name the file in it");
  if (!S_ISREG(info.st_mode)) return cannot_read(path, "it is not a regular file");

  small_file out;
  out.permissions = info.st_mode & 0777;
  out.content.resize(most_bytes + 1);
  std::size_t have = 0;
  while (have < out.content.size()) {
    const ssize_t got = ::read(file.get(), out.content.data() + have, out.content.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, cause_of(errno));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  if (have > most_bytes) {
    return cannot_read(path, "it has more than " + std::to_string(most_bytes) + " bytes");
  }
  out.content.resize(have);
  return out;
}

}  // namespace tilld::config
