// config/tilld.toml is what people read; the table is what the program does. They are one.
#include <fstream>
#include <map>
#include <sstream>

#include "config/settings.hpp"
#include "config/table.hpp"
#include "support.hpp"

using namespace tilld;
using namespace tilld::config;

namespace {

struct documented {
  std::string default_value;
  std::string first_comment;
};

std::string whole_file() {
  std::ifstream in(TILLD_SOURCE_DIR "/config/tilld.toml");
  REQUIRE(in);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// "# key = value" under a [section], with the first line of the comment above it.
std::map<std::string, documented> settings_in(const std::string& text) {
  std::map<std::string, documented> out;
  std::istringstream lines(text);
  std::string section;
  std::string comment;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1);
    if (!line.starts_with("# ")) {
      comment.clear();
      continue;
    }
    line.erase(0, 2);
    const auto equals = line.find(" = ");
    const bool is_key = equals != std::string::npos && !comment.empty() &&
                        line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == equals;
    if (is_key) {
      const std::string key = section + "." + line.substr(0, equals);
      CAPTURE(key);
      CHECK_FALSE(out.contains(key));
      out[key] = {line.substr(equals + 3), comment};
    } else if (comment.empty()) {
      comment = line;
    }
  }
  return out;
}

// The file with every default taken in.
std::string uncommented(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find(" = ");
    const bool is_key = line.starts_with("# ") && equals != std::string::npos &&
                        line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", 2) == equals;
    out += (is_key ? line.substr(2) : line) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("config/tilld.toml names every setting once, with its default and what it is for") {
  auto in_file = settings_in(whole_file());
  for (const setting& d : describe()) {
    CAPTURE(d.key);
    REQUIRE(in_file.contains(d.key));
    CHECK(in_file[d.key].default_value == d.default_value);
    CHECK(in_file[d.key].first_comment == d.doc);
    in_file.erase(d.key);
  }
  for (const auto& [key, what] : in_file) {
    CAPTURE(key);
    CHECK(false);  // the file names a setting that does not exist
  }
}

TEST_CASE("config/tilld.toml as it is, and with every default taken in, changes nothing") {
  const std::string defaults = show(*load({}));
  CHECK(show(*load_text(whole_file())) == defaults);
  const auto all = load_text(uncommented(whole_file()));
  CHECK(error_of(all) == "no error");
  CHECK(show(*all) == defaults);
}
