#include <algorithm>
#include <utility>

#include <toml++/toml.h>

#include "config/checks.hpp"
#include "config/files.hpp"
#include "config/secrets.hpp"

namespace tilld::config {

namespace {

std::string kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date and time";
  }
  return "something else";
}

std::optional<value> list_of_texts(const toml::array& array) {
  std::vector<std::string> out;
  for (const toml::node& element : array) {
    const auto* text = element.as_string();
    if (text == nullptr) return std::nullopt;
    out.push_back(text->get());
  }
  return out;
}

std::optional<value> content_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* array = node.as_array()) return list_of_texts(*array);
  return std::nullopt;
}

void flatten(const toml::table& table, std::vector<std::string>& path, std::vector<entry>& out) {
  for (const auto& [key, node] : table) {
    path.emplace_back(key.str());
    entry found;
    found.path = path;
    found.is_table = node.is_table();
    found.kind = kind_of(node);
    found.line = static_cast<unsigned>(node.source().begin.line);
    if (!found.is_table) found.content = content_of(node);
    out.push_back(std::move(found));
    if (const auto* inner = node.as_table()) flatten(*inner, path, out);
    path.pop_back();
  }
}

std::string_view line_of(std::string_view text, std::size_t number) {
  while (number > 1 && !text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
    --number;
  }
  return text.substr(0, text.find('\n'));
}

std::unexpected<error> syntax_error(std::string_view text, const std::string& file,
                                    const toml::parse_error& what) {
  const auto at = what.source().begin;
  const std::string where = presentable(file) + ":" + std::to_string(at.line) + ":" +
                            std::to_string(at.column) + ": this is not TOML: ";
  // The parser quotes what it stumbled over, and may cut it anywhere.
  if (mentions_secret(line_of(text, at.line))) {
    return fail(errc::invalid,
                where +
                    "the line holds what looks like a secret, which does not belong in this "
                    "file; see secret_key_file and webhook_secret_files");
  }
  return fail(errc::invalid, where + presentable(what.description()));
}

}  // namespace

std::string dotted(const std::vector<std::string>& path) {
  std::string out;
  for (const std::string& part : path) {
    const bool bare = !part.empty() && std::ranges::all_of(part, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-';
    });
    if (!out.empty()) out += '.';
    out += bare ? presentable(part) : '"' + presentable(part) + '"';
  }
  return out;
}

result<std::vector<entry>> parse_toml(std::string_view text, const std::string& file) {
  if (const std::string at = first_non_utf8(text); !at.empty()) {
    return fail(errc::invalid, presentable(file) + ":" + at + ": this is not UTF-8 text");
  }
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) return syntax_error(text, file, parsed.error());
  std::vector<entry> out;
  std::vector<std::string> path;
  flatten(parsed.table(), path, out);
  std::ranges::stable_sort(out, {}, &entry::line);
  return out;
}

}  // namespace tilld::config
