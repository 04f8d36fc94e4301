#include "stripe/list_filters.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include <simdjson.h>

#include "stripe/catalogue.hpp"
#include "stripe/json_scan.hpp"

namespace tilld::stripe {

namespace {

namespace dom = simdjson::dom;
using kind = list_filter::kind;

// Where the name of a parameter does not say what it means. An empty path: not to be told from the
// document.
struct exception_row {
  std::string_view object;
  std::string_view param;
  std::string_view path;
  kind is = kind::value;
};
constexpr std::array exceptions = {
    exception_row{"billing.alert", "meter", "usage_threshold.meter"},
    exception_row{"checkout.session", "customer_details[email]", "customer_details.email"},
    exception_row{"file_link", "expired", ""},  // goes by the clock
    exception_row{"financial_connections.account", "session", ""},
    exception_row{"invoice", "due_date", "due_date", kind::moment},
    exception_row{"invoice", "subscription", "parent.subscription_details.subscription"},
    exception_row{"invoice_payment", "payment[payment_intent]", "payment.payment_intent"},
    exception_row{"invoice_payment", "payment[payment_record]", "payment.payment_record"},
    exception_row{"invoice_payment", "payment[type]", "payment.type"},
    exception_row{"invoiceitem", "pending", "invoice", kind::absent},
    exception_row{"issuing.personalization_design", "lookup_keys", "lookup_key", kind::any_of},
    exception_row{"issuing.personalization_design", "preferences[is_default]",
                  "preferences.is_default"},
    exception_row{"payout", "arrival_date", "arrival_date", kind::moment},
    exception_row{"price", "lookup_keys", "lookup_key", kind::any_of},
    exception_row{"price", "recurring[interval]", "recurring.interval"},
    exception_row{"price", "recurring[meter]", "recurring.meter"},
    exception_row{"price", "recurring[usage_type]", "recurring.usage_type"},
    exception_row{"product", "ids", "id", kind::any_of},
    exception_row{"promotion_code", "coupon", "promotion.coupon"},
    exception_row{"subscription", "automatic_tax[enabled]", "automatic_tax.enabled"},
    exception_row{"subscription", "current_period_end", "items.data[].current_period_end",
                  kind::moment},
    exception_row{"subscription", "current_period_start", "items.data[].current_period_start",
                  kind::moment},
    exception_row{"subscription", "plan", "items.data[].plan"},
    exception_row{"subscription", "price", "items.data[].price"},
    exception_row{"subscription_schedule", "canceled_at", "canceled_at", kind::moment},
    exception_row{"subscription_schedule", "completed_at", "completed_at", kind::moment},
    exception_row{"subscription_schedule", "released_at", "released_at", kind::moment},
    exception_row{"tax_id", "owner[customer]", "owner.customer"},
    exception_row{"topup", "amount", "amount", kind::moment},
    exception_row{"treasury.transaction", "status_transitions", ""},
    exception_row{"treasury.transaction_entry", "effective_at", "effective_at", kind::moment},
};

bool is_of_every_list(std::string_view param) {
  static constexpr std::array all = {"created", "ending_before", "expand", "limit",
                                     "starting_after"};
  return std::ranges::find(all, param) != all.end();
}

bool has_field(const object_row& row, std::string_view name) {
  return std::ranges::find(row.fields, name) != row.fields.end();
}

std::vector<list_filter> make_filters(const object_row& row, const endpoint_row& list) {
  std::vector<list_filter> all;
  for (const auto& e : exceptions) {
    if (e.object == row.name && !e.path.empty()) {
      all.push_back({std::string(e.param), std::string(e.path), e.is});
    }
  }
  for (const auto& parameter : list.parameters) {
    const std::string& name = parameter.name;
    const bool told = std::ranges::any_of(exceptions, [&](const exception_row& e) {
      return e.object == row.name && e.param.substr(0, e.param.find('[')) == name;
    });
    if (!told && !is_of_every_list(name) && has_field(row, name)) {
      all.push_back({name, name, kind::value});
    }
  }
  return all;
}

using by_object = std::map<std::string, std::vector<list_filter>, std::less<>>;

const by_object& all_filters() {
  static const by_object all = [] {
    by_object made;
    const auto& rows = catalogue::instance();
    for (const auto& row : rows.objects()) {
      const endpoint_row* list = rows.list_of(row.name);
      if (list == nullptr || row.name == "event") continue;
      made.emplace(row.name, make_filters(row, *list));
    }
    return made;
  }();
  return all;
}

// As a request would write it; empty where a request cannot.
std::string text_of(dom::element value) {
  switch (value.type()) {
    case dom::element_type::STRING:
      return std::string(std::string_view(value));
    case dom::element_type::BOOL:
      return bool(value) ? "true" : "false";
    case dom::element_type::INT64:
      return std::to_string(std::int64_t(value));
    case dom::element_type::UINT64:
      return std::to_string(std::uint64_t(value));
    case dom::element_type::OBJECT: {
      std::string_view id;
      return value["id"].get(id) == simdjson::SUCCESS ? std::string(id) : std::string();
    }
    default:
      return {};
  }
}

// Every value at the path, through arrays; null and what is not there are none.
template <class Act>
void each_at(dom::element here, std::string_view path, const Act& act) {
  const auto dot = path.find('.');
  std::string_view step = path.substr(0, dot);
  const bool opens = step.ends_with("[]");
  if (opens) step.remove_suffix(2);
  dom::element found;
  if (!here.is_object() || here[step].get(found) != simdjson::SUCCESS) return;
  const auto go_on = [&](dom::element value) {
    if (dot != path.npos) return each_at(value, path.substr(dot + 1), act);
    if (!value.is_null()) act(value);
  };
  if (!opens) return go_on(found);
  if (!found.is_array()) return;
  for (const dom::element one : dom::array(found))
    go_on(one);
}

bool parse(std::string_view document, dom::element& root) {
  thread_local dom::parser parser;
  return parser.parse(document.data(), document.size()).get(root) == simdjson::SUCCESS;
}

void file(filing& out, std::string under, std::string value) {
  if (!can_be_filed(value)) return;
  filed place{std::move(under), std::move(value)};
  if (std::ranges::find(out.places, place) == out.places.end()) {
    out.places.push_back(std::move(place));
  }
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> searched = {
    {{"charge", "charges"},
     {"customer", "customers"},
     {"invoice", "invoices"},
     {"payment_intent", "payment_intents"},
     {"price", "prices"},
     {"product", "products"},
     {"subscription", "subscriptions"}}};

// The text of a member as a search sees it; nothing where it is null, absent or no plain value.
std::optional<std::string> member_at(std::string_view object_name, dom::element root,
                                     std::string_view path) {
  // Of a charge that cannot be refunded "refunded" is null to a search.
  if (object_name == "charge" && path == "refunded") {
    std::string_view status;
    if (root["status"].get(status) != simdjson::SUCCESS || status != "succeeded") {
      return std::nullopt;
    }
  }
  std::optional<std::string> text;
  each_at(root, path, [&](dom::element value) {
    if (!text) text = text_of(value);
  });
  return text;
}

std::optional<std::string> metadata_at(dom::element root, std::string_view key) {
  dom::element metadata;
  std::string_view value;
  if (root["metadata"].get(metadata) != simdjson::SUCCESS || !metadata.is_object() ||
      metadata[key].get(value) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return std::string(value);
}

void file_for_searches(filing& out, std::string_view object_name, dom::element root) {
  for (const auto& field : search::fields_of(searched_as(object_name))) {
    if (field.type == search::field_type::numeric || field.name == "metadata") continue;
    const auto text = member_at(object_name, root, field.path);
    if (text) file(out, "?" + std::string(field.name), search::folded(*text));
  }
  dom::object metadata;
  if (searched_as(object_name).empty() || root["metadata"].get(metadata) != simdjson::SUCCESS) {
    return;
  }
  for (const auto& [key, value] : metadata) {
    std::string_view text;
    const std::string under = "?metadata[" + std::string(key) + "]";
    if (value.get(text) != simdjson::SUCCESS || !can_be_filed(under)) continue;
    file(out, under, search::folded(text));
  }
}

}  // namespace

std::string_view searched_as(std::string_view object_name) {
  for (const auto& [name, resource] : searched)
    if (name == object_name) return resource;
  return {};
}

bool fits_search(std::string_view object_name, const search::query& query,
                 std::string_view document) {
  dom::element root;
  if (!parse(document, root)) return false;
  return search::holds(query, [&](std::string_view path, std::string_view key) {
    return path == "metadata" ? metadata_at(root, key) : member_at(object_name, root, path);
  });
}

std::span<const list_filter> list_filters(std::string_view object_name) {
  const auto found = all_filters().find(object_name);
  return found == all_filters().end() ? std::span<const list_filter>() : found->second;
}

const list_filter* list_filter_of(std::string_view object_name, std::string_view param) {
  for (const auto& filter : list_filters(object_name)) {
    if (filter.param == param) return &filter;
  }
  return nullptr;
}

filing filing_of(std::string_view object_name, std::string_view document) {
  filing out;
  dom::element root;
  if (!parse(document, root)) return out;
  std::int64_t created = 0;
  if (root["created"].get(created) == simdjson::SUCCESS ||
      root["date"].get(created) == simdjson::SUCCESS) {
    out.created_s = created;
  }
  for (const auto& filter : list_filters(object_name)) {
    if (filter.is == kind::moment) continue;
    bool there = false;
    each_at(root, filter.path, [&](dom::element value) {
      there = true;
      if (filter.is != kind::absent) file(out, filter.param, text_of(value));
    });
    if (filter.is == kind::absent) file(out, filter.param, there ? "false" : "true");
  }
  file_for_searches(out, object_name, root);
  return out;
}

bool can_be_filed(std::string_view value) noexcept {
  return !value.empty() && value.size() <= 255 &&
         std::ranges::none_of(value, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::int64_t created_of(std::string_view document) {
  for (const char* name : {"created", "date"}) {
    const std::string_view text = member_of(document, name);
    std::int64_t created = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), created);
    if (!text.empty() && failed == std::errc() && end == text.data() + text.size()) return created;
  }
  return 0;
}

std::string text_at(std::string_view document, std::string_view path) {
  dom::element root;
  std::string text;
  if (!parse(document, root)) return text;
  each_at(root, path, [&](dom::element at) {
    if (text.empty()) text = text_of(at);
  });
  return text;
}

bool moment_at(std::string_view document, std::string_view path, std::int64_t& value) {
  dom::element root;
  if (!parse(document, root)) return false;
  bool found = false;
  each_at(root, path, [&](dom::element at) {
    if (!found && at.get(value) == simdjson::SUCCESS) found = true;
  });
  return found;
}

}  // namespace tilld::stripe
