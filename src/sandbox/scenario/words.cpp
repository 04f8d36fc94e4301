#include "sandbox/scenario/words.hpp"

#include <utility>

namespace tilld::sandbox {

std::optional<std::vector<std::string>> words_of(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool begun = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
      begun = true;
    } else if (quoted) {
      word.push_back(c);
    } else if (c == '#' && !begun) {
      break;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      if (begun) words.push_back(std::exchange(word, {}));
      begun = false;
    } else {
      word.push_back(c);
      begun = true;
    }
  }
  if (quoted) return std::nullopt;
  if (begun) words.push_back(std::move(word));
  return words;
}

std::optional<comparison> comparison_of(std::string_view word) {
  const auto at = word.find_first_of("=!<>");
  if (at == word.npos || at == 0) return std::nullopt;
  const bool two = at + 1 < word.size() && word[at + 1] == '=' && word[at] != '=';
  if (word[at] == '!' && !two) return std::nullopt;
  comparison c;
  c.path = word.substr(0, at);
  c.sign = word.substr(at, two ? 2 : 1);
  c.value = word.substr(at + (two ? 2 : 1));
  return c;
}

}  // namespace tilld::sandbox
