#include "stripe/catalogue.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "stripe/form.hpp"

extern "C" {
extern const char tilld_catalogue_begin[];  // catalogue_data.S
extern const char tilld_catalogue_end[];
}

namespace tilld::stripe {

namespace {

using json = nlohmann::json;

std::vector<object_row::reference> read_references(const json& from) {
  std::vector<object_row::reference> all;
  for (const auto& [path, targets] : from.items()) {
    all.push_back({path, targets.get<std::vector<std::string>>()});
  }
  return all;
}

object_row read_object(const std::string& name, const json& from) {
  object_row row;
  row.name = name;
  row.has_id = from.at("has_id").get<bool>();
  row.deletable = from.value("deletable", false);
  row.fields = from.at("fields").get<std::vector<std::string>>();
  row.expandable = read_references(from.at("expandable"));
  row.embedded = read_references(from.at("embedded"));
  row.lists = read_references(from.at("lists"));
  return row;
}

endpoint_row read_endpoint(const json& from) {
  endpoint_row row;
  row.verb = from.at("verb").get<std::string>();
  row.path = from.at("path").get<std::string>();
  row.returns = from.at("returns").get<std::vector<std::string>>();
  row.list = from.value("list", false);
  row.search = from.value("search", false);
  for (auto name : from.at("params").get<std::vector<std::string>>()) {
    const bool required = name.ends_with('!');
    if (required) name.pop_back();
    row.parameters.push_back({std::move(name), required});
  }
  return row;
}

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> segments;
  path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool is_placeholder(std::string_view segment) {
  return segment.starts_with('{');
}

constexpr std::array<std::string_view, 3> verbs{"GET", "POST", "DELETE"};

std::optional<std::size_t> verb_index(std::string_view verb) {
  const auto at = std::ranges::find(verbs, verb);
  if (at == verbs.end()) return std::nullopt;
  return static_cast<std::size_t>(at - verbs.begin());
}

// "/v1/customers" of "/v1/customers/{id}"; nothing when the path is not of that form.
std::optional<std::string_view> collection_of(std::string_view path) {
  const auto last = path.rfind('/');
  const auto first_placeholder = path.find('{');
  if (first_placeholder != last + 1) return std::nullopt;
  return path.substr(0, last);
}

}  // namespace

bool endpoint_row::demands_parameter() const noexcept {
  return std::ranges::any_of(parameters, &parameter::required);
}

// Paths as a tree: one node per segment, so that a lookup costs a hash per segment.
struct catalogue::index {
  struct node {
    std::unordered_map<std::string_view, std::uint32_t> literals;
    std::uint32_t placeholder = 0;                              // 0: none (the root is no child)
    std::array<const endpoint_row*, verbs.size()> endpoints{};  // by verb
  };
  std::vector<node> nodes{1};
  std::unordered_map<std::string_view, const object_row*> objects;
  std::unordered_map<std::string_view, const event_row*> events;
  std::unordered_map<std::string_view, const endpoint_row*> retrieves;  // by object name
  std::unordered_map<std::string_view, const endpoint_row*> lists;
  std::unordered_map<std::string_view, const object_row*> listed;  // by path
  std::unordered_set<std::string_view> told;

