#include "http/v1_lists.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/json_text.hpp"
#include "http/v1_answers.hpp"
#include "store/records.hpp"
#include "stripe/api_error.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/event.hpp"

namespace tilld::http {

using store::family;
using stripe::list_filter;
namespace key = store::key;

namespace {

// Documents read at a time while a page is filled; a page that hides many takes several.
constexpr std::size_t chunk = 128;

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number n = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

response wrong(std::string param, std::string message) {
  return answer_of(stripe::parameter_invalid(std::move(param), std::move(message)));
}

response wrong_number(std::string param, std::string message) {
  auto error = stripe::parameter_invalid(std::move(param), std::move(message));
  error.code = "parameter_invalid_integer";
  return answer_of(error);
}

// "created[gte]" of "created": gte; nothing for another parameter.
std::optional<std::string_view> operation_of(std::string_view name, std::string_view param) {
  if (name == param) return "";
  if (!name.starts_with(param) || !name.ends_with(']')) return std::nullopt;
  name.remove_prefix(param.size());
  if (!name.starts_with('[')) return std::nullopt;
  return name.substr(1, name.size() - 2);
}

bool narrow(span_s& span, std::string_view operation, std::int64_t n) {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  if (operation.empty() || operation == "gte") span.from = std::max(span.from, n);
  if (operation.empty() || operation == "lte") span.to = std::min(span.to, n);
  if (operation == "gt") span.from = std::max(span.from, n == most ? most : n + 1);
  if (operation == "lt") span.to = std::min(span.to, n == least ? least : n - 1);
  return operation.empty() || operation == "gte" || operation == "lte" || operation == "gt" ||
         operation == "lt";
}

// What a status stands for that is none of a document's.
// Source: https://docs.stripe.com/api/subscriptions/list (status)
std::optional<std::vector<std::string>> subscription_statuses(const std::string& asked) {
  static const std::vector<std::string> but_canceled = {
      "active", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid"};
  if (asked.empty()) return but_canceled;
  if (asked == "ended") return std::vector<std::string>{"canceled", "incomplete_expired"};
  if (asked == "all") return std::nullopt;
  return std::vector<std::string>{asked};
}

// Reads one query; `object` is whose list it is.
class query_reader {
 public:
  explicit query_reader(std::string_view object) : object_(object) {}

  std::optional<read_query> read(const stripe::form_pairs& query) {
    for (const auto& [name, value] : query) {
      if (!take(name, value)) {
        if (wrong_) return std::move(*wrong_);
        return std::nullopt;
      }
    }
    if (!asked_.starting_after.empty() && !asked_.ending_before.empty()) {
      return wrong("",
                   "You cannot parameterize both `starting_after` and `ending_before` in the same "
                   "request.");
    }
    if (object_ == "payment_method" && !asked_.names("customer")) return std::nullopt;
    if (object_ == "subscription") take_status();
    return std::move(asked_);
  }

 private:
  bool refuse(response r) {
    wrong_ = std::move(r);
    return false;
  }

  bool take(const std::string& name, const std::string& value) {
    if (name == "limit") return take_limit(value);
    if (name == "starting_after") return asked_.starting_after = value, true;
    if (name == "ending_before") return asked_.ending_before = value, true;
    if (value.empty()) return false;  // Stripe says what is wrong with that
    if (const auto operation = operation_of(name, "created"); operation && takes("created")) {
      return take_moment(asked_.created, name, *operation, value);
    }
    if (object_ == "subscription" && name == "status") return status_ = value, true;
    for (const auto& filter : stripe::list_filters(object_)) {
      if (filter.is == list_filter::kind::moment) {
        if (const auto operation = operation_of(name, filter.param)) {
          return take_moment(moment_of(filter), name, *operation, value);
        }
      } else if (filter.is == list_filter::kind::any_of ? is_element(name, filter.param)
                                                        : name == filter.param) {
        return take_value(filter, value);
      }
    }
    return false;
  }

  bool takes(std::string_view param) const {
    const auto* list = stripe::catalogue::instance().list_of(object_);
    return list != nullptr && std::ranges::any_of(list->parameters, [&](const auto& one) {
             return one.name == param;
           });
  }

  bool take_limit(const std::string& value) {
    const auto limit = number_in<int>(value);
    if (!limit) return refuse(wrong_number("limit", "Invalid integer: " + value));
    if (*limit < 1) {
      return refuse(wrong_number("limit", "This value must be greater than or equal to 1."));
    }
    if (*limit > 100) {
      return refuse(
          wrong_number("limit", "This value must be less than or equal to 100 (it currently is '" +
                                    std::to_string(*limit) + "')."));
    }
    asked_.limit = *limit;
    return true;
  }

  bool take_moment(span_s& span, const std::string& name, std::string_view operation,
                   const std::string& value) {
    const auto n = number_in<std::int64_t>(value);
    if (!n) return refuse(wrong_number(name, "Invalid integer: " + value));
    return narrow(span, operation, *n);
  }

  span_s& moment_of(const list_filter& filter) {
    for (auto& [of, span] : asked_.moments) {
      if (of == &filter) return span;
    }
    return asked_.moments.emplace_back(&filter, span_s{}).second;
  }

  // lookup_keys[] and lookup_keys[0] are elements of lookup_keys.
  static bool is_element(std::string_view name, std::string_view param) {
    const auto inside = operation_of(name, param);
    return inside && name != param &&
           std::ranges::all_of(*inside, [](char c) { return c >= '0' && c <= '9'; });
  }

  bool take_value(const list_filter& filter, const std::string& value) {
    if (!stripe::can_be_filed(value)) return false;
    for (auto& condition : asked_.conditions) {
      if (condition.filter != filter.param) continue;
      if (filter.is != list_filter::kind::any_of) condition.values.clear();  // the last counts
      condition.values.push_back(value);
      return true;
    }
    asked_.conditions.push_back({filter.param, {value}});
    return true;
  }

  void take_status() {
    if (auto statuses = subscription_statuses(status_)) {
      asked_.conditions.push_back({"status", std::move(*statuses)});
    }
  }

  std::string_view object_;
  list_query asked_;
  std::string status_;
  std::optional<response> wrong_;
};

// In test mode what lives by a test clock is shown to those alone who ask for it.
// Source: https://docs.stripe.com/billing/testing/test-clocks
class clock_screen {
 public:
  clock_screen(const store::reader& from, const store::scope& scope, std::string_view object,
               const list_query& query)
      : from_(from),
        scope_(scope),
        hides_(!scope.live && hides(object, query) && any_clock(from, scope)),
        by_customer_(hides_ && object != "customer") {}

  bool shows(std::string_view document) const {
    if (!hides_) return true;
    if (names_clock(document) && !stripe::text_at(document, "test_clock").empty()) return false;
    if (!by_customer_) return true;
    const std::string customer = stripe::text_at(document, "customer");
    if (!store::valid_id(customer)) return true;
    auto row = from_.get(family::objects, key::object(scope_, "customer", customer));
    const auto view = row && *row ? store::view_object(**row) : std::nullopt;
    return !view || stripe::text_at(view->document, "test_clock").empty();
  }

 private:
  // Most documents name none, which a search for bytes tells sooner than reading them.
  static bool names_clock(std::string_view document) {
    static constexpr std::string_view named = R"("test_clock":")";
    return ::memmem(document.data(), document.size(), named.data(), named.size()) != nullptr;
  }

  static bool any_clock(const store::reader& from, const store::scope& scope) {
    const auto row = from.get(family::meta, key::clocks(scope));
    return !row || *row;
  }

  static bool hides(std::string_view object, const list_query& query) {
    struct rule {
      std::string_view object;
      std::array<std::string_view, 2> unless;
    };
    static constexpr std::array rules = {rule{"customer", {"test_clock", ""}},
                                         rule{"subscription", {"test_clock", "customer"}},
                                         rule{"invoice", {"customer", "subscription"}},
                                         rule{"charge", {"customer", "payment_intent"}},
                                         rule{"payment_intent", {"customer", ""}},
                                         rule{"quote", {"test_clock", "customer"}},
                                         rule{"subscription_schedule", {"customer", ""}}};
    const auto* found = std::ranges::find(rules, object, &rule::object);
    return found != rules.end() && !query.names(found->unless[0]) && !query.names(found->unless[1]);
  }

  const store::reader& from_;
  const store::scope& scope_;
  bool hides_;
  bool by_customer_;
};

bool fits(const list_query& query, std::string_view document) {
  return std::ranges::all_of(query.moments, [&](const auto& moment) {
    std::int64_t at = 0;
    return stripe::moment_at(document, moment.first->path, at) && at >= moment.second.from &&
           at <= moment.second.to;
  });
}

struct page {
  std::vector<std::string> rows;  // object records
  bool has_more = false;
};

std::string_view document_in(const std::string& row) {
  return store::view_object(row)->document;
}

result<std::optional<store::list_place>> place_of(const store::reader& from,
                                                  const store::scope& scope,
                                                  std::string_view object_name,
                                                  const std::string& id) {
  if (!store::valid_id(id)) return std::nullopt;
  auto row = from.get(family::objects, key::object(scope, object_name, id));
  if (!row) return std::unexpected(row.error());
  const auto view = *row ? store::view_object(**row) : std::nullopt;
  if (!view || view->at.deleted) return std::nullopt;
  return store::list_place{stripe::created_of(view->document), id};
}

// Walks on until `limit` + 1 visible documents are found.
result<page> fill(const store::reader& from, store::list_walk walk, const list_query& query) {
  page filled;
  const clock_screen screen(from, walk.of, walk.object_name, query);
  const auto limit = static_cast<std::size_t>(query.limit);
  while (true) {
    std::vector<std::string> keys;
    const std::size_t wanted = std::min(chunk, limit + 1 - filled.rows.size());
    walk.expected = wanted;
    auto walked = store::walk(from, walk, [&](const store::list_place& place) {
      keys.push_back(key::object(walk.of, walk.object_name, place.id));
      walk.beyond = place;
      return keys.size() < wanted;
    });
    if (!walked) return std::unexpected(walked.error());
    auto rows = from.multi_get(family::objects, keys);
    if (!rows) return std::unexpected(rows.error());
    for (auto& row : *rows) {
      const auto view = row ? store::view_object(*row) : std::nullopt;
      if (!view || view->at.deleted || !fits(query, view->document)) continue;
      if (!screen.shows(view->document)) continue;
      if (filled.rows.size() == limit) {
        filled.has_more = true;
        return filled;
      }
      filled.rows.push_back(std::move(*row));
    }
    if (keys.size() < wanted) return filled;
  }
}

// nullopt: something to be shown in a document is not at hand.
std::optional<std::string> envelope(const page& filled, std::string_view path,
                                    const document_view& shown) {
  std::string body = R"({"object":"list","data":[)";
  std::size_t size = body.size() + path.size() + 64;
  for (const auto& row : filled.rows)
    size += row.size();
  body.reserve(size);
  bool all = true;  // each is asked, so that everything that is missing is known
  for (std::size_t i = 0; i < filled.rows.size(); ++i) {
    if (i > 0) body += ',';
    const std::string_view document = document_in(filled.rows[i]);
    const auto view = shown ? shown(document) : std::nullopt;
    all = all && (!shown || view);
    body += view ? std::string_view(*view) : document;
  }
  if (!all) return std::nullopt;
  body += filled.has_more ? R"(],"has_more":true,"url":)" : R"(],"has_more":false,"url":)";
  append_json_string(body, path);
  body += '}';
  return body;
}

}  // namespace

bool list_query::names(std::string_view param) const {
  return std::ranges::any_of(conditions, [&](const auto& c) { return c.filter == param; });
}

std::optional<read_query> read_list_query(std::string_view object_name,
                                          const stripe::form_pairs& query) {
  return query_reader(object_name).read(query);
}

bool show_all(std::vector<std::string>& documents, const document_view& shown) {
  if (!shown) return true;
  bool all = true;
  for (auto& document : documents) {
    auto view = shown(document);
    all = all && view.has_value();
    if (all) document = std::move(*view);
  }
  return all;
}

std::optional<response> list_page(const store::reader& from, const store::scope& scope,
                                  std::string_view object_name, std::string_view path,
                                  const list_query& query, const document_view& shown) {
  store::list_walk walk;
  walk.of = scope;
  walk.object_name = std::string(object_name);
  walk.conditions = query.conditions;
  walk.from_s = query.created.from;
  walk.to_s = query.created.to;
  const bool backwards = !query.ending_before.empty();
  walk.oldest_first = backwards;
  const std::string& cursor = backwards ? query.ending_before : query.starting_after;
  if (!cursor.empty()) {
    auto at = place_of(from, scope, object_name, cursor);
    if (!at) return unavailable(at.error());
    if (!*at) {
      auto missing = stripe::resource_missing(object_name, cursor,
                                              backwards ? "ending_before" : "starting_after");
      missing.status = 400;  // the collection is there; the parameter is wrong
      return answer_of(missing);
    }
    walk.beyond = std::move(**at);
  }
  auto filled = fill(from, std::move(walk), query);
  if (!filled) return unavailable(filled.error());
  if (backwards) std::ranges::reverse(filled->rows);
  auto body = envelope(*filled, path, shown);
  if (!body) return std::nullopt;
  response ok;
  ok.body = std::move(*body);
  return ok;
}

}  // namespace tilld::http
