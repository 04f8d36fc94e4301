#include "http/api/shape.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

namespace tilld::http::api {

using nlohmann::json;

namespace {

constexpr std::int64_t longest_text = 5000;

shape of_kind(shape::kind is, std::string about) {
  shape s;
  s.is = is;
  s.about = std::move(about);
  return s;
}

std::int64_t characters_of(std::string_view utf8) {
  return std::ranges::count_if(utf8, [](char c) { return (c & 0xc0) != 0x80; });
}

// RFC 6901: ~ and / in a name are written as ~0 and ~1.
std::string below(const std::string& pointer, std::string_view name) {
  std::string out = pointer + '/';
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

const char* article_of(shape::kind is) {
  switch (is) {
    case shape::kind::text:
      return "a string";
    case shape::kind::integer:
      return "an integer";
    case shape::kind::truth:
      return "true or false";
    case shape::kind::list:
      return "an array";
    case shape::kind::object:
    case shape::kind::map:
      return "an object";
    case shape::kind::any:
      break;
  }
  return "a value";
}

bool is_of(shape::kind is, const json& value) {
  switch (is) {
    case shape::kind::text:
      return value.is_string();
    case shape::kind::integer:
      return value.is_number_integer();
    case shape::kind::truth:
      return value.is_boolean();
    case shape::kind::list:
      return value.is_array();
    case shape::kind::object:
    case shape::kind::map:
      return value.is_object();
    case shape::kind::any:
      break;
  }
  return true;
}

std::string listed(const std::vector<std::string>& choices) {
  std::string out;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) out += i + 1 == choices.size() ? " or " : ", ";
    out += '"' + choices[i] + '"';
  }
  return out;
}

// As much as keeps slips out; whether it reaches somebody only a message to it can tell.
bool looks_like_email(std::string_view text) {
  const auto at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos &&
         text.find_first_of(" \t\r\n<>\"") == std::string_view::npos;
}

bool looks_like_url(std::string_view text) {
  const auto from = text.starts_with("https://") ? 8u : text.starts_with("http://") ? 7u : 0u;
  return from > 0 && text.size() > from && text[from] != '/' &&
         text.find_first_of(" \t\r\n<>\"") == std::string_view::npos;
}

// The number that is bounded, and what it counts.
void check_bounds(const shape& wanted, std::int64_t n, const char* of, const std::string& pointer,
                  std::vector<fault>& faults) {
  if (wanted.least && n < *wanted.least) {
    faults.push_back({pointer, "", "must be at least " + std::to_string(*wanted.least) + of});
  }
  if (wanted.most && n > *wanted.most) {
    faults.push_back({pointer, "", "must be at most " + std::to_string(*wanted.most) + of});
  }
}

void check_text(const shape& wanted, const std::string& text, const std::string& pointer,
                std::vector<fault>& faults) {
  check_bounds(wanted, characters_of(text), " characters long", pointer, faults);
  if (!wanted.choices.empty() && std::ranges::find(wanted.choices, text) == wanted.choices.end()) {
    faults.push_back({pointer, "", "must be " + listed(wanted.choices)});
  }
  if (wanted.format == "email" && !looks_like_email(text)) {
    faults.push_back({pointer, "", "must be an email address"});
  }
  if (wanted.format == "uri" && !looks_like_url(text)) {
    faults.push_back({pointer, "", "must be a URL that begins with https:// or http://"});
  }
}

void check_integer(const shape& wanted, const json& value, const std::string& pointer,
                   std::vector<fault>& faults) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > largest) {
    faults.push_back({pointer, "", "is too large"});
    return;
  }
  check_bounds(wanted, value.get<std::int64_t>(), "", pointer, faults);
}

void check_object(const shape& wanted, const json& value, const std::string& pointer,
                  std::vector<fault>& faults) {
  for (const auto& m : wanted.members) {
    const auto given = value.find(m.name);
    if (given != value.end()) {
      check(m.what, *given, below(pointer, m.name), faults);
    } else if (m.needed) {
      faults.push_back({below(pointer, m.name), "", "is required"});
    }
  }
  if (wanted.open) return;
  for (const auto& [name, what] : value.items()) {
    const bool known =
        std::ranges::any_of(wanted.members, [&](const member& m) { return m.name == name; });
    if (!known) faults.push_back({below(pointer, name), "", "is not known here"});
  }
}

void describe(const shape& of, json& schema) {
  static constexpr const char* names[] = {"",      "string", "integer", "boolean",
                                          "array", "object", "object"};
  const char* type = names[static_cast<std::size_t>(of.is)];
  if (of.is != shape::kind::any) {
    schema["type"] = of.may_be_null ? json::array({type, "null"}) : json(type);
  }
  if (!of.about.empty()) schema["description"] = of.about;
  if (!of.format.empty()) schema["format"] = of.format;
  if (!of.choices.empty()) {
    schema["enum"] = of.choices;
    if (of.may_be_null) schema["enum"].push_back(nullptr);
  }
  const bool text = of.is == shape::kind::text;
  const bool list = of.is == shape::kind::list;
  if (of.least) schema[text ? "minLength" : list ? "minItems" : "minimum"] = *of.least;
  if (of.most) schema[text ? "maxLength" : list ? "maxItems" : "maximum"] = *of.most;
}

}  // namespace

