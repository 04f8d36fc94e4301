// What the tests of the settings share: files that go away again, and loading of a text.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include <sys/stat.h>

#include "config/settings.hpp"
#include "support/catch.hpp"

namespace tilld::config {

// Catch2 3 has another matcher under the name that Catch2 2 has for this one.
#if TILLD_CATCH2_MAJOR == 3
using Catch::Matchers::ContainsSubstring;
#else
inline auto ContainsSubstring(const std::string& part) {
  return Catch::Matchers::Contains(part);
}
#endif

class folder {
 public:
  folder() {
    std::string shape = "/tmp/tilld-config-XXXXXX";
    REQUIRE(::mkdtemp(shape.data()) != nullptr);
    path = shape;
  }
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  std::string file(const std::string& name, const std::string& content, unsigned mode = 0600) {
    const std::string at = path + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(at).parent_path());
    std::ofstream(at, std::ios::binary) << content;
    REQUIRE(::chmod(at.c_str(), mode) == 0);
    return at;
  }

  std::string path;
};

using words = std::map<std::string, std::string>;

inline result<settings> load_text(const std::string& toml, words environment = {},
                                  words flags = {}) {
  folder here;
  return load({here.file("tilld.toml", toml), std::move(environment), std::move(flags)});
}

// The message without the folder, so that "tilld.toml:1: …" is what tests compare.
inline std::string error_of(const result<settings>& outcome) {
  if (outcome) return "no error";
  CHECK(outcome.error().code == errc::invalid);
  std::string message = outcome.error().message;
  for (auto at = message.find("/tmp/tilld-config-"); at != std::string::npos;
       at = message.find("/tmp/tilld-config-")) {
    message.erase(at, std::string("/tmp/tilld-config-XXXXXX/").size());
  }
  CHECK(message.find('\n') == std::string::npos);
  return message;
}

inline std::string error_of_text(const std::string& toml, words environment = {},
                                 words flags = {}) {
  return error_of(load_text(toml, std::move(environment), std::move(flags)));
}

}  // namespace tilld::config
