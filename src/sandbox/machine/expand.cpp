#include "sandbox/machine/expand.hpp"

#include <algorithm>
#include <functional>
#include <span>

namespace tilld::sandbox {

namespace {

constexpr std::size_t most_steps = 4;

using steps = std::span<const std::string>;

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const auto dot = path.find('.', begin);
    parts.push_back(path.substr(begin, dot - begin));
    if (dot == std::string::npos) return parts;
    begin = dot + 1;
  }
}

// How many of `path` a reference like "items[].price" takes; 0 when it is another one.
std::size_t matched(const stripe::object_row::reference& reference, steps path) {
  const auto parts = split(reference.path);
  if (parts.size() > path.size()) return 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string_view part = parts[i];
    if (part.ends_with("[]")) part.remove_suffix(2);
    if (part != path[i]) return 0;
  }
  return parts.size();
}

enum class verdict { no, yes, not_simulated };

verdict better(verdict a, verdict b) {
  if (a == verdict::yes || b == verdict::yes) return verdict::yes;
  return a == verdict::not_simulated ? a : b;
}

verdict can_expand(const std::string& object, steps path);

verdict any_target(const std::vector<std::string>& targets, steps rest) {
  if (rest.empty()) return verdict::yes;
  verdict best = verdict::no;
  for (const auto& target : targets)
    best = better(best, can_expand(target, rest));
  return best;
}

verdict can_expand(const std::string& object, steps path) {
  const inclusion included = can_include(object, path.front());
  if (included == inclusion::not_simulated) return verdict::not_simulated;
  if (included == inclusion::simulated && path.size() == 1) return verdict::yes;
  const auto* row = stripe::catalogue::instance().object(object);
  if (row == nullptr) return verdict::no;
  verdict best = verdict::no;
  for (const auto* references : {&row->expandable, &row->embedded}) {
    for (const auto& reference : *references) {
      const std::size_t taken = matched(reference, path);
      if (taken > 0) best = better(best, any_target(reference.targets, path.subspan(taken)));
    }
  }
  for (const auto& reference : row->lists) {
    const std::size_t taken = matched(reference, path);
    if (taken == 0) continue;
    const steps rest = path.subspan(taken);
    if (rest.empty()) return verdict::yes;
    if (rest.front() == "data") best = better(best, any_target(reference.targets, rest.subspan(1)));
  }
  return best;
}

void expand_object(const world& w, json& object, steps path);

// An id becomes the object that it names, if the world has it.
void resolve(const world& w, json& place, const std::vector<std::string>& targets) {
  if (!place.is_string()) return;
  const auto& id = place.get_ref<const std::string&>();
  for (const auto& target : targets) {
    if (target == "plan") {
      if (const json* price = w.find(kind::price, id)) place = plan_of_price(*price);
      return;
    }
    const auto k = kind_named(target);
    if (!k) continue;
    json found = view(w, *k, id);
    if (found.is_null()) continue;
    place = std::move(found);
    return;
  }
}

// Every value at the first `taken` steps, with arrays opened.
void each_at(json& here, steps path, const std::function<void(json&)>& act) {
  if (here.is_array()) {
    for (auto& element : here)
      each_at(element, path, act);
  } else if (path.empty()) {
    act(here);
  } else if (here.is_object() && here.contains(path.front())) {
    each_at(here[path.front()], path.subspan(1), act);
  }
}

void expand_list(const world& w, json& list, steps rest) {
  if (rest.empty() || rest.front() != "data" || !list.is_object() || !list.contains("data")) return;
  for (auto& element : list["data"])
    expand_object(w, element, rest.subspan(1));
}

void expand_object(const world& w, json& object, steps path) {
  if (!object.is_object() || path.empty() || object.contains("deleted")) return;
  const auto* row = stripe::catalogue::instance().object(text_of(object, "object"));
  if (row == nullptr) return;
  include_member(w, object, path.front());
  for (const auto& reference : row->expandable) {
    const std::size_t taken = matched(reference, path);
    if (taken == 0) continue;
    each_at(object, path.first(taken), [&](json& place) {
      resolve(w, place, reference.targets);
      expand_object(w, place, path.subspan(taken));
    });
  }
  for (const auto& reference : row->embedded) {
    const std::size_t taken = matched(reference, path);
    if (taken == 0) continue;
    each_at(object, path.first(taken),
            [&](json& place) { expand_object(w, place, path.subspan(taken)); });
  }
  for (const auto& reference : row->lists) {
    const std::size_t taken = matched(reference, path);
    if (taken == 0) continue;
    each_at(object, path.first(taken),
            [&](json& place) { expand_list(w, place, path.subspan(taken)); });
  }
}

std::unexpected<failure> cannot(const std::string& path, bool list) {
  std::string message = "This property cannot be expanded (" + path + ").";
  if (list && !path.starts_with("data.")) {
    message += " You may want to try expanding 'data." + path + "' instead.";
  }
  return refuse(std::move(message));
}

}  // namespace

answer<void> check_expand(const stripe::endpoint_row& endpoint, const json& paths) {
  for (const auto& element : paths) {
    const auto& path = element.get_ref<const std::string&>();
    const auto parts = split(path);
    if (parts.size() > most_steps) {
      return refuse("You cannot expand more than 4 levels of a property. Property: " + path, {},
                    "property_expansion_max_depth");
    }
    steps rest(parts);
    if (std::find(parts.begin(), parts.end(), "") != parts.end()) return cannot(path, false);
    if (endpoint.search && path == "total_count") continue;
    if (endpoint.list || endpoint.search) {
      if (rest.size() < 2 || rest.front() != "data") return cannot(path, true);
      rest = rest.subspan(1);
    }
    const verdict v = any_target(endpoint.returns, rest);
    if (v == verdict::no) return cannot(path, false);
    if (v == verdict::not_simulated) {
      return not_simulated("The sandbox does not simulate expanding " + path + " yet.", "expand");
    }
  }
  return {};
}

void apply_expand(const world& w, const json& paths, json& body) {
  for (const auto& element : paths) {
    const auto parts = split(element.get_ref<const std::string&>());
    const steps path(parts);
    const std::string object = text_of(body, "object");
    if (object == "list" || object == "search_result") {
      expand_list(w, body, path);
    } else {
      expand_object(w, body, path);
    }
  }
}

}  // namespace tilld::sandbox
