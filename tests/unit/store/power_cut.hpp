// A file system that forgets on demand what was not synced, as a machine does when its power goes.
//
// What it forgets at a cut: of each file, a random part of what was appended after its last sync
// (of a log, the part that stays may end in garbage); of the directory, at random, each file made
// and each rename done after the directory's last sync. Nothing is really synced, so it is quick.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include "fixtures.hpp"

namespace tilld::store::testing {

class power_system final : public rocksdb::FileSystemWrapper {
 public:
  explicit power_system(std::uint32_t seed)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), random_(seed) {}
  const char* Name() const override { return "power_system"; }

  // The power goes at the n-th change from now: that one and all later ones fail.
  void cut_after(int changes) {
    const std::lock_guard lock(mutex_);
    changes_left_ = changes;
  }
  bool dead() const {
    const std::lock_guard lock(mutex_);
    return dead_;
  }
  // Nobody may have a file open any more.
  void forget() {
    const std::lock_guard lock(mutex_);
    for (const auto& [target, before] : renamed_) {
      if (coin()) continue;
      files_.erase(target);
      if (before) {
        write_file(target, *before);
      } else {
        std::filesystem::remove(target);
      }
    }
    for (const auto& [name, file] : files_)
      forget_in(name, file);
  }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    if (!change()) return gone();
    auto status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (!status.ok()) return status;
    const std::lock_guard lock(mutex_);
    files_[name] = {};
    *file = std::make_unique<writable>(std::move(*file), *this, name);
    return status;
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    if (!change()) return gone();
    const std::lock_guard lock(mutex_);
    const bool there = std::filesystem::exists(to);
    renamed_.try_emplace(to, there ? std::optional(read_file(to)) : std::nullopt);
    auto status = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (auto moved = files_.extract(from); !moved.empty()) {
      moved.mapped().entered = true;  // the rename itself is what may be forgotten
      files_.insert_or_assign(to, moved.mapped());
    }
    return status;
  }
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    if (!change()) return gone();
    const std::lock_guard lock(mutex_);
    files_.erase(name);
    return FileSystemWrapper::DeleteFile(name, options, debug);
  }
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* debug) override {
    auto status = FileSystemWrapper::NewDirectory(name, options, directory, debug);
    if (status.ok()) *directory = std::make_unique<synced_directory>(std::move(*directory), *this);
    return status;
  }

 private:
  struct file_state {
    std::uint64_t written = 0;
    std::uint64_t synced = 0;
    bool entered = false;  // its name is in the synced directory
  };

  class writable final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    writable(std::unique_ptr<rocksdb::FSWritableFile> file, power_system& all, std::string name)
        : FSWritableFileOwnerWrapper(std::move(file)), all_(all), name_(std::move(name)) {}
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      return all_.append(name_, data.size(),
                         [&] { return FSWritableFileOwnerWrapper::Append(data, options, debug); });
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo& info,
                             rocksdb::IODebugContext* debug) override {
      return all_.append(name_, data.size(), [&] {
        return FSWritableFileOwnerWrapper::Append(data, options, info, debug);
      });
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
      return all_.sync(name_);
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
      return all_.sync(name_);
    }

   private:
    power_system& all_;
    const std::string name_;
  };

  class synced_directory final : public rocksdb::FSDirectoryWrapper {
   public:
    synced_directory(std::unique_ptr<rocksdb::FSDirectory> directory, power_system& all)
        : FSDirectoryWrapper(std::move(directory)), all_(all) {}
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
      return all_.sync_directory();
    }
    rocksdb::IOStatus FsyncWithDirOptions(const rocksdb::IOOptions&, rocksdb::IODebugContext*,
                                          const rocksdb::DirFsyncOptions&) override {
      return all_.sync_directory();
    }

   private:
    power_system& all_;
  };

  static rocksdb::IOStatus gone() { return rocksdb::IOStatus::IOError("the power is gone"); }

  bool change() {
    const std::lock_guard lock(mutex_);
    if (changes_left_ > 0 && --changes_left_ == 0) dead_ = true;
    return !dead_;
  }
  template <class Append>
  rocksdb::IOStatus append(const std::string& name, std::size_t size, Append really) {
    const bool alive = change();
    // The write that the power cut hits may still have reached the disk, in part.
    const std::lock_guard lock(mutex_);
    if (!alive && !std::exchange(last_write_open_, false)) return gone();
    const auto status = really();
    files_[name].written += size;
    return alive ? status : gone();
  }
  rocksdb::IOStatus sync(const std::string& name) {
    if (!change()) return gone();
    const std::lock_guard lock(mutex_);
    files_[name].synced = files_[name].written;
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus sync_directory() {
    if (!change()) return gone();
    const std::lock_guard lock(mutex_);
    for (auto& [name, file] : files_)
      file.entered = true;
    renamed_.clear();
    return rocksdb::IOStatus::OK();
  }

  bool coin() { return random_() % 2 == 0; }

  void forget_in(const std::string& name, const file_state& file) {
    if (!std::filesystem::exists(name)) return;
    if (!file.entered && coin()) {
      std::filesystem::remove(name);
      return;
    }
    if (file.written == file.synced) return;
    std::string bytes = read_file(name);
    const std::uint64_t kept = file.synced + random_() % (file.written - file.synced + 1);
    bytes.resize(kept);
    if (name.ends_with(".log") && coin()) {
      for (std::uint64_t i = std::max(file.synced, kept - std::min<std::uint64_t>(kept, 512));
           i < kept; ++i) {
        bytes[i] = static_cast<char>(random_());
      }
    }
    write_file(name, bytes);
  }

  mutable std::mutex mutex_;
  std::mt19937 random_;
  int changes_left_ = 0;  // 0: no cut is planned
  bool dead_ = false;
  bool last_write_open_ = true;
  std::map<std::string, file_state> files_;
  std::map<std::string, std::optional<std::string>> renamed_;  // target → what it was before
};

// RocksDB sleeps for a second after each failed job in the background; here it is a millisecond.
class hasty_clock final : public rocksdb::SystemClockWrapper {
 public:
  hasty_clock() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  const char* Name() const override { return "hasty_clock"; }
  void SleepForMicroseconds(int micros) override {
    SystemClockWrapper::SleepForMicroseconds(std::min(micros, 1000));
  }
};

class hasty_env final : public rocksdb::EnvWrapper {
 public:
  explicit hasty_env(std::shared_ptr<rocksdb::FileSystem> system)
      : EnvWrapper(rocksdb::Env::Default()) {
    file_system_ = std::move(system);
    system_clock_ = std::make_shared<hasty_clock>();
  }
};

}  // namespace tilld::store::testing
