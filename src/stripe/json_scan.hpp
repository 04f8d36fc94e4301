// Minified, valid JSON read from the left, value by value, without building anything: for texts
// that are passed on as they are, but for a few places.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tilld::stripe {

class json_scanner {
 public:
  explicit json_scanner(std::string_view text) : left_(text) {}

  char next() const { return left_.empty() ? '\0' : left_.front(); }
  bool take(char c);
  std::string_view value();  // a whole one; empty at the end of the text

 private:
  std::size_t size_of_string(std::size_t at) const;
  std::size_t size_of_value() const;
  std::string_view left_;
};

std::string_view unquoted(std::string_view text);  // of a string without escapes
// A member of an object's own text; empty when it is not there.
std::string_view member_of(std::string_view object, std::string_view name);

// A page of a list as Stripe answers it, its objects minified.
struct list_text {
  std::vector<std::string> objects;
  bool has_more = false;
};
std::optional<list_text> read_list(std::string_view body);  // nothing when it is no list

}  // namespace tilld::stripe
