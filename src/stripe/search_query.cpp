#include "stripe/search_query.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tilld::stripe::search {

namespace {

constexpr std::size_t most_clauses = 10;
constexpr std::size_t least_letters = 3;  // of what "~" looks for

using enum field_type;

constexpr std::array charges = {
    field_row{"amount", numeric, "amount"},
    field_row{"billing_details.address.postal_code", token, "billing_details.address.postal_code"},
    field_row{"created", numeric, "created"},
    field_row{"currency", token, "currency"},
    field_row{"customer", token, "customer"},
    field_row{"disputed", token, "disputed"},
    field_row{"metadata", token, "metadata"},
    field_row{"refunded", token, "refunded"},
    field_row{"status", token, "status"},
};
// payment_method_details.{source}.{member}
constexpr std::array charge_sources = {"card", "card_present", "interac_present"};
constexpr std::array charge_members = {"brand", "exp_month", "exp_year", "fingerprint",
                                       "last4", "location",  "reader"};
constexpr std::array customers = {
    field_row{"created", numeric, "created"}, field_row{"email", string, "email"},
    field_row{"metadata", token, "metadata"}, field_row{"name", string, "name"},
    field_row{"phone", string, "phone"},
};
constexpr std::array invoices = {
    field_row{"created", numeric, "created"},
    field_row{"currency", token, "currency"},
    field_row{"customer", token, "customer"},
    field_row{"last_finalization_error_code", token, "last_finalization_error.code"},
    field_row{"last_finalization_error_type", token, "last_finalization_error.type"},
    field_row{"metadata", token, "metadata"},
    field_row{"number", string, "number"},
    field_row{"receipt_number", string, "receipt_number"},
    field_row{"status", string, "status"},
    field_row{"subscription", string, "parent.subscription_details.subscription"},
    field_row{"total", numeric, "total"},
};
constexpr std::array payment_intents = {
    field_row{"amount", numeric, "amount"},   field_row{"created", numeric, "created"},
    field_row{"currency", token, "currency"}, field_row{"customer", token, "customer"},
    field_row{"metadata", token, "metadata"}, field_row{"status", token, "status"},
};
constexpr std::array prices = {
    field_row{"active", token, "active"},          field_row{"currency", token, "currency"},
    field_row{"lookup_key", string, "lookup_key"}, field_row{"metadata", token, "metadata"},
    field_row{"product", string, "product"},       field_row{"type", token, "type"},
};
constexpr std::array products = {
    field_row{"active", token, "active"},       field_row{"description", string, "description"},
    field_row{"metadata", token, "metadata"},   field_row{"name", string, "name"},
    field_row{"shippable", token, "shippable"}, field_row{"url", string, "url"},
};
constexpr std::array subscriptions = {
    field_row{"canceled_at", numeric, "canceled_at"},
    field_row{"created", numeric, "created"},
    field_row{"metadata", token, "metadata"},
    field_row{"status", token, "status"},
};

// The names of payment_method_details, put together once.
const std::vector<field_row>& all_charges() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const std::string source : charge_sources) {
      for (const std::string member : charge_members) {
        all.push_back("payment_method_details." + source + "." + member);
      }
    }
    return all;
  }();
  static const std::vector<field_row> rows = [] {
    std::vector<field_row> all(charges.begin(), charges.end());
    for (const auto& name : names)
      all.push_back({name, token, name});
    return all;
  }();
  return rows;
}

struct resource_row {
  std::string_view name;
  std::string_view section;  // of the documentation, in a link to it
  std::span<const field_row> fields;
};

const std::vector<resource_row>& resources() {
  static const std::vector<resource_row> rows = {
      {"charges", "charges", all_charges()},
      {"customers", "customers", customers},
      {"invoices", "invoices", invoices},
      {"payment_intents", "payment-intents", payment_intents},
      {"prices", "prices", prices},
      {"products", "products", products},
      {"subscriptions", "subscriptions", subscriptions},
  };
  return rows;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '.';
}

