#include "http/router.hpp"

#include <algorithm>
#include <map>
#include <span>

namespace tilld::http {

namespace {

struct node {
  std::map<std::string, std::unique_ptr<node>, std::less<>> literal;
  std::unique_ptr<node> placeholder;
  std::map<std::string, handler, std::less<>> here;  // by verb: the path ends at this node
  std::map<std::string, handler, std::less<>> rest;  // by verb: the path ends here or goes on

  static const handler* find(const std::map<std::string, handler, std::less<>>& by_verb,
                             std::string_view verb) {
    auto found = by_verb.find(verb);
    if (found == by_verb.end()) found = by_verb.find("*");
    return found == by_verb.end() ? nullptr : &found->second;
  }
};

std::vector<std::string_view> split(std::string_view pattern) {
  std::vector<std::string_view> parts;
  while (!pattern.empty()) {
    const auto slash = std::min(pattern.find('/'), pattern.size());
    if (slash > 0) parts.push_back(pattern.substr(0, slash));
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
  }
  return parts;
}

std::string joined(std::span<const std::string> segments) {
  std::string text;
  for (const std::string& one : segments) {
    if (!text.empty()) text += '/';
    text += one;
  }
  return text;
}

// One search through the tree. The tree is as deep as the longest pattern, so a long path costs no
// more than the steps along it that a pattern has.
struct search {
  const std::string& verb;
  std::span<const std::string> segments;
  std::vector<std::string> arguments{};
  std::vector<std::string> verbs_seen{};  // of handlers on this path that take other verbs

  const handler* in(const node& at, std::size_t depth) {
    if (depth == segments.size()) {
      if (const handler* found = take(at.here)) return found;
    } else {
      if (const auto next = at.literal.find(segments[depth]); next != at.literal.end()) {
        if (const handler* found = in(*next->second, depth + 1)) return found;
      }
      if (at.placeholder) {
        arguments.push_back(segments[depth]);
        if (const handler* found = in(*at.placeholder, depth + 1)) return found;
        arguments.pop_back();
      }
    }
    const handler* found = take(at.rest);
    if (found) arguments.push_back(joined(segments.subspan(depth)));
    return found;
  }

  const handler* take(const std::map<std::string, handler, std::less<>>& by_verb) {
    const handler* found = node::find(by_verb, verb);
    if (!found) {
      for (const auto& entry : by_verb)
        verbs_seen.push_back(entry.first);
    }
    return found;
  }
};

std::string allow(std::vector<std::string> verbs) {
  if (std::ranges::find(verbs, "GET") != verbs.end()) verbs.emplace_back("HEAD");
  std::ranges::sort(verbs);
  const auto repeated = std::ranges::unique(verbs);
  verbs.erase(repeated.begin(), repeated.end());
  std::string text;
  for (const std::string& verb : verbs) {
    if (!text.empty()) text += ", ";
    text += verb;
  }
  return text;
}

bool is_placeholder(std::string_view part) {
  return part.starts_with('{') && part.ends_with('}');
}
bool is_rest(std::string_view part) {
  return part.starts_with('{') && part.ends_with("...}");
}

}  // namespace

struct router::table {
  node root;
  guard before;
  std::vector<entry> entries;
};

router::router() : table_(std::make_unique<table>()) {}
router::~router() = default;
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;

void router::add(std::string_view verb, std::string_view pattern, handler h) {
  node* at = &table_->root;
  bool takes_rest = false;
  for (std::string_view part : split(pattern)) {
    if (is_rest(part)) {
      takes_rest = true;
      break;
    }
    auto& next = is_placeholder(part) ? at->placeholder : at->literal[std::string(part)];
    if (!next) next = std::make_unique<node>();
    at = next.get();
  }
  auto& by_verb = takes_rest ? at->rest : at->here;
  if (by_verb.insert_or_assign(std::string(verb), std::move(h)).second) {
    table_->entries.push_back({std::string(verb), std::string(pattern)});
  }
}

void router::set_guard(guard g) {
  table_->before = std::move(g);
}

void router::route(request& r, responder answer) const {
  search s{r.verb, r.segments};
  const handler* found = s.in(table_->root, 0);
  if (found) {
    r.arguments = std::move(s.arguments);
    if (!table_->before || table_->before(r, answer)) (*found)(r, std::move(answer));
  } else if (s.verbs_seen.empty()) {
    answer(error_response(404, "invalid_request_error", "unknown_path",
                          "There is nothing at this path."));
  } else {
    response refused =
        error_response(405, "invalid_request_error", "verb_not_allowed",
                       "This path does not take this verb; the header Allow names those it takes.");
    refused.headers.emplace_back("Allow", allow(std::move(s.verbs_seen)));
    answer(std::move(refused));
  }
}

std::vector<router::entry> router::entries() const {
  return table_->entries;
}

}  // namespace tilld::http
