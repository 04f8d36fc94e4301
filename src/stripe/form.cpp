#include "stripe/form.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include <nlohmann/json.hpp>
#include <simdjson.h>

namespace tilld::stripe {

namespace {

using nlohmann::json;

constexpr std::size_t pairs_max = 10'000;
constexpr std::size_t key_parts_max = 8;
constexpr std::size_t index_max = 999;
constexpr std::size_t json_depth_max = 64;

std::unexpected<error> bad(std::string message) {
  return fail(errc::invalid, std::move(message));
}

// "the parameter …" of a message, not longer than a message should be.
std::string parameter(std::string_view key) {
  constexpr std::size_t shown = 100;
  return "the parameter " + std::string(key.substr(0, shown)) + (key.size() > shown ? "…" : "");
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool is_unreserved(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& out, std::string_view text, bool keep_brackets) {
  static constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c) || (keep_brackets && (c == '[' || c == ']'))) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
}

// "items[0][price]" → items, 0, price; "expand[]" → expand, "". nullopt when the brackets do not
// pair up or nothing stands before them.
std::optional<std::vector<std::string_view>> key_parts(std::string_view key) {
  const auto open = key.find('[');
  std::vector<std::string_view> parts{key.substr(0, open)};
  if (parts.front().empty() || parts.front().find(']') != std::string_view::npos) {
    return std::nullopt;
  }
  if (open == std::string_view::npos) return parts;
  key.remove_prefix(open);
  while (!key.empty()) {
    const auto close = key.find(']');
    if (key.front() != '[' || close == std::string_view::npos) return std::nullopt;
    parts.push_back(key.substr(1, close - 1));
    if (parts.back().find('[') != std::string_view::npos) return std::nullopt;
    key.remove_prefix(close + 1);
  }
  return parts;
}

// "0", "17", but not "", "007", "-1": those are names.
bool is_number(std::string_view part) {
  return !part.empty() && (part == "0" || part.front() != '0') &&
         part.find_first_not_of("0123456789") == std::string_view::npos;
}

// What the pairs describe, before it is known which hashes are arrays.
struct node {
  enum class kind { undecided, value, hash, sequence };
  kind is = kind::undecided;
  std::string text;                                                 // value
  std::map<std::string, std::unique_ptr<node>, std::less<>> named;  // hash
  std::vector<std::unique_ptr<node>> items;                         // sequence: a[]=…