bool is_operator(char c) {
  return c == ':' || c == '~' || c == '>' || c == '<' || c == '=';
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::size_t letters_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// A word or a quoted text of the query, with the place where it began.
struct piece {
  std::size_t at = 0;
  bool quoted = false;
  std::string text;
};

template <class T>
using parsed = std::expected<T, fault>;

class reader {
 public:
  reader(const resource_row& resource, std::string_view text) : resource_(resource), text_(text) {}

  parsed<query> all();

 private:
  enum class joint : std::uint8_t { none, blank, both, either };

  std::unexpected<fault> wrong(std::size_t at, const std::string& what) const;
  std::unexpected<fault> unfit(std::size_t at, std::string sentence) const {
    return std::unexpected(fault{at, std::move(sentence)});
  }

  bool at_end() const { return at_ >= text_.size(); }
  char here() const { return at_end() ? '\0' : text_[at_]; }
  void skip_blanks() {
    while (!at_end() && is_blank(here()))
      ++at_;
  }
  std::string_view word_ahead() const;
  parsed<joint> take_joint();
  parsed<std::string> take_quoted();
  parsed<piece> take_field(std::string& key);
  parsed<comparison> take_operator();
  parsed<piece> take_value();
  parsed<clause> take_clause();
  parsed<void> set_value(clause& c, const piece& value, std::size_t operator_at) const;

  const resource_row& resource_;
  std::string_view text_;
  std::size_t at_ = 0;
};

std::unexpected<fault> reader::wrong(std::size_t at, const std::string& what) const {
  const std::string where =
      at >= text_.size() ? "at the end" : "at character " + std::to_string(at + 1);
  return std::unexpected(
      fault{std::min(at, text_.size()),
            "We were unable to parse your search query. Try using the format "
            "`metadata[\"key\"]:\"value\"` to query for metadata or key:\"value\" to query for "
            "other fields. (" +
                where + ": " + what + ")"});
}

std::string_view reader::word_ahead() const {
  std::size_t end = at_;
  while (end < text_.size() && !is_blank(text_[end]))
    ++end;
  return text_.substr(at_, end - at_);
}

// Between two clauses. At the end of the query: none.
parsed<reader::joint> reader::take_joint() {
  const bool blank = is_blank(here());
  skip_blanks();
  if (at_end()) return joint::none;
  if (!blank) return wrong(at_, "a blank must stand between two clauses");
  const std::string word = folded(word_ahead());
  if (word != "and" && word != "or") return joint::blank;
  at_ += word.size();
  skip_blanks();
  if (at_end()) return wrong(at_, "a clause must follow " + word);
  return word == "and" ? joint::both : joint::either;
}

parsed<std::string> reader::take_quoted() {
  const std::size_t begin = at_;
  const char mark = here();
  std::string out;
  for (++at_; !at_end(); ++at_) {
    const char c = here();
    if (c == mark) {
      ++at_;
      return out;
    }
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    const bool escapes = c == '\\' && (next == '"' || next == '\'' || next == '\\');
    if (escapes) ++at_;
    out += escapes ? next : c;
  }
  return wrong(begin, "the quotation mark has no closing one");
}

parsed<piece> reader::take_field(std::string& key) {
  piece field{at_, false, {}};
  while (!at_end() && is_name(here()))
    field.text += text_[at_++];
  if (field.text.empty()) return wrong(at_, "the name of a field must stand here");
  if (field.text != "metadata") return field;
  if (here() != '[') return wrong(at_, "metadata needs a key: metadata[\"key\"]");
  ++at_;
  if (here() != '"' && here() != '\'') return wrong(at_, "a key must stand in quotation marks");
  auto quoted = take_quoted();
  if (!quoted) return std::unexpected(std::move(quoted.error()));
  if (here() != ']') return wrong(at_, "] must follow the key");
  ++at_;
  key = std::move(*quoted);
  return field;
}

parsed<comparison> reader::take_operator() {
  const char first = here();
  if (at_end() || !is_operator(first)) {
    return wrong(at_, "one of : ~ > < >= <= must follow the field at once");
  }
  ++at_;
  const bool or_equal = (first == '>' || first == '<') && here() == '=';
  if (or_equal) ++at_;
  switch (first) {
    case '~':
      return comparison::contains;
    case '>':
      return or_equal ? comparison::at_least : comparison::greater;
    case '<':
      return or_equal ? comparison::at_most : comparison::less;
    default:
      return comparison::equal;
  }
}

parsed<piece> reader::take_value() {
  piece value{at_, false, {}};
  if (here() == '"' || here() == '\'') {
    value.quoted = true;
    auto quoted = take_quoted();
    if (!quoted) return std::unexpected(std::move(quoted.error()));
    value.text = std::move(*quoted);
    return value;
  }
  value.text = word_ahead();
  at_ += value.text.size();
  if (value.text.empty()) return wrong(value.at, "a value must follow the operator at once");
  const bool number = whole_number(value.text).has_value() ||
                      std::all_of(value.text.begin(), value.text.end(), is_digit);
  if (!number && folded(value.text) != "null") {
    return wrong(value.at, "a value that is no whole number must stand in quotation marks");
  }
  return value;
}

parsed<void> reader::set_value(clause& c, const piece& value, std::size_t operator_at) const {
  const std::string name(c.field.name);
  if (!value.quoted && folded(value.text) == "null") {
    if (c.op != comparison::equal) {
      return unfit(operator_at, "`null` can only be searched for with `:`, as in `" + name +
                                    (c.key.empty() ? "" : "[\"" + c.key + "\"]") + ":null`.");
    }
    c.null = true;
    return {};
  }
  c.value = folded(value.text);
  if (c.field.type == numeric) {
    const auto number = whole_number(value.text);
    if (!number) {
      return unfit(value.at,
                   "Field `" + name + "` is a number: `" + value.text + "` is no whole number.");
    }
    c.number = *number;
  }
  if (c.op == comparison::contains && letters_in(value.text) < least_letters) {
    return unfit(value.at, "A substring to search `" + name + "` for must be at least " +
                               std::to_string(least_letters) + " characters long.");
  }
  return {};
}

parsed<clause> reader::take_clause() {
  clause c;
  if (here() == '-') {
    c.negated = true;
    ++at_;
  }
  const auto field = take_field(c.key);
  if (!field) return std::unexpected(field.error());
  const auto row = std::find_if(resource_.fields.begin(), resource_.fields.end(),
                                [&](const field_row& f) { return f.name == field->text; });
  const std::size_t operator_at = at_;
  const char sign = here();
  const auto op = take_operator();
  if (!op) return std::unexpected(op.error());
  if (row == resource_.fields.end()) {
    return unfit(field->at, "Field `" + field->text +
                                "` is an unsupported search field for "
                                "resource `" +
                                std::string(resource_.name) +
                                "`. See http://stripe.com/docs/search#query-fields-for-" +
                                std::string(resource_.section) +
                                " for a list of supported fields.");
  }
  c.field = *row;
  c.op = *op;
  const bool fits = sign == ':' || (sign == '~' ? row->type == string : row->type == numeric);
  if (!fits) {
    const std::string known = row->type == token    ? "`:` alone"
                              : row->type == string ? "`:` and `~`"
                                                    : "`:`, `>`, `<`, `>=` and `<=`";
    return unfit(operator_at, "Field `" + field->text + "` does not support the operator `" +
                                  std::string(text_.substr(operator_at, at_ - operator_at)) +
                                  "`; it supports " + known + ".");
  }
  const auto value = take_value();
  if (!value) return std::unexpected(value.error());
  if (auto set = set_value(c, *value, operator_at); !set) return std::unexpected(set.error());
  return c;
}

parsed<query> reader::all() {
  query q;
  skip_blanks();
  if (at_end()) return wrong(at_, "the query is empty");
  std::optional<bool> any;
  while (true) {
    if (q.clauses.size() == most_clauses) {
      return unfit(at_,
                   "A search query can have at most " + std::to_string(most_clauses) + " clauses.");
    }
    auto next = take_clause();
    if (!next) return std::unexpected(std::move(next.error()));
    q.clauses.push_back(std::move(*next));
    const std::size_t joint_at = at_;
    const auto join = take_joint();
    if (!join) return std::unexpected(join.error());
    if (*join == joint::none) return q;
    const bool either = *join == joint::either;
    if (any && *any != either) {
      return wrong(joint_at + 1, "AND (or a blank) and OR cannot stand in one query");
    }
    any = either;
    q.any = either;
  }
}

bool compare(const clause& c, std::int64_t member) {
  switch (c.op) {
    case comparison::equal:
      return member == c.number;
    case comparison::greater:
      return member > c.number;
    case comparison::less:
      return member < c.number;
    case comparison::at_least:
      return member >= c.number;
    case comparison::at_most:
      return member <= c.number;
    case comparison::contains:
      break;
  }
  return false;
}

bool matches(const clause& c, const std::optional<std::string>& member) {
  if (c.null) return !member;
  if (!member) return false;
  if (c.field.type == numeric) {
    const auto number = whole_number(*member);
    return number && compare(c, *number);
  }
  const std::string text = folded(*member);
  return c.op == comparison::contains ? text.find(c.value) != std::string::npos : text == c.value;
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::span<const field_row> fields_of(std::string_view resource) {
  for (const auto& row : resources()) {
    if (row.name == resource) return row.fields;
  }
  return {};
}

std::expected<query, fault> parse(std::string_view resource, std::string_view text) {
  for (const auto& row : resources()) {
    if (row.name == resource) return reader(row, text).all();
  }
  return std::unexpected(fault{0, "There is no search for `" + std::string(resource) + "`."});
}

bool holds(const clause& c, const std::optional<std::string>& member) {
  return matches(c, member) != c.negated;
}

bool holds(const query& q, const lookup& member) {
  const auto fits = [&](const clause& c) { return holds(c, member(c.field.path, c.key)); };
  return q.any ? std::any_of(q.clauses.begin(), q.clauses.end(), fits)
               : std::all_of(q.clauses.begin(), q.clauses.end(), fits);
}

}  // namespace tilld::stripe::search
