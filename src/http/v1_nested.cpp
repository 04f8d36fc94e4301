#include "http/v1_nested.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <variant>

#include "base/json_text.hpp"
#include "http/v1_answers.hpp"
#include "stripe/json_scan.hpp"

namespace tilld::http {

namespace {

// Those whose documents are told by an event when the list changes.
struct row {
  std::string_view path;
  std::string_view parent;
  std::string_view member;
  std::string_view param;  // that names the parent; empty: the path does
};
constexpr std::array rows = {
    row{"/v1/credit_notes/{id}/lines", "credit_note", "lines", ""},
    row{"/v1/invoices/{id}/lines", "invoice", "lines", ""},
    row{"/v1/subscription_items", "subscription", "items", "subscription"},
    row{"/v1/transfers/{id}/reversals", "transfer", "reversals", ""},
};

std::string url_of(const row& r, const std::string& id) {
  std::string url(r.path);
  if (!r.param.empty()) return url + "?" + std::string(r.param) + "=" + id;
  return url.replace(url.find("{id}"), 4, id);
}

struct window {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool has_more = false;
};

std::optional<std::size_t> place_of(const std::vector<std::string>& objects,
                                    const std::string& id) {
  const auto it = std::ranges::find_if(objects, [&](const std::string& object) {
    return stripe::unquoted(stripe::member_of(object, "id")) == id;
  });
  if (it == objects.end()) return std::nullopt;
  return static_cast<std::size_t>(it - objects.begin());
}

window window_of(const nested_list& asked, std::size_t size, std::optional<std::size_t> cursor) {
  const auto limit = static_cast<std::size_t>(asked.limit);
  if (!asked.ending_before.empty()) {
    const std::size_t end = *cursor;
    const std::size_t begin = end > limit ? end - limit : 0;
    return {begin, end, begin > 0};
  }
  const std::size_t begin = cursor ? *cursor + 1 : 0;
  const std::size_t end = std::min(begin + limit, size);
  return {begin, end, end < size};
}

}  // namespace

std::optional<nested_list> read_nested(const stripe::endpoint_row& endpoint,
                                       const std::vector<std::string>& arguments,
                                       const stripe::form_pairs& query) {
  const auto* r = std::ranges::find(rows, endpoint.path, &row::path);
  if (r == rows.end()) return std::nullopt;
  nested_list asked;
  asked.parent = r->parent;
  asked.member = r->member;
  if (r->param.empty()) asked.parent_id = arguments.front();
  stripe::form_pairs rest;
  for (const auto& pair : query) {
    if (!r->param.empty() && pair.first == r->param) {
      asked.parent_id = pair.second;
    } else {
      rest.push_back(pair);
    }
  }
  const auto paging = read_list_query("", rest);  // of nothing that could be filtered
  if (asked.parent_id.empty() || !paging || !std::holds_alternative<list_query>(*paging)) {
    return std::nullopt;
  }
  const auto& page = std::get<list_query>(*paging);
  const bool by_time = page.created.from != span_s().from || page.created.to != span_s().to;
  if (by_time) return std::nullopt;
  asked.url = url_of(*r, asked.parent_id);
  asked.limit = page.limit;
  asked.starting_after = page.starting_after;
  asked.ending_before = page.ending_before;
  return asked;
}

std::optional<response> nested_page(const nested_list& asked, std::string_view document,
                                    const document_view& shown) {
  const auto list = stripe::read_list(stripe::member_of(document, asked.member));
  if (!list || list->has_more) return std::nullopt;
  const std::string& cursor =
      asked.starting_after.empty() ? asked.ending_before : asked.starting_after;
  const auto at = cursor.empty() ? std::nullopt : place_of(list->objects, cursor);
  if (!cursor.empty() && !at) return std::nullopt;  // Stripe says what is wrong with it
  const window seen = window_of(asked, list->objects.size(), at);
  const auto first = list->objects.begin();
  std::vector<std::string> objects(first + static_cast<std::ptrdiff_t>(seen.begin),
                                   first + static_cast<std::ptrdiff_t>(seen.end));
  if (!show_all(objects, shown)) return std::nullopt;
  std::string body = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (i > 0) body += ',';
    body += objects[i];
  }
  body += seen.has_more ? R"(],"has_more":true,"url":)" : R"(],"has_more":false,"url":)";
  // Stripe names the path alone.
  append_json_string(body, asked.url.substr(0, asked.url.find('?')));
  body += '}';
  response ok;
  ok.body = std::move(body);
  return ok;
}

}  // namespace tilld::http
