// Lists from the mirror, in Stripe's shape and order.
// Source: https://docs.stripe.com/api/pagination
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "http/message.hpp"
#include "store/keys.hpp"
#include "store/store.hpp"
#include "stripe/form.hpp"

namespace tilld::http {

struct list_query {
  int limit = 10;
  std::string starting_after;
  std::string ending_before;
  std::string customer;
};

// What the query asks for; a response when it is wrong; nullopt when it asks for something that the
// mirror cannot answer (other filters, expand).
using read_query = std::variant<list_query, response>;
std::optional<read_query> read_list_query(const stripe::form_pairs& query);

// One page, newest first. `path` goes into "url".
response list_page(const store::reader& from, const store::scope& scope,
                   std::string_view object_name, std::string_view path, const list_query& query);

}  // namespace tilld::http
