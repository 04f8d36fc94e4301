#include "http/v1_lists.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json_text.hpp"
#include "http/v1_answers.hpp"
#include "store/records.hpp"
#include "stripe/api_error.hpp"
#include "stripe/event.hpp"

namespace tilld::http {

using store::family;
namespace key = store::key;

namespace {

// Rows read at a time while a page is filled; a page that hides many rows takes several.
constexpr std::size_t chunk = 128;

std::optional<int> limit_in(std::string_view text) {
  int limit = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return limit;
}

// GET /v1/subscriptions hides canceled ones unless a status is asked for.
bool hidden_by_default(std::string_view object_name, std::string_view document) {
  if (object_name != "subscription") return false;
  const auto parsed = nlohmann::json::parse(document, nullptr, false);
  return parsed.is_object() && parsed.value("status", "") == "canceled";
}

struct page {
  std::vector<std::string> documents;
  bool has_more = false;
};

struct cursor {
  std::string row_key;  // of the list entry
};

result<std::optional<cursor>> find_cursor(const store::reader& from, const store::scope& scope,
                                          std::string_view object_name, const list_query& query,
                                          const std::string& id) {
  auto row = from.get(family::objects, key::object(scope, object_name, id));
  if (!row) return std::unexpected(row.error());
  const auto view = *row ? store::view_object(**row) : std::nullopt;
  if (!view || view->at.deleted) return std::nullopt;
  const auto head = stripe::parse_object(view->document);
  if (!head) return std::unexpected(head.error());
  const std::string_view filter = query.customer.empty() ? "" : "customer";
  return cursor{key::list_entry(scope, object_name, filter, query.customer, head->created_s, id)};
}

// Reads on from `range` until `limit` + 1 visible documents are found.
result<page> fill(const store::reader& from, const store::scope& scope,
                  std::string_view object_name, store::scan_range range, std::size_t limit) {
  page filled;
  while (true) {
    std::vector<std::string> keys;
    std::string last;
    auto scanned = from.scan(range, [&](std::string_view row_key, std::string_view) {
      last = row_key;
      if (const auto id = key::last_text(row_key)) {
        keys.push_back(key::object(scope, object_name, *id));
      }
      return keys.size() < std::min(chunk, limit + 1);
    });
    if (!scanned) return std::unexpected(scanned.error());
    if (keys.empty()) return filled;
    auto rows = from.multi_get(family::objects, keys);
    if (!rows) return std::unexpected(rows.error());
    for (const auto& row : *rows) {
      const auto view = row ? store::view_object(*row) : std::nullopt;
      if (!view || view->at.deleted || hidden_by_default(object_name, view->document)) continue;
      if (filled.documents.size() == limit) {
        filled.has_more = true;
        return filled;
      }
      filled.documents.emplace_back(view->document);
    }
    range.from = range.reverse ? last : last + '\0';
  }
}

std::string envelope(const page& filled, std::string_view path) {
  std::string body = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < filled.documents.size(); ++i) {
    if (i > 0) body += ',';
    body += filled.documents[i];
  }
  body += filled.has_more ? R"(],"has_more":true,"url":)" : R"(],"has_more":false,"url":)";
  append_json_string(body, path);
  body += '}';
  return body;
}

}  // namespace

std::optional<read_query> read_list_query(const stripe::form_pairs& query) {
  list_query asked;
  for (const auto& [name, value] : query) {
    if (name == "limit") {
      const auto limit = limit_in(value);
      if (!limit) {
        return answer_of(stripe::parameter_invalid("limit", "Invalid integer: " + value));
      }
      if (*limit < 1 || *limit > 100) {
        return answer_of(stripe::parameter_invalid(
            "limit", "Limit must be between 1 and 100 (" + value + " was given)."));
      }
      asked.limit = *limit;
    } else if (name == "starting_after") {
      asked.starting_after = value;
    } else if (name == "ending_before") {
      asked.ending_before = value;
    } else if (name == "customer" && !value.empty()) {
      asked.customer = value;
    } else {
      return std::nullopt;
    }
  }
  if (!asked.starting_after.empty() && !asked.ending_before.empty()) {
    return answer_of(stripe::parameter_invalid(
        "ending_before", "You cannot parameterize both starting_after and ending_before."));
  }
  return asked;
}

response list_page(const store::reader& from, const store::scope& scope,
                   std::string_view object_name, std::string_view path, const list_query& query) {
  const std::string_view filter = query.customer.empty() ? "" : "customer";
  const bool backwards = !query.ending_before.empty();
  store::scan_range range{family::index, key::list(scope, object_name, filter, query.customer), "",
                          !backwards};
  const std::string& cursor_id = backwards ? query.ending_before : query.starting_after;
  if (!cursor_id.empty()) {
    auto at = find_cursor(from, scope, object_name, query, cursor_id);
    if (!at) return unavailable(at.error());
    if (!*at) {
      auto missing = stripe::resource_missing(object_name, cursor_id,
                                              backwards ? "ending_before" : "starting_after");
      missing.status = 400;  // the collection is there; the parameter is wrong
      return answer_of(missing);
    }
    range.from = backwards ? (*at)->row_key + '\0' : (*at)->row_key;
  }
  auto filled = fill(from, scope, object_name, range, static_cast<std::size_t>(query.limit));
  if (!filled) return unavailable(filled.error());
  if (backwards) std::ranges::reverse(filled->documents);
  response ok;
  ok.body = envelope(*filled, path);
  return ok;
}

}  // namespace tilld::http
