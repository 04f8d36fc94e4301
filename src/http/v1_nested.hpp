// Lists that stand whole inside a document: an invoice's lines, a subscription's items. They are
// answered from that document.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/message.hpp"
#include "http/v1_lists.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/form.hpp"

namespace tilld::http {

// Which document a list stands in. `query` is without expand.
struct nested_list {
  std::string parent;     // "invoice"
  std::string parent_id;  // "in_1"
  std::string member;     // "lines"
  std::string url;        // "/v1/invoices/in_1/lines"
  int limit = 10;
  std::string starting_after;
  std::string ending_before;
};
// Nothing for any other list, or one that is asked for more than a page.
std::optional<nested_list> read_nested(const stripe::endpoint_row& endpoint,
                                       const std::vector<std::string>& arguments,
                                       const stripe::form_pairs& query);

// The page. Nothing when the document has the list cut, or not at all.
std::optional<response> nested_page(const nested_list& asked, std::string_view document,
                                    const document_view& shown = {});

}  // namespace tilld::http
