#include "core/event_doubt.hpp"

#include <cstddef>

#include <simdjson.h>

namespace tilld::core {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t full_list = 10;

bool same(dom::element a, dom::element b);

bool same_objects(dom::object a, dom::object b) {
  if (a.size() != b.size()) return false;
  for (const auto& field : a) {
    dom::element other;
    if (b[field.key].get(other) != simdjson::SUCCESS || !same(field.value, other)) return false;
  }
  return true;
}

bool same_arrays(dom::array a, dom::array b) {
  auto other = b.begin();
  for (const dom::element element : a) {
    if (other == b.end() || !same(element, *other)) return false;
    ++other;
  }
  return other == b.end();
}

bool same(dom::element a, dom::element b) {
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case dom::element_type::OBJECT:
      return same_objects(dom::object(a), dom::object(b));
    case dom::element_type::ARRAY:
      return same_arrays(dom::array(a), dom::array(b));
    case dom::element_type::STRING:
      return std::string_view(a) == std::string_view(b);
    case dom::element_type::INT64:
      return std::int64_t(a) == std::int64_t(b);
    case dom::element_type::UINT64:
      return std::uint64_t(a) == std::uint64_t(b);
    case dom::element_type::DOUBLE:
      return double(a) == double(b);
    case dom::element_type::BOOL:
      return bool(a) == bool(b);
    case dom::element_type::NULL_VALUE:
      return true;
  }
  return false;
}

// Every leaf of `previous` is what `object` shows. Hashes in previous_attributes are partial; a
// null there may mean that the member was not there.
bool shows(dom::element object, dom::object previous) {
  for (const auto& field : previous) {
    dom::element now;
    const bool there = object[field.key].get(now) == simdjson::SUCCESS;
    if (!there) {
      if (!field.value.is_null()) return false;
      continue;
    }
    dom::object inside;
    const bool partial = field.value.get(inside) == simdjson::SUCCESS && now.is_object();
    if (partial ? !shows(now, inside) : !same(now, field.value)) return false;
  }
  return true;
}

bool has_short_list(dom::element value) {
  dom::object object;
  dom::array array;
  if (value.get(array) == simdjson::SUCCESS) {
    for (const dom::element inside : array) {
      if (has_short_list(inside)) return true;
    }
    return false;
  }
  if (value.get(object) != simdjson::SUCCESS) return false;
  bool more = false;
  const bool says_more = object["has_more"].get(more) == simdjson::SUCCESS && more;
  if (says_more && object["data"].get(array) == simdjson::SUCCESS && array.size() < full_list) {
    return true;
  }
  for (const auto& field : object) {
    if (has_short_list(field.value)) return true;
  }
  return false;
}

// "has_more": true, with whatever blanks.
bool mentions_more(std::string_view text) {
  constexpr std::string_view word = "\"has_more\"";
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + word.size())) {
    const auto value = text.find_first_not_of(" \t\r\n:", at + word.size());
    if (value != text.npos && text.substr(value, 4) == "true") return true;
  }
  return false;
}

}  // namespace

std::string_view doubt_of(std::string_view object, std::string_view previous) {
  const bool more = mentions_more(object);
  if (previous.empty() && !more) return {};
  thread_local dom::parser of_object;
  thread_local dom::parser of_previous;
  dom::element now;
  if (of_object.parse(object.data(), object.size()).get(now) != simdjson::SUCCESS) return {};
  if (more && has_short_list(now)) return "lists cut short";
  dom::object before;
  if (previous.empty() ||
      of_previous.parse(previous.data(), previous.size()).get(before) != simdjson::SUCCESS ||
      before.size() == 0) {
    return {};
  }
  return shows(now, before) ? "stale" : std::string_view();
}

}  // namespace tilld::core
