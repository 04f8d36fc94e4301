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
  explicit expander(const expand_source& source) : source_(source) {}

  void object(std::string_view name, std::string_view text, const expansion& tree) {
    const auto* row = catalogue::instance().object(name);
    if (row == nullptr || tree.empty()) {
      out_ += text;
    } else {
      hash(text, *row, "", tree);
    }
  }
  std::optional<std::string> take() {
    return lacks_ ? std::nullopt : std::optional(std::move(out_));
  }

 private:
  void hash(std::string_view text, const object_row& row, const std::string& prefix,
            const expansion& tree) {
    const std::size_t begin = out_.size();
    std::vector<std::string_view> met;
    each_member(text, [&](std::string_view key, std::string_view inner) {
      const auto wanted = tree.into.find(unquoted(key));
      if (wanted == tree.into.end()) return void(out_ += inner);
      met.push_back(wanted->first);
      value(inner, row, prefix + wanted->first, wanted->second);
    });
    if (met.size() == tree.into.size()) return;
    const bool bare = out_.size() == begin + 2;
    out_.pop_back();
    for (bool first = bare; const auto& [name, below] : tree.into) {
      if (std::ranges::find(met, name) != met.end()) continue;
      const auto added =
          prefix.empty() && source_.add ? source_.add(row.name, text, name) : std::nullopt;
      if (!added) {
        lacks_ = true;
        continue;
      }
      out_ += first ? "\"" : ",\"";
      out_ += name + "\":";
      value(*added, row, name, below);
      first = false;
    }
    out_ += '}';
  }

  // Writes the object again; `act` writes each value.
  template <class Act>
  void each_member(std::string_view text, const Act& act) {
    json_scanner s(text);
    s.take('{');
    out_ += '{';
    for (bool first = true; s.next() == '"'; first = false) {
      if (!first) out_ += ',';
      const auto key = s.value();
      s.take(':');
      out_ += key;
      out_ += ':';
      act(key, s.value());
      s.take(',');
    }
    out_ += '}';
  }

  void value(std::string_view text, const object_row& row, const std::string& path,
             const expansion& tree) {
    switch (text.empty() ? '\0' : text.front()) {
      case '[':
        return array(text, [&](std::string_view one) { value(one, row, path + "[]", tree); });
      case '"':
        return id(text, row, path, tree);
      case '{':
        return inside(text, row, path, tree);
      default:
        out_ += text;
    }
  }

  template <class Act>
  void array(std::string_view text, const Act& act) {
    json_scanner s(text);
    s.take('[');
    out_ += '[';
    for (bool first = true; s.next() != ']' && s.next() != '\0'; first = false) {
      if (!first) out_ += ',';
      act(s.value());
      s.take(',');
    }
    out_ += ']';
  }

  void id(std::string_view text, const object_row& row, const std::string& path,
          const expansion& tree) {
    const auto* reference = at_path(row.expandable, path);
    const auto found =
        reference == nullptr ? std::nullopt : source_.find(reference->targets, unquoted(text));
    if (found) return object(unquoted(member_of(*found, "object")), *found, tree);
    if (reference != nullptr) lacks_ = true;
    out_ += text;
  }

  void inside(std::string_view text, const object_row& row, const std::string& path,
              const expansion& tree) {
    if (at_path(row.lists, path) != nullptr) return list(text, tree);
    const bool whole =
        at_path(row.embedded, path) != nullptr || at_path(row.expandable, path) != nullptr;
    if (whole) return object(unquoted(member_of(text, "object")), text, tree);
    hash(text, row, path + ".", tree);
  }

  void list(std::string_view text, const expansion& tree) {
    const auto below = tree.into.find("data");
    if (below == tree.into.end()) {
      lacks_ = lacks_ || !tree.empty();
      out_ += text;
      return;
    }
    each_member(text, [&](std::string_view key, std::string_view inner) {
      if (unquoted(key) != "data") return void(out_ += inner);
      array(inner, [&](std::string_view one) {
        object(unquoted(member_of(one, "object")), one, below->second);
      });
    });
  }

  const expand_source& source_;
  std::string out_;
  bool lacks_ = false;
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
                                  const expansion& tree, const expand_source& source) {
  expander e(source);
  e.object(object_name, document, tree);
  return e.take();
}

}  // namespace tilld::stripe
