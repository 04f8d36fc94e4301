#include "stripe/json_scan.hpp"

#include <algorithm>

#include <simdjson.h>

namespace tilld::stripe {

bool json_scanner::take(char c) {
  if (next() != c) return false;
  left_.remove_prefix(1);
  return true;
}

std::string_view json_scanner::value() {
  const std::size_t size = size_of_value();
  const auto text = left_.substr(0, size);
  left_.remove_prefix(size);
  return text;
}

std::size_t json_scanner::size_of_string(std::size_t at) const {
  for (++at; at < left_.size() && left_[at] != '"'; ++at)
    if (left_[at] == '\\') ++at;
  return at + 1;
}

std::size_t json_scanner::size_of_value() const {
  std::size_t at = 0;
  int depth = 0;
  for (; at < left_.size(); ++at) {
    const char c = left_[at];
    if (c == '"') {
      at = size_of_string(at) - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // behind a number or a word
      --depth;
    } else if (depth > 0 || (c != ',' && c != ':')) {
      continue;  // inside of something, or of a number or a word
    } else {
      return at;
    }
    if (depth == 0) return std::min(at + 1, left_.size());
  }
  return std::min(at, left_.size());
}

std::string_view unquoted(std::string_view text) {
  return text.size() < 2 ? std::string_view() : text.substr(1, text.size() - 2);
}

std::string_view member_of(std::string_view object, std::string_view name) {
  json_scanner s(object);
  if (!s.take('{')) return {};
  while (s.next() == '"') {
    const auto key = unquoted(s.value());
    s.take(':');
    const auto value = s.value();
    if (key == name) return value;
    s.take(',');
  }
  return {};
}

std::optional<list_text> read_list(std::string_view body) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  std::string minified(body.size() + simdjson::SIMDJSON_PADDING, '\0');
  std::size_t size = 0;
  if (simdjson::minify(body.data(), body.size(), minified.data(), size) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  const std::string_view text(minified.data(), size);
  if (member_of(text, "object") != "\"list\"") return std::nullopt;
  list_text list;
  list.has_more = member_of(text, "has_more") == "true";
  json_scanner s(member_of(text, "data"));
  if (!s.take('[')) return std::nullopt;
  while (s.next() == '{') {
    list.objects.emplace_back(s.value());
    s.take(',');
  }
  return list;
}

}  // namespace tilld::stripe
