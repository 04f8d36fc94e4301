#include "store/rocks_directory.hpp"

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tilld::store {

namespace {

namespace fs = std::filesystem;

std::string reason() {
  return std::generic_category().message(errno);
}

// Made only after CURRENT.
bool is_data(const std::string& name) {
  return name.ends_with(".sst") || name.ends_with(".blob") || name.ends_with(".log");
}

// Made by a first open before CURRENT, or by the file system.
bool is_harmless(const std::string& name) {
  return name == "LOCK" || name == "IDENTITY" || name.starts_with("LOG") ||
         name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-") ||
         name.ends_with(".dbtmp") || name == "lost+found";
}

}  // namespace

result<directory_content> look_into(const std::string& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status)) {
    if (failed && failed != std::errc::no_such_file_or_directory) {
      return fail(errc::unavailable, "cannot look into " + path + ": " + failed.message());
    }
    return directory_content::nothing;
  }
  if (!fs::is_directory(status)) {
    return fail(errc::unavailable, path + " is not a directory (choose another --data)");
  }
  fs::directory_iterator entries(path, failed);
  std::string foreign;
  bool data = false;
  for (; !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
    const std::string name = entries->path().filename().string();
    if (name == "CURRENT") return directory_content::store;
    if (is_data(name)) {
      data = true;
    } else if (!is_harmless(name)) {
      foreign = name;
    }
  }
  if (failed) return fail(errc::unavailable, "cannot look into " + path + ": " + failed.message());
  if (data) {
    return fail(errc::corrupt,
                path +
                    " holds a store whose file CURRENT is missing (put that file back, or "
                    "restore a backup into a new directory)");
  }
  if (!foreign.empty()) {
    return fail(errc::invalid, path + " is not empty and holds no store, but \"" + foreign +
                                   "\" (choose an empty or a new directory)");
  }
  return directory_content::nothing;
}

result<void> make_directory(const std::string& path) {
  std::error_code failed;
  fs::path at = fs::absolute(path, failed);
  if (!at.has_filename()) at = at.parent_path();  // "data/"
  fs::create_directories(at.parent_path(), failed);
  if (::mkdir(at.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(errc::unavailable, "cannot make " + path + ": " + reason());
  }
  const int parent = ::open(at.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = parent >= 0 && ::fsync(parent) == 0;
  const std::string why = synced ? "" : reason();
  if (parent >= 0) ::close(parent);
  if (!synced) return fail(errc::unavailable, "cannot make " + path + " durable: " + why);
  return {};
}

}  // namespace tilld::store