  bool become(kind wanted) {
    if (is == kind::undecided) is = wanted;
    return is == wanted;
  }
};

using parts_view = std::span<const std::string_view>;

// Whether `parts` already leads to a value below `at`.
bool leads_to_value(const node& at, parts_view parts) {
  if (parts.empty()) return at.is == node::kind::value;
  if (at.is != node::kind::hash) return false;
  const auto child = at.named.find(parts.front());
  return child != at.named.end() && leads_to_value(*child->second, parts.subspan(1));
}

// items[][price]=a&items[][quantity]=1&items[][price]=b are two items: a new one begins where a
// name comes again.
node* next_item(node& sequence, parts_view below) {
  const bool continues = !sequence.items.empty() && !below.empty() &&
                         sequence.items.back()->is == node::kind::hash &&
                         !leads_to_value(*sequence.items.back(), below);
  if (!continues) sequence.items.push_back(std::make_unique<node>());
  return sequence.items.back().get();
}

bool insert(node& root, parts_view parts, const std::string& value) {
  node* at = &root;
  for (; !parts.empty(); parts = parts.subspan(1)) {
    const bool append = parts.front().empty() && at != &root;
    if (!at->become(append ? node::kind::sequence : node::kind::hash)) return false;
    if (append) {
      at = next_item(*at, parts.subspan(1));
      continue;
    }
    auto child = at->named.find(parts.front());
    if (child == at->named.end()) {
      child = at->named.emplace(parts.front(), std::make_unique<node>()).first;
    }
    at = child->second.get();
  }
  if (!at->become(node::kind::value)) return false;
  at->text = value;  // the last of two wins, as at Stripe
  return true;
}

result<json> to_json(const node& from, bool names_are_free);

result<json> hash_to_json(const node& from) {
  json object = json::object();
  for (const auto& [name, child] : from.named) {
    // The application names its metadata as it likes: metadata[2024] is a name.
    auto value = to_json(*child, name == "metadata");
    if (!value) return value;
    object[name] = std::move(*value);
  }
  return object;
}

result<json> numbered_to_json(const node& from) {
  json array(json::array_t(from.named.size()));
  for (const auto& [name, child] : from.named) {
    std::size_t at = 0;
    const auto [stop, code] = std::from_chars(name.data(), name.data() + name.size(), at);
    if (code != std::errc{} || at > index_max) return bad("an array index is over 999");
    if (at >= array.size()) return bad("an array has holes: index " + name + " is too far");
    auto value = to_json(*child, false);
    if (!value) return value;
    array[at] = std::move(*value);
  }
  return array;
}

result<json> sequence_to_json(const node& from) {
  json array = json::array();
  for (const auto& item : from.items) {
    auto value = to_json(*item, false);
    if (!value) return value;
    array.push_back(std::move(*value));
  }
  return array;
}

result<json> to_json(const node& from, bool names_are_free) {
  switch (from.is) {
    case node::kind::value:
      return json(from.text);
    case node::kind::sequence:
      return sequence_to_json(from);
    case node::kind::undecided:
      return json::object();
    case node::kind::hash:
      break;
  }
  const bool numbered = !names_are_free && std::ranges::all_of(from.named, [](const auto& entry) {
    return is_number(entry.first);
  });
  return numbered ? numbered_to_json(from) : hash_to_json(from);
}

void append_pairs(form_pairs& out, std::string key, const json& value, std::size_t depth) {
  if (depth > json_depth_max) return;
  if (value.is_object()) {
    for (const auto& [name, inner] : value.items()) {
      append_pairs(out, depth == 0 ? name : key + '[' + name + ']', inner, depth + 1);
    }
  } else if (value.is_array() && !value.empty()) {
    std::size_t index = 0;
    for (const auto& inner : value) {
      append_pairs(out, key + '[' + std::to_string(index++) + ']', inner, depth + 1);
    }
  } else if (value.is_string()) {
    out.emplace_back(std::move(key), value.get_ref<const std::string&>());
  } else if (value.is_null() || value.is_array()) {
    out.emplace_back(std::move(key), std::string{});
  } else {
    out.emplace_back(std::move(key), value.dump());
  }
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_encoded(out, text, false);
  return out;
}

result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) {
      c = ' ';
    } else if (c == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return bad("a % is not followed by two hex digits");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return bad("a NUL byte is in the text");
    out += c;
  }
  if (!simdjson::validate_utf8(out.data(), out.size())) return bad("the text is not UTF-8");
  return out;
}

result<form_pairs> decode_form(std::string_view body) {
  form_pairs pairs;
  while (!body.empty()) {
    const auto end = body.find('&');
    const auto pair = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    if (pair.empty()) continue;
    if (pairs.size() == pairs_max) return bad("the form has over 10,000 pairs");
    const auto equals = pair.find('=');
    auto key = percent_decode(pair.substr(0, equals), true);
    if (!key) return std::unexpected(std::move(key).error());
    auto value = percent_decode(
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!value) return std::unexpected(std::move(value).error());
    pairs.emplace_back(std::move(*key), std::move(*value));
  }
  return pairs;
}

std::string encode_form(const form_pairs& pairs) {
  std::string out;
  for (const auto& [key, value] : pairs) {
    if (!out.empty()) out += '&';
    append_encoded(out, key, true);
    out += '=';
    append_encoded(out, value, false);
  }
  return out;
}

result<json> form_to_json(const form_pairs& pairs) {
  node root;
  root.is = node::kind::hash;
  for (const auto& [key, value] : pairs) {
    const auto parts = key_parts(key);
    if (!parts) return bad(parameter(key) + " has brackets that do not pair up");
    if (parts->size() > key_parts_max) return bad(parameter(key) + " is nested over 8 deep");
    if (!insert(root, *parts, value)) {
      return bad(parameter(key) + " is given as two kinds of value");
    }
  }
  return hash_to_json(root);
}

form_pairs json_to_form(const json& object) {
  form_pairs pairs;
  append_pairs(pairs, {}, object, 0);
  return pairs;
}

}  // namespace tilld::stripe
