// The shape of a JSON value: what requests are checked against and what the OpenAPI document says.
// One description for both, so that neither can say what the other does not.
// Source: https://json-schema.org/draft/2020-12, of which this is a small part.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace tilld::http::api {

struct member;

struct shape {
  enum class kind : std::uint8_t { any, text, integer, truth, list, object, map };
  kind is = kind::any;
  std::string name{};                   // of its own in the document, which others refer to
  std::string about{};                  // for people
  std::vector<std::string> choices{};   // of a text
  std::string format{};                 // of a text: "email" and "uri" are checked
  std::optional<std::int64_t> least{};  // of a number, a text (characters), a list (how many)
  std::optional<std::int64_t> most{};
  bool may_be_null = false;
  std::vector<member> members{};  // of an object; others are refused unless it is open
  bool open = false;
  std::vector<shape> of{};  // one: what a list or a map holds

  shape called(std::string its_name) &&;
  shape within(std::int64_t from, std::int64_t to) &&;
  shape at_least(std::int64_t from) &&;
  shape or_null() &&;
  shape with_more() &&;  // an object that may have members of other names
  shape saying(std::string for_people) &&;
};

struct member {
  std::string name;
  shape what;
  bool needed = false;
};

shape anything(std::string about);
shape text(std::string about);  // 1 to 5,000 characters unless said otherwise
shape email(std::string about);
shape url(std::string about);
shape choice(std::vector<std::string> of, std::string about);
shape integer(std::string about);
shape moment(std::string about);  // seconds since 1970
shape truth(std::string about);
shape list_of(shape what, std::string about = {});
shape map_of(shape what, std::string about = {});
shape object(std::vector<member> members, std::string about = {});

member needed(std::string name, shape what);
member maybe(std::string name, shape what);

// Something wrong with a request. `pointer` (RFC 6901) leads into the body, `parameter` names one
// of the query; the other is empty.
struct fault {
  std::string pointer;
  std::string parameter;
  std::string message;
};

// Adds all that is wrong with `value`; `pointer` says where it stands.
void check(const shape& wanted, const nlohmann::json& value, const std::string& pointer,
           std::vector<fault>& faults);

// A value as a query writes it: numbers and truths as text. nullopt when it cannot be one; the
// rest is for check().
std::optional<nlohmann::json> from_text(const shape& wanted, std::string_view text);

// The JSON Schema. Shapes with a name become references, and are added to `named` once.
nlohmann::json schema_of(const shape& of, nlohmann::json& named);

}  // namespace tilld::http::api
