#include "http/v1_search.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "base/bytes.hpp"
#include "base/json_text.hpp"
#include "http/v1_answers.hpp"
#include "store/records.hpp"
#include "stripe/list_filters.hpp"

namespace tilld::http {

using store::family;
namespace key = store::key;
namespace search = stripe::search;

namespace {

constexpr std::int64_t most_counted = 10'000;  // total_count is exact up to here
constexpr std::size_t mark_letters = 16;
constexpr std::size_t chunk = 128;

// next_page = base64(created "." id "." mark); the mark is of the search, so that a page of another
// one is refused.
std::string mark_of(std::string_view object_name, const std::string& text) {
  return to_hex(sha256(std::string(object_name) + "\n" + text)).substr(0, mark_letters);
}

std::string page_token(std::string_view object_name, const std::string& text,
                       const store::list_place& last) {
  return to_base64(std::to_string(last.created_s) + "." + last.id + "." +
                   mark_of(object_name, text));
}

std::optional<store::list_place> place_in(std::string_view object_name, const std::string& text,
                                          std::string_view token) {
  const auto plain = from_base64(token);
  if (!plain || plain->size() < mark_letters + 3) return std::nullopt;
  const std::string_view view = *plain;
  const auto dot = view.find('.');
  const auto end = view.size() - mark_letters - 1;
  if (dot == view.npos || dot >= end || view[end] != '.') return std::nullopt;
  if (view.substr(end + 1) != mark_of(object_name, text)) return std::nullopt;
  store::list_place place;
  const auto [rest, failed] = std::from_chars(view.data(), view.data() + dot, place.created_s);
  if (failed != std::errc() || rest != view.data() + dot) return std::nullopt;
  place.id = view.substr(dot + 1, end - dot - 1);
  return place;
}

response wrong(std::string param, std::string message) {
  return answer_of(stripe::parameter_invalid(std::move(param), std::move(message)));
}

// What a clause's documents are filed under; nothing for what is not filed.
std::optional<std::pair<std::string, std::string>> filed_by(const search::clause& c) {
  const bool filed = !c.negated && !c.null && c.op == search::comparison::equal &&
                     c.field.type != search::field_type::numeric;
  if (!filed) return std::nullopt;
  const bool metadata = c.field.name == "metadata";
  const std::string under = metadata ? "?metadata[" + c.key + "]" : "?" + std::string(c.field.name);
  const std::string value = search::folded(c.value);
  if (!stripe::can_be_filed(under) || !stripe::can_be_filed(value)) return std::nullopt;
  return std::pair(under, value);
}

// The indexes that hold all that can be found. Without any the whole collection is walked.
std::vector<store::list_condition> conditions_of(const search::query& q) {
  std::vector<store::list_condition> all;
  store::list_condition either;
  for (const auto& c : q.clauses) {
    auto place = filed_by(c);
    if (!place && q.any) return {};
    if (!place) continue;
    if (q.any) {
      either.or_else.push_back(std::move(*place));
    } else {
      all.push_back({place->first, {place->second}});
    }
  }
  if (q.any && !either.or_else.empty()) all.push_back(std::move(either));
  return all;
}

// created>… narrows the walk itself.
void narrow(store::list_walk& walk, const search::query& q) {
  if (q.any) return;
  for (const auto& c : q.clauses) {
    if (c.negated || c.null || c.field.path != "created") continue;
    switch (c.op) {
      case search::comparison::greater:
      case search::comparison::at_least:
        walk.from_s = std::max(walk.from_s, c.number);
        break;
      case search::comparison::less:
      case search::comparison::at_most:
        walk.to_s = std::min(walk.to_s, c.number);
        break;
      case search::comparison::equal:
        walk.from_s = walk.to_s = c.number;
        break;
      case search::comparison::contains:
        break;
    }
  }
}

using found_one = std::function<bool(const store::list_place&, std::string_view document)>;

// Every document that fits, in order, until `visit` has enough.
result<void> each(const store::reader& from, store::list_walk walk, const search::query& q,
                  const found_one& visit) {
  while (true) {
    std::vector<store::list_place> places;
    std::vector<std::string> keys;
    auto walked = store::walk(from, walk, [&](const store::list_place& place) {
      places.push_back(place);
      keys.push_back(key::object(walk.of, walk.object_name, place.id));
      return keys.size() < chunk;
    });
    if (!walked) return walked;
    auto rows = from.multi_get(family::objects, keys);
    if (!rows) return std::unexpected(rows.error());
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const auto& row = (*rows)[i];
      const auto view = row ? store::view_object(*row) : std::nullopt;
      if (!view || view->at.deleted) continue;
      if (!stripe::fits_search(walk.object_name, q, view->document)) continue;
      if (!visit(places[i], view->document)) return {};
    }
    if (keys.size() < chunk) return {};
    walk.beyond = places.back();
  }
}

std::string envelope(const std::vector<std::string>& documents, const std::string& next_page,
                     std::int64_t total, std::string_view path) {
  std::string body = R"({"object":"search_result","data":[)";
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (i > 0) body += ',';
    body += documents[i];
  }
  body += next_page.empty() ? R"(],"has_more":false,"next_page":null)"
                            : R"(],"has_more":true,"next_page":)";
  if (!next_page.empty()) append_json_string(body, next_page);
  if (total >= 0) body += R"(,"total_count":)" + std::to_string(total);
  body += R"(,"url":)";
  append_json_string(body, path);
  return body + '}';
}

}  // namespace

