#include "core/order_json.hpp"

#include <charconv>
#include <cstring>

#include <nlohmann/json.hpp>

#include "core/order_rules.hpp"

namespace tilld::core::ordering {
namespace {

using nlohmann::json;

// Walks over one JSON value after another. It trusts nothing: on anything that is not JSON it stops
// at the end of the input and finds less.
class cursor {
 public:
  explicit cursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool take(char c) {
    blanks();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool string(std::string_view& out) {
    if (!take('"')) return false;
    const char* begin = at_;
    if (!skip_string()) return false;
    out = {begin, static_cast<std::size_t>(at_ - 1 - begin)};
    return true;
  }
  std::optional<std::int64_t> integer() {
    blanks();
    std::int64_t value = 0;
    const auto [stop, ec] = std::from_chars(at_, end_, value);
    const bool whole = ec == std::errc() && (stop == end_ || !std::strchr(".eE0123456789", *stop));
    skip_value();
    return whole ? std::optional(value) : std::nullopt;
  }
  void skip_value() {
    blanks();
    int depth = 0;
    while (at_ < end_) {
      switch (*at_++) {
        case '"':
          skip_string();
          break;
        case '{':
        case '[':
          ++depth;
          break;
        case '}':
        case ']':
          if (depth == 0) {  // the end of the hash this value is in
            --at_;
            return;
          }
          --depth;
          break;
        case ',':
          if (depth == 0) {
            --at_;
            return;
          }
          break;
        default:
          break;
      }
    }
  }

 private:
  void blanks() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t'))
      ++at_;
  }
  // Behind the closing quote of a string whose opening quote has been passed. False: there is none.
  bool skip_string() {
    for (;;) {
      at_ = static_cast<const char*>(std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_)));
      if (!at_) {
        at_ = end_;
        return false;
      }
      const char* before = at_++;
      while (before[-1] == '\\')
        --before;  // the opening quote ends this at the latest
      if ((at_ - 1 - before) % 2 == 0) return true;
    }
  }

  const char* at_;
  const char* end_;
};

const json& nothing() {
  static const json null;
  return null;
}

const json& find(const json& object, const std::string& key) {
  if (!object.is_object()) return nothing();
  const auto it = object.find(key);
  return it == object.end() ? nothing() : *it;
}

bool same_member_names(const json& a, const json& b) {
  for (auto it = b.begin(); it != b.end(); ++it)
    if (!it->is_null() && !a.contains(it.key())) return false;
  return true;
}

bool is_expansion_of(const json& object, const json& id) {
  return object.is_object() && id.is_string() && find(object, "id") == id;
}

int growth_of(const growing_field& field, const json& a, const json& b) {
  const auto empty = [](const json& v) { return v.is_null() || v == false; };
  if (empty(a) || empty(b)) {
    if (empty(a) && empty(b)) return 0;
    if (field.set_once || a.is_boolean() || b.is_boolean()) return empty(a) ? -1 : 1;
    return 0;
  }
  if (field.set_once || !a.is_number_integer() || !b.is_number_integer() || a == b) return 0;
  return a < b ? -1 : 1;
}

}  // namespace

glance look(std::string_view document) {
  glance seen;
  cursor at(document);
  if (!at.take('{')) return seen;
  std::string_view key;
  do {
    if (!at.string(key) || !at.take(':')) return seen;
    if (key == "id") {
      at.string(seen.id);
    } else if (key == "status") {
      at.string(seen.status);
    } else if (key == "created") {
      seen.created_s = at.integer();
    }
    at.skip_value();
  } while (at.take(','));
  return seen;
}

bool in_final_status(std::string_view object_name, std::string_view document) {
  if (document.empty() || !has_final_statuses(object_name)) return false;
  constexpr std::string_view key = "\"status\"";
  // Any status in the document, at any depth: only one that would be final is worth a real look.
  const char* at = document.data();
  const char* const end = at + document.size();
  while ((at = static_cast<const char*>(
              memmem(at, static_cast<std::size_t>(end - at), key.data(), key.size())))) {
    at += key.size();
    cursor behind({at, static_cast<std::size_t>(end - at)});
    std::string_view value;
    if (behind.take(':') && behind.string(value) && status_is_final(object_name, value))
      return status_is_final(object_name, look(document).status);
  }
  return false;
}

bool same(const json& a, const json& b) {
  if (a.is_object() && b.is_object()) {
    for (auto it = a.begin(); it != a.end(); ++it)
      if (!same(*it, find(b, it.key()))) return false;
    return same_member_names(a, b);
  }
  if (a.is_array() && b.is_array()) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!same(a[i], b[i])) return false;
    return true;
  }
  return a == b || is_expansion_of(a, b) || is_expansion_of(b, a);
}

json undo(const json& after, const json& previous_attributes) {
  if (!after.is_object() || !previous_attributes.is_object() || previous_attributes.empty())
    return previous_attributes;
  json before = after;
  for (auto it = previous_attributes.begin(); it != previous_attributes.end(); ++it) {
    auto& place = before[it.key()];
    place = undo(place, *it);
  }
  return before;
}

bool agree(const json& x, const json& y, const json& touched, const json* except) {
  for (auto it = touched.begin(); it != touched.end(); ++it) {
    const json* also = nullptr;
    if (except && except->contains(it.key())) also = &(*except)[it.key()];
    const json& a = find(x, it.key());
    const json& b = find(y, it.key());
    if (it->is_object() && a.is_object() && b.is_object() && !it->empty()) {
      if (also && !also->is_object()) continue;
      if (!agree(a, b, *it, also)) return false;
    } else if (!also && !same(a, b)) {
      return false;
    }
  }
  return true;
}

int by_growth(std::string_view object_name, const json& a, const json& b) {
  int told = 0;
  for (const auto& field : growing_fields()) {
    if (!field.object_name.empty() && field.object_name != object_name) continue;
    const int one = growth_of(field, member(a, field.path), member(b, field.path));
    if (one != 0 && told == -one) return 0;
    if (one != 0) told = one;
  }
  return told;
}

const json& member(const json& document, std::string_view path) {
  const json* at = &document;
  for (;;) {
    const auto dot = path.find('.');
    at = &find(*at, std::string(path.substr(0, dot)));
    if (dot == std::string_view::npos) return *at;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace tilld::core::ordering