  void add_event(const event_row& row);
  void add_path(const endpoint_row& row);
  void add_collections(std::span<const endpoint_row> rows);
  const endpoint_row* walk(std::uint32_t at, std::size_t verb, std::span<const std::string> rest,
                           std::vector<const std::string*>& taken) const;
};

void catalogue::index::add_event(const event_row& row) {
  events.emplace(row.type, &row);
  if (row.type.ends_with(".created") || row.type.ends_with(".deleted")) return;
  told.insert(row.objects.begin(), row.objects.end());
}

void catalogue::index::add_path(const endpoint_row& row) {
  std::uint32_t at = 0;
  for (const auto segment : split_path(row.path)) {
    const auto fresh = static_cast<std::uint32_t>(nodes.size());
    std::uint32_t& child =
        is_placeholder(segment) ? nodes[at].placeholder : nodes[at].literals[segment];
    if (child == 0) {
      child = fresh;
      at = fresh;
      nodes.emplace_back();  // `child` dangles from here on
    } else {
      at = child;
    }
  }
  // The first row counts: GET /v1/account stands twice in the SDKs, under two method names.
  auto& slot = nodes[at].endpoints[verb_index(row.verb).value()];
  if (slot == nullptr) slot = &row;
}

// Several endpoints return the same kind of object: /v1/charges, /v1/charges/search,
// /v1/credit_notes/preview/lines. The pair list + list/{id} is what makes a collection.
void catalogue::index::add_collections(std::span<const endpoint_row> rows) {
  std::unordered_map<std::string_view, const endpoint_row*> list_at;
  for (const auto& row : rows) {
    if (row.verb == "GET" && row.list && row.path.find('{') == std::string::npos) {
      list_at.emplace(row.path, &row);
    }
  }
  for (const auto& row : rows) {
    if (row.verb != "GET" || row.list || row.search || row.returns.size() != 1) continue;
    const auto collection = collection_of(row.path);
    if (!collection) continue;
    const std::string_view name = row.returns.front();
    const auto list = list_at.find(*collection);
    if (list != list_at.end()) {
      retrieves[name] = &row;
      lists[name] = list->second;
      listed[list->first] = objects.at(name);
    } else {
      retrieves.emplace(name, &row);
    }
  }
}

const endpoint_row* catalogue::index::walk(std::uint32_t at, std::size_t verb,
                                           std::span<const std::string> rest,
                                           std::vector<const std::string*>& taken) const {
  const node& here = nodes[at];
  if (rest.empty()) return here.endpoints[verb];
  const std::string& segment = rest.front();
  if (const auto literal = here.literals.find(segment); literal != here.literals.end()) {
    if (const auto* found = walk(literal->second, verb, rest.subspan(1), taken)) return found;
  }
  if (here.placeholder == 0 || segment.empty()) return nullptr;
  taken.push_back(&segment);
  const auto* found = walk(here.placeholder, verb, rest.subspan(1), taken);
  if (found == nullptr) taken.pop_back();
  return found;
}

catalogue::catalogue() {
  const json all = json::parse(tilld_catalogue_begin, tilld_catalogue_end);
  api_version_ = all.at("api_version").get<std::string>();
  for (const auto& [name, row] : all.at("objects").items()) {
    objects_.push_back(read_object(name, row));
  }
  for (const auto& row : all.at("endpoints"))
    endpoints_.push_back(read_endpoint(row));
  for (const auto& [type, objects] : all.at("events").items()) {
    events_.push_back({type, objects.get<std::vector<std::string>>()});
  }

  auto* made = new index;  // never freed: catalogue::instance() lives as long as the program
  for (const auto& row : objects_)
    made->objects.emplace(row.name, &row);
  for (const auto& row : events_)
    made->add_event(row);
  for (const auto& row : endpoints_)
    made->add_path(row);
  made->add_collections(endpoints_);
  index_ = made;
}

const catalogue& catalogue::instance() {
  static const catalogue* const built_in = new catalogue;  // outlives every thread that reads it
  return *built_in;
}

namespace {
template <class Map>
typename Map::mapped_type look_up(const Map& map, std::string_view key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}
}  // namespace

const object_row* catalogue::object(std::string_view name) const {
  return look_up(index_->objects, name);
}
const event_row* catalogue::event(std::string_view type) const {
  return look_up(index_->events, type);
}
const endpoint_row* catalogue::retrieve_of(std::string_view object_name) const {
  return look_up(index_->retrieves, object_name);
}
const endpoint_row* catalogue::list_of(std::string_view object_name) const {
  return look_up(index_->lists, object_name);
}
const object_row* catalogue::listed_at(std::string_view path) const {
  return look_up(index_->listed, path);
}

bool catalogue::can_be_whole(std::string_view object_name) const {
  static constexpr std::array by_owner = {"account", "payment_method", "tax_id"};
  if (std::ranges::find(by_owner, object_name) != by_owner.end()) return false;
  const auto* list = list_of(object_name);
  if (list == nullptr || list->demands_parameter() || !is_told(object_name)) return false;
  if (object_name == "charge") return true;  // charge.succeeded, failed, pending
  return std::ranges::any_of(events_, [&](const event_row& e) {
    const bool begins = e.type.ends_with(".created") || e.type.ends_with(".attached");
    return begins && std::ranges::find(e.objects, object_name) != e.objects.end();
  });
}

bool catalogue::is_told(std::string_view object_name) const {
  return index_->told.contains(object_name);
}

catalogue::match catalogue::find(std::string_view verb,
                                 std::span<const std::string> segments) const {
  const auto which = verb_index(verb);
  if (!which) return {};
  std::vector<const std::string*> taken;
  match found;
  found.endpoint = index_->walk(0, *which, segments, taken);
  found.arguments.reserve(taken.size());
  for (const auto* argument : taken)
    found.arguments.push_back(*argument);
  return found;
}

std::string retrieve_target(std::string_view object_name, std::string_view id) {
  const auto* endpoint = catalogue::instance().retrieve_of(object_name);
  if (endpoint == nullptr) return "";
  std::string target = endpoint->path;
  const auto open = target.find('{');
  const auto close = target.find('}');
  if (open == std::string::npos || close == std::string::npos) return "";
  return target.replace(open, close - open + 1, percent_encode(id));
}

}  // namespace tilld::stripe
