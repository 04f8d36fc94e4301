// Plain pages: a head, a card with what there is to see, forms. No script, nothing from elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tilld::sandbox::pages {

std::string escaped(std::string_view text);  // for text and for attributes in double quotes

struct field {
  std::string name;
  std::string label;
  std::string value;
  std::string autocomplete;
  std::string hint;  // placeholder
  bool required = true;
};

// A form that posts to the page itself, with one button.
std::string form(const std::vector<field>& fields, std::string_view button,
                 const std::vector<std::pair<std::string, std::string>>& hidden = {},
                 bool quiet = false);
std::vector<field> card_fields();

// Rows of a name and an amount.
std::string rows(const std::vector<std::pair<std::string, std::string>>& all);

std::string page(std::string_view title, std::string_view body, std::string_view problem = {});

}  // namespace tilld::sandbox::pages
