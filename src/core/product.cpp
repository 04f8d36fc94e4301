#include "core/product.hpp"

#include <algorithm>
#include <string>

#include <simdjson.h>

namespace tilld::core {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

std::vector<std::string> split_features(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (const auto one = trimmed(text.substr(0, comma)); !one.empty()) all.emplace_back(one);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

}  // namespace

std::optional<product_facts> product_facts_in(std::string_view document) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::object root;
  if (parser.parse(document.data(), document.size(), true).get(root) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  product_facts facts;
  std::string_view text;
  if (root["name"].get(text) == simdjson::SUCCESS) facts.name = text;
  if (root["metadata"]["features"].get(text) == simdjson::SUCCESS) {
    facts.features = split_features(text);
  }
  return facts;
}

}  // namespace tilld::core