shape shape::called(std::string its_name) && {
  name = std::move(its_name);
  return std::move(*this);
}

shape shape::within(std::int64_t from, std::int64_t to) && {
  least = from;
  most = to;
  return std::move(*this);
}

shape shape::at_least(std::int64_t from) && {
  least = from;
  return std::move(*this);
}

shape shape::or_null() && {
  may_be_null = true;
  return std::move(*this);
}

shape shape::with_more() && {
  open = true;
  return std::move(*this);
}

shape shape::saying(std::string for_people) && {
  about = std::move(for_people);
  return std::move(*this);
}

shape anything(std::string about) {
  return of_kind(shape::kind::any, std::move(about));
}

shape text(std::string about) {
  return of_kind(shape::kind::text, std::move(about)).within(1, longest_text);
}

shape email(std::string about) {
  shape s = text(std::move(about)).within(3, 512);
  s.format = "email";
  return s;
}

shape url(std::string about) {
  shape s = text(std::move(about));
  s.format = "uri";
  return s;
}

shape choice(std::vector<std::string> of, std::string about) {
  shape s = of_kind(shape::kind::text, std::move(about));
  s.choices = std::move(of);
  return s;
}

shape integer(std::string about) {
  return of_kind(shape::kind::integer, std::move(about));
}

shape moment(std::string about) {
  shape s = integer(std::move(about)).at_least(0);
  s.about += s.about.empty() ? "Seconds since 1970." : " In seconds since 1970.";
  return s;
}

shape truth(std::string about) {
  return of_kind(shape::kind::truth, std::move(about));
}

shape list_of(shape what, std::string about) {
  shape s = of_kind(shape::kind::list, std::move(about));
  s.of.push_back(std::move(what));
  return s;
}

shape map_of(shape what, std::string about) {
  shape s = of_kind(shape::kind::map, std::move(about));
  s.of.push_back(std::move(what));
  return s;
}

shape object(std::vector<member> members, std::string about) {
  shape s = of_kind(shape::kind::object, std::move(about));
  s.members = std::move(members);
  return s;
}

member needed(std::string name, shape what) {
  return {std::move(name), std::move(what), true};
}

member maybe(std::string name, shape what) {
  return {std::move(name), std::move(what), false};
}

void check(const shape& wanted, const json& value, const std::string& pointer,
           std::vector<fault>& faults) {
  if (value.is_null() && wanted.may_be_null) return;
  if (!is_of(wanted.is, value)) {
    faults.push_back({pointer, "", std::string("must be ") + article_of(wanted.is)});
    return;
  }
  switch (wanted.is) {
    case shape::kind::text:
      check_text(wanted, value.get_ref<const std::string&>(), pointer, faults);
      break;
    case shape::kind::integer:
      check_integer(wanted, value, pointer, faults);
      break;
    case shape::kind::list:
      check_bounds(wanted, static_cast<std::int64_t>(value.size()), " long", pointer, faults);
      for (std::size_t i = 0; i < value.size(); ++i)
        check(wanted.of.front(), value[i], below(pointer, std::to_string(i)), faults);
      break;
    case shape::kind::map:
      for (const auto& [name, what] : value.items())
        check(wanted.of.front(), what, below(pointer, name), faults);
      break;
    case shape::kind::object:
      check_object(wanted, value, pointer, faults);
      break;
    case shape::kind::any:
    case shape::kind::truth:
      break;
  }
}

std::optional<json> from_text(const shape& wanted, std::string_view text) {
  if (wanted.is == shape::kind::integer) {
    std::int64_t n = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return json(n);
  }
  if (wanted.is == shape::kind::truth) {
    if (text != "true" && text != "false") return std::nullopt;
    return json(text == "true");
  }
  return json(text);
}

json schema_of(const shape& of, json& named) {
  if (!of.name.empty()) {
    const json reference = {{"$ref", "#/components/schemas/" + of.name}};
    if (!named.contains(of.name)) {
      named[of.name] = json::object();  // it may be in itself
      shape itself = of;
      itself.name.clear();
      itself.may_be_null = false;
      named[of.name] = schema_of(itself, named);
    }
    if (!of.may_be_null) return reference;
    return {{"anyOf", json::array({reference, {{"type", "null"}}})}};
  }
  json schema = json::object();
  describe(of, schema);
  if (of.is == shape::kind::list) schema["items"] = schema_of(of.of.front(), named);
  if (of.is == shape::kind::map) schema["additionalProperties"] = schema_of(of.of.front(), named);
  if (of.is != shape::kind::object) return schema;
  schema["properties"] = json::object();
  json required = json::array();
  for (const auto& m : of.members) {
    schema["properties"][m.name] = schema_of(m.what, named);
    if (m.needed) required.push_back(m.name);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  if (!of.open) schema["additionalProperties"] = false;
  return schema;
}

}  // namespace tilld::http::api
