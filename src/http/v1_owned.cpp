#include "http/v1_owned.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tilld::http {

namespace {

struct row {
  std::string_view path;  // of the list; the retrieve has one segment more
  std::string_view kind;
  std::string_view owner_kind;
  std::string_view filter;  // of the kind's own list, that means the owner
  std::string_view owner_path;
  bool by_owner = false;
};
constexpr std::array rows = {
    row{"/v1/customers/{id}/payment_methods", "payment_method", "customer", "customer", "customer",
        true},
    row{"/v1/customers/{id}/tax_ids", "tax_id", "customer", "owner[customer]", "owner.customer",
        true},
};
constexpr std::array old_rows = {
    row{"charges", "refund", "charge", "charge", "charge"},
    row{"customers", "subscription", "customer", "customer", "customer"},
};
constexpr std::array<std::string_view, 2> old_lists = {"refunds", "subscriptions"};

owned owned_by(const row& r, std::string owner) {
  owned found;
  found.kind = r.kind;
  found.owner_kind = r.owner_kind;
  found.owner_path = r.owner_path;
  found.by_owner = r.by_owner;
  found.owner = std::move(owner);
  return found;
}

owned list_of(const row& r, const std::string& owner, const stripe::form_pairs& query) {
  owned found = owned_by(r, owner);
  found.query = {{std::string(r.filter), owner}};
  found.query.insert(found.query.end(), query.begin(), query.end());
  return found;
}

// /v1/customers/{customerId}/payment_methods/{id}: the placeholders' names differ.
bool is_one_below(std::string_view path, std::string_view list) {
  if (!path.ends_with("/{id}")) return false;
  path.remove_suffix(5);
  const auto tail = [](std::string_view p) { return p.substr(p.rfind('/')); };
  const auto head = [](std::string_view p) { return p.substr(0, p.find('{')); };
  return head(path) == head(list) && tail(path) == tail(list);
}

// The kind's own list, with its owner among the parameters.
std::optional<owned> by_parameter(const row& r, const stripe::form_pairs& query) {
  std::optional<std::string> owner;
  stripe::form_pairs rest;
  for (const auto& pair : query) {
    if (pair.first == r.filter) {
      owner = pair.second;
    } else if (r.kind == "tax_id" && pair.first == "owner[type]" && pair.second == "customer") {
      continue;
    } else {
      rest.push_back(pair);
    }
  }
  if (!owner || owner->empty()) return std::nullopt;
  return list_of(r, *owner, rest);
}

}  // namespace

bool owned::from_the_beginning() const {
  return std::ranges::all_of(
      query, [&](const auto& pair) { return pair.first == "limit" || &pair == &query.front(); });
}

std::optional<owned> read_owned(const stripe::endpoint_row& endpoint,
                                const std::vector<std::string>& arguments,
                                const stripe::form_pairs& query) {
  for (const auto& r : rows) {
    if (endpoint.path == r.path) return list_of(r, arguments.front(), query);
    if (&endpoint == stripe::catalogue::instance().list_of(r.kind)) return by_parameter(r, query);
    if (is_one_below(endpoint.path, r.path) && query.empty()) {
      owned one = owned_by(r, arguments.front());
      one.id = arguments.back();
      return one;
    }
  }
  return std::nullopt;
}

std::optional<owned_alias> read_alias(std::span<const std::string> segments,
                                      const stripe::form_pairs& query) {
  if (segments.size() != 4 || segments[0] != "v1") return std::nullopt;
  for (std::size_t i = 0; i < old_rows.size(); ++i) {
    const row& r = old_rows[i];
    if (segments[1] != r.path || segments[3] != old_lists[i]) continue;
    return owned_alias{stripe::catalogue::instance().list_of(r.kind),
                       list_of(r, segments[2], query)};
  }
  return std::nullopt;
}

}  // namespace tilld::http
