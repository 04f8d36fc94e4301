// Lists from the mirror, in Stripe's shape and order, with Stripe's filters.
// Source: https://docs.stripe.com/api/pagination
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "http/message.hpp"
#include "store/lists.hpp"
#include "store/store.hpp"
#include "stripe/form.hpp"
#include "stripe/list_filters.hpp"

namespace tilld::http {

struct span_s {
  std::int64_t from = std::numeric_limits<std::int64_t>::min();
  std::int64_t to = std::numeric_limits<std::int64_t>::max();
};

struct list_query {
  int limit = 10;
  std::string starting_after;
  std::string ending_before;
  span_s created;
  std::vector<store::list_condition> conditions;
  std::vector<std::pair<const stripe::list_filter*, span_s>> moments;
  bool names(std::string_view param) const;  // whether a condition is about that parameter
};

// What the query asks of that object's list; a response when it is wrong; nullopt when it asks for
// something that the mirror cannot answer (a parameter that no document tells, expand).
using read_query = std::variant<list_query, response>;
std::optional<read_query> read_list_query(std::string_view object_name,
                                          const stripe::form_pairs& query);

// What is shown of a document; nothing when the mirror cannot show it.
using document_view = std::function<std::optional<std::string>(std::string_view document)>;

// Each as it is shown, in its place; false when one cannot be. All are tried, so that the view has
// seen whatever is lacking.
bool show_all(std::vector<std::string>& documents, const document_view& shown);

// One page, newest first. `path` goes into "url". Nothing when a document cannot be shown.
std::optional<response> list_page(const store::reader& from, const store::scope& scope,
                                  std::string_view object_name, std::string_view path,
                                  const list_query& query, const document_view& shown = {});

}  // namespace tilld::http
