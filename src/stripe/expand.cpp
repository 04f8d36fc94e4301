#include "stripe/expand.hpp"

#include <algorithm>
#include <span>

#include "stripe/json_scan.hpp"

namespace tilld::stripe {

namespace {

constexpr std::size_t most_levels = 4;

using steps = std::span<const std::string>;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (true) {
    const auto dot = path.find('.');
    parts.emplace_back(path.substr(0, dot));
    if (dot == path.npos) return parts;
    path.remove_prefix(dot + 1);
  }
}

// How many steps a reference like "items[].price" takes; 0 when the path is another one.
std::size_t matched(const object_row::reference& reference, steps path) {
  const auto parts = split(reference.path);
  if (parts.size() > path.size()) return 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string_view part = parts[i];
    if (part.ends_with("[]")) part.remove_suffix(2);
    if (part != path[i]) return 0;
  }
  return parts.size();
}

bool can_expand(const std::string& object, steps path);

bool any_can(const std::vector<std::string>& objects, steps rest) {
  return rest.empty() ||
         std::ranges::any_of(objects, [&](const auto& name) { return can_expand(name, rest); });
}

bool can_expand(const std::string& object, steps path) {
  const auto* row = catalogue::instance().object(object);
  if (row == nullptr) return false;
  for (const auto* references : {&row->expandable, &row->embedded}) {
    for (const auto& reference : *references) {
      const std::size_t taken = matched(reference, path);
      if (taken > 0 && any_can(reference.targets, path.subspan(taken))) return true;
    }
  }
  for (const auto& reference : row->lists) {
    const std::size_t taken = matched(reference, path);
    if (taken == 0) continue;
    const steps rest = path.subspan(taken);
    if (rest.empty()) return true;
    if (rest.front() == "data" && any_can(reference.targets, rest.subspan(1))) return true;
  }
  return false;
}

api_error cannot(const std::string& path, bool list) {
  std::string message = "This property cannot be expanded (" + path + ").";
  if (list && !path.starts_with("data.")) {
    message += " You may want to try expanding 'data." + path + "' instead.";
  }
  return {400, "invalid_request_error", "", std::move(message), ""};
}

std::optional<api_error> why_not(const endpoint_row& endpoint, const std::string& path,
                                 steps parts) {
  const bool list = endpoint.list || endpoint.search;
  if (parts.size() > most_levels) {
    return api_error{400, "invalid_request_error", "property_expansion_max_depth",
                     "You cannot expand more than 4 levels of a property. Property: " + path, ""};
  }
  if (std::ranges::find(parts, "") != parts.end()) return cannot(path, false);
  if (list && (parts.size() < 2 || parts.front() != "data")) return cannot(path, true);
  if (!any_can(endpoint.returns, list ? parts.subspan(1) : parts)) return cannot(path, false);
  return std::nullopt;
}

const object_row::reference* at_path(const std::vector<object_row::reference>& all,
                                     std::string_view path) {
  const auto it = std::ranges::find(all, path, &object_row::reference::path);
  return it == all.end() ? nullptr : &*it;
}

class expander {
 public:
  explicit expander(const find_object& find) : find_(find) {}

  bool object(std::string_view name, std::string_view text, const expansion& tree) {
    const auto* row = catalogue::instance().object(name);
    if (row == nullptr || tree.empty()) return out_ += text, true;
    return hash(text, *row, "", tree);
  }
  std::string take() { return std::move(out_); }

 private:
  bool hash(std::string_view text, const object_row& row, const std::string& prefix,
            const expansion& tree) {
    json_scanner s(text);
    s.take('{');
    out_ += '{';
    std::size_t met = 0;
    for (bool first = true; s.next() == '"'; first = false) {
      if (!first) out_ += ',';
      const auto key = s.value();
      s.take(':');
      out_ += key;
      out_ += ':';
      const auto inner = s.value();
      s.take(',');
      const auto wanted = tree.into.find(unquoted(key));
      if (wanted == tree.into.end()) {
        out_ += inner;
        continue;
      }
      ++met;
      if (!value(inner, row, prefix + wanted->first, wanted->second)) return false;
    }
    out_ += '}';
    return met == tree.into.size();  // what is not there would be added by Stripe
  }

  bool value(std::string_view text, const object_row& row, const std::string& path,
             const expansion& tree) {
    switch (text.empty() ? '\0' : text.front()) {
      case '[':
        return array(text,
                     [&](std::string_view one) { return value(one, row, path + "[]", tree); });
      case '"':
        return id(text, row, path, tree);
      case '{':
        return inside(text, row, path, tree);
      default:
        return out_ += text, true;
    }
  }

  template <class Act>
  bool array(std::string_view text, const Act& act) {
    json_scanner s(text);
    s.take('[');
    out_ += '[';
    for (bool first = true; s.next() != ']' && s.next() != '\0'; first = false) {
      if (!first) out_ += ',';
      if (!act(s.value())) return false;
      s.take(',');
    }
    out_ += ']';
    return true;
  }

  bool id(std::string_view text, const object_row& row, const std::string& path,
          const expansion& tree) {
    const auto* reference = at_path(row.expandable, path);
    if (reference == nullptr) return out_ += text, true;
    const auto found = find_(reference->targets, unquoted(text));
    if (!found) return false;
    return object(unquoted(member_of(*found, "object")), *found, tree);
  }

  bool inside(std::string_view text, const object_row& row, const std::string& path,
              const expansion& tree) {
    if (at_path(row.lists, path) != nullptr) return list(text, tree);
    const bool whole =
        at_path(row.embedded, path) != nullptr || at_path(row.expandable, path) != nullptr;
    if (whole) return object(unquoted(member_of(text, "object")), text, tree);
    return hash(text, row, path + ".", tree);
  }

  bool list(std::string_view text, const expansion& tree) {
    if (tree.empty()) return out_ += text, true;
    const auto below = tree.into.find("data");
    if (below == tree.into.end()) return false;
    json_scanner s(text);
    s.take('{');
    out_ += '{';
    for (bool first = true; s.next() == '"'; first = false) {
      if (!first) out_ += ',';
      const auto key = s.value();
      s.take(':');
      out_ += key;
      out_ += ':';
      const auto inner = s.value();
      s.take(',');
      const bool is_data = unquoted(key) == "data";
      if (!is_data) {
        out_ += inner;
        continue;
      }
      const bool done = array(inner, [&](std::string_view one) {
        return object(unquoted(member_of(one, "object")), one, below->second);
      });
      if (!done) return false;
    }
    out_ += '}';
    return true;
  }

  const find_object& find_;
  std::string out_;
};

}  // namespace

expand_check read_expansion(const endpoint_row& endpoint, const std::vector<std::string>& paths) {
  expand_check read;
  const bool list = endpoint.list || endpoint.search;
  for (const auto& path : paths) {
    if (endpoint.search && path == "total_count") continue;
    const auto parts = split(path);
    if (auto wrong = why_not(endpoint, path, parts)) {
      read.wrong = std::move(wrong);
      return read;
    }
    expansion* at = &read.tree;
    for (std::size_t i = list ? 1 : 0; i < parts.size(); ++i)
      at = &at->into[parts[i]];
  }
  return read;
}

std::optional<std::string> expand(std::string_view object_name, std::string_view document,
                                  const expansion& tree, const find_object& find) {
  expander e(find);
  if (!e.object(object_name, document, tree)) return std::nullopt;
  return e.take();
}

}  // namespace tilld::stripe
