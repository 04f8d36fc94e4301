// Searches in the mirror, in Stripe's query language. What was written a moment ago is found.
// Source: https://docs.stripe.com/search
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/message.hpp"
#include "http/v1_lists.hpp"
#include "store/lists.hpp"
#include "store/store.hpp"
#include "stripe/form.hpp"
#include "stripe/search_query.hpp"

namespace tilld::http {

struct search_request {
  std::string text;
  stripe::search::query query;
  int limit = 10;
  bool wants_total = false;
  std::optional<store::list_place> beyond;  // of the page
};

// What is asked for; a response when it is wrong; nothing when the mirror cannot answer. `expand`
// are the paths of expand[].
using read_search_request = std::variant<search_request, response>;
std::optional<read_search_request> read_search(std::string_view object_name,
                                               const stripe::form_pairs& query,
                                               const std::vector<std::string>& expand);

// One page, newest first. Nothing when a document cannot be shown.
std::optional<response> search_page(const store::reader& from, const store::scope& scope,
                                    std::string_view object_name, std::string_view path,
                                    const search_request& asked, const document_view& shown = {});

}  // namespace tilld::http