std::optional<read_search_request> read_search(std::string_view object_name,
                                               const stripe::form_pairs& query,
                                               const std::vector<std::string>& expand) {
  search_request asked;
  std::string page;
  for (const auto& [name, value] : query) {
    if (name == "query") {
      asked.text = value;
    } else if (name == "page") {
      page = value;
    } else if (name == "limit") {
      const auto [end, failed] =
          std::from_chars(value.data(), value.data() + value.size(), asked.limit);
      if (failed != std::errc() || end != value.data() + value.size() || asked.limit < 1 ||
          asked.limit > 100) {
        return wrong("limit", "Limit must be between 1 and 100 (" + value + " was given).");
      }
    } else {
      return std::nullopt;
    }
  }
  if (asked.text.empty()) return std::nullopt;  // Stripe says what is missing
  auto read = search::parse(stripe::searched_as(object_name), asked.text);
  if (!read) return wrong("query", read.error().message);
  asked.query = std::move(*read);
  if (!page.empty()) {
    asked.beyond = place_in(object_name, asked.text, page);
    if (!asked.beyond) return std::nullopt;  // of an answer of Stripe's, perhaps
  }
  asked.wants_total = std::ranges::find(expand, "total_count") != expand.end();
  return asked;
}

std::optional<response> search_page(const store::reader& from, const store::scope& scope,
                                    std::string_view object_name, std::string_view path,
                                    const search_request& asked, const document_view& shown) {
  store::list_walk walk;
  walk.of = scope;
  walk.object_name = std::string(object_name);
  walk.conditions = conditions_of(asked.query);
  narrow(walk, asked.query);
  std::int64_t total = -1;
  if (asked.wants_total) {
    total = 0;
    auto counted = each(from, walk, asked.query,
                        [&](const auto&, std::string_view) { return ++total < most_counted; });
    if (!counted) return unavailable(counted.error());
  }
  walk.beyond = asked.beyond;
  std::vector<std::string> documents;
  std::string next_page;
  store::list_place last;
  auto done = each(from, walk, asked.query, [&](const auto& place, std::string_view document) {
    if (documents.size() == static_cast<std::size_t>(asked.limit)) {
      next_page = page_token(object_name, asked.text, last);
      return false;
    }
    documents.emplace_back(document);
    last = place;
    return true;
  });
  if (!done) return unavailable(done.error());
  if (!show_all(documents, shown)) return std::nullopt;
  response ok;
  ok.body = envelope(documents, next_page, total, path);
  return ok;
}

}  // namespace tilld::http
