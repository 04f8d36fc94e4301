// Values as text, and names as variables: the parts of the table that know no row.
#include <algorithm>
#include <charconv>
#include <utility>

#include "config/table.hpp"

namespace tilld::config {

namespace {

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  while (true) {
    const auto comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    while (one.starts_with(' '))
      one.remove_prefix(1);
    while (one.ends_with(' '))
      one.remove_suffix(1);
    out.emplace_back(one);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

template <class T>
bool parse_all_of(std::string_view text, T& out) {
  const char* begin = text.begin();
  const char* end = text.end();
  const auto [stop, failure] = std::from_chars(begin, end, out);
  return failure == std::errc{} && stop == end;
}

std::string quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

// The shortest text that reads back as the same number; "7" alone would be a whole number in TOML.
std::string number_text(double number) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  std::string out(buffer, end);
  const bool whole = out.find_first_not_of("-0123456789") == std::string::npos;
  if (whole) out += ".0";
  return out;
}

struct toml_writer {
  std::string operator()(const std::string& text) const { return quoted(text); }
  std::string operator()(const std::vector<std::string>& texts) const {
    std::string out = "[";
    for (const std::string& one : texts) {
      if (out.size() > 1) out += ", ";
      out += quoted(one);
    }
    return out + "]";
  }
  std::string operator()(std::int64_t whole) const { return std::to_string(whole); }
  std::string operator()(double number) const { return number_text(number); }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
};

}  // namespace

std::string to_toml(const value& v) {
  return std::visit(toml_writer{}, v);
}

result<value> parse(const row& r, std::string_view text) {
  value out = std::string(text);
  if (std::holds_alternative<place<std::vector<std::string>>>(r.where)) {
    out = split_at_commas(text);
  } else if (std::holds_alternative<place<bool>>(r.where)) {
    if (text == "true") out = true;
    if (text == "false") out = false;
  } else if (std::holds_alternative<place<double>>(r.where)) {
    double number = 0;
    if (parse_all_of(text, number)) out = number;
  } else if (!std::holds_alternative<place<std::string>>(r.where) &&
             !std::holds_alternative<mode_place>(r.where)) {
    std::int64_t number = 0;
    if (parse_all_of(text, number)) out = number;
  }
  // What did not parse stays a text, which write() refuses with the words for this row.
  settings scratch;
  account_settings account;
  if (auto fits = write(r, scratch, account, out); !fits) return std::unexpected(fits.error());
  return out;
}

std::string as_variable(std::string_view key) {
  std::string out;
  for (const char c : key) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += lower ? static_cast<char>(c - 'a' + 'A') : kept ? c : '_';
  }
  return out;
}

namespace {

// Optimal string alignment: insertions, deletions, replacements, swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j)
    cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> known) {
  if (word.size() > 128) return {};
  const std::size_t bound = std::min<std::size_t>(3, std::max<std::size_t>(1, word.size() / 3));
  std::size_t best = bound + 1;
  std::string out;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= best) continue;
    best = distance;
    out = candidate;
  }
  return out;
}

}  // namespace tilld::config
