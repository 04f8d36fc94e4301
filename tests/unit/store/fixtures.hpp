// What the tests of the store share: directories that go away, the two stores behind one name,
// generators of keys.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <rapidcheck.h>
#include <stdlib.h>

#include "base/bytes.hpp"
#include "store/memory_store.hpp"
#include "store/rocks_store.hpp"
#include "support/catch.hpp"

namespace tilld::store::testing {

class temp_dir {
 public:
  temp_dir() {
    std::string pattern = "/tmp/tilld_store_XXXXXX";
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~temp_dir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Every file of a directory with its bytes, to see that nothing was touched.
inline std::map<std::string, std::string> contents(const std::string& directory) {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    out[entry.path().filename().string()] = read_file(entry.path());
  }
  return out;
}

inline rocks_options small_options(std::string path) {
  rocks_options options;
  options.path = std::move(path);
  options.cache_bytes = 8u << 20;
  options.write_buffer_bytes = 1u << 20;
  options.least_free_bytes = 1u << 20;
  return options;
}

enum class kind { memory, rocks };

// A store of either kind; one on disk can be closed and opened again.
class subject {
 public:
  explicit subject(kind which) : which_(which) { open(); }

  store& operator*() const { return *store_; }
  store* operator->() const { return store_.get(); }
  void reopen() {
    if (which_ == kind::memory) return;
    store_.reset();
    open();
  }

 private:
  void open() {
    if (which_ == kind::memory) {
      store_ = open_memory_store();
      return;
    }
    auto opened = open_rocks_store(small_options(dir_ / "db"));
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }
  const kind which_;
  temp_dir dir_;
  std::unique_ptr<store> store_;
};

using row_list = std::vector<std::pair<std::string, std::string>>;

inline row_list rows_of(const reader& from, const scan_range& range) {
  row_list out;
  const auto done = from.scan(range, [&](std::string_view key, std::string_view value) {
    out.emplace_back(key, value);
    return true;
  });
  REQUIRE(done.has_value());
  return out;
}

inline row_list rows_of(const reader& from, family in) {
  return rows_of(from, scan_range{in});
}

inline std::vector<std::string> keys_of(const reader& from, const scan_range& range) {
  std::vector<std::string> out;
  for (auto& [key, value] : rows_of(from, range))
    out.push_back(std::move(key));
  return out;
}

inline std::string number_key(std::uint64_t number) {
  std::string key;
  append_be64(key, number);
  return key;
}

// "applied", or the error's code.
inline std::string said(const result<void>& answer) {
  return answer ? "applied" : to_string(answer.error().code);
}

inline std::vector<std::string> commit_all(store& to, const std::vector<batch>& group) {
  std::vector<const batch*> pointers;
  for (const batch& one : group)
    pointers.push_back(&one);
  std::vector<std::string> out;
  for (const auto& answer : to.commit(pointers))
    out.push_back(said(answer));
  return out;
}

inline batch putting(family in, std::string key, std::string value) {
  batch one;
  one.put(in, std::move(key), std::move(value));
  return one;
}

}  // namespace tilld::store::testing
