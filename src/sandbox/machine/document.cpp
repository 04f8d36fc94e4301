#include "sandbox/machine/document.hpp"

namespace tilld::sandbox {

std::string text_of(const json& document, std::string_view member) {
  if (!document.is_object()) return {};
  const auto it = document.find(member);
  if (it == document.end() || !it->is_string()) return {};
  return it->get_ref<const std::string&>();
}

std::int64_t number_of(const json& document, std::string_view member) {
  if (!document.is_object()) return 0;
  const auto it = document.find(member);
  return it != document.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
}

std::int64_t created_of(const json& document) {
  const std::int64_t created = number_of(document, "created");
  return created != 0 ? created : number_of(document, "date");
}

bool truth_of(const json& document, std::string_view member) {
  if (!document.is_object()) return false;
  const auto it = document.find(member);
  return it != document.end() && it->is_boolean() && it->get<bool>();
}

bool is_null(const json& document, std::string_view member) {
  if (!document.is_object()) return true;
  const auto it = document.find(member);
  return it == document.end() || it->is_null();
}

const json* at_path(const json& document, std::string_view path) {
  const json* here = &document;
  while (!path.empty()) {
    if (!here->is_object()) return nullptr;
    const auto dot = path.find('.');
    const auto it = here->find(path.substr(0, dot));
    if (it == here->end()) return nullptr;
    here = &*it;
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return here;
}

json previous_attributes(const json& before, const json& after) {
  json changed = json::object();
  for (const auto& [key, was] : before.items()) {
    const auto it = after.find(key);
    if (it == after.end()) {
      changed[key] = was;
    } else if (was.is_object() && it->is_object()) {
      json inside = previous_attributes(was, *it);
      if (!inside.is_null()) changed[key] = std::move(inside);
    } else if (was != *it) {
      changed[key] = was;
    }
  }
  for (const auto& [key, is] : after.items()) {
    if (!before.contains(key)) changed[key] = nullptr;
  }
  return changed.empty() ? json(nullptr) : changed;
}

json list_envelope(json data, bool has_more, std::string url) {
  json list = json::object();
  list["object"] = "list";
  list["data"] = std::move(data);
  list["has_more"] = has_more;
  list["url"] = std::move(url);
  return list;
}

namespace {

std::size_t end_of_string(std::string_view text, std::size_t quote) {
  std::size_t i = quote + 1;
  while (i < text.size() && text[i] != '"')
    i += text[i] == '\\' ? 2 : 1;
  return i;
}

}  // namespace

std::string pretty(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  std::size_t depth = 0;
  const auto new_line = [&] {
    out.push_back('\n');
    out.append(depth * 2, ' ');
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      const std::size_t end = end_of_string(text, i);
      out.append(text.substr(i, end - i + 1));
      i = end;
    } else if (c == '{' || c == '[') {
      out.push_back(c);
      if (i + 1 < text.size() && (text[i + 1] == '}' || text[i + 1] == ']')) {
        out.push_back(text[++i]);
      } else {
        ++depth;
        new_line();
      }
    } else if (c == '}' || c == ']') {
      --depth;
      new_line();
      out.push_back(c);
    } else if (c == ',') {
      out.push_back(c);
      new_line();
    } else if (c == ':') {
      out.append(": ");
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string compact(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace tilld::sandbox
