#include "sandbox/machine/params.hpp"

#include <algorithm>
#include <charconv>

#include "sandbox/machine/money.hpp"

namespace tilld::sandbox::params {

namespace {

using raw_json = nlohmann::json;

constexpr std::size_t metadata_keys = 50;
constexpr std::size_t metadata_key_letters = 40;
constexpr std::size_t metadata_value_letters = 500;

field named(std::string name, shape is) {
  field f;
  f.name = std::move(name);
  f.is = is;
  return f;
}

// UTF-8 letters, not bytes.
std::size_t letters_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string alternatives(const std::vector<std::string>& choices) {
  std::string out;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) out += choices.size() > 2 ? ", " : " ";
    if (i > 0 && i + 1 == choices.size()) out += "or ";
    out += choices[i];
  }
  return out;
}

std::string leaf_of(const std::string& param) {
  const auto open = param.rfind('[');
  if (open == std::string::npos) return param;
  return param.substr(open + 1, param.size() - open - 2);
}

std::unexpected<failure> invalid(const std::string& param, std::string message,
                                 std::string code = {}) {
  return refuse(std::move(message), param, std::move(code));
}

std::unexpected<failure> empty_value(const std::string& param) {
  return invalid(param,
                 "You passed an empty string for '" + param +
                     "'. We assume empty values are an attempt to unset a parameter; however '" +
                     param + "' cannot be unset. You should remove '" + param +
                     "' from your request or supply a non-empty value.",
                 "parameter_invalid_empty");
}

bool is_word_of(const field& f, const std::string& value) {
  return std::find(f.choices.begin(), f.choices.end(), value) != f.choices.end();
}

answer<json> check_integer(const field& f, const std::string& param, const std::string& value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    return invalid(param, "Invalid integer: " + value, "parameter_invalid_integer");
  }
  if (number < f.least) {
    return invalid(param,
                   "This value must be greater than or equal to " + std::to_string(f.least) + ".",
                   "parameter_invalid_integer");
  }
  if (number > f.most) {
    return invalid(param,
                   "This value must be less than or equal to " + std::to_string(f.most) +
                       " (it currently is '" + std::to_string(number) + "').",
                   "parameter_invalid_integer");
  }
  return number;
}

answer<json> check_text(const field& f, const std::string& param, const std::string& value) {
  if (letters_in(value) > static_cast<std::size_t>(f.most)) {
    return invalid(param, "Invalid string: " + value.substr(0, 20) + "...; must be at most " +
                              std::to_string(f.most) + " characters");
  }
  return value;
}

answer<json> check_choice(const field& f, const std::string& param, const std::string& value) {
  if (is_word_of(f, value)) return value;
  return invalid(param,
                 "Invalid " + leaf_of(param) + ": must be one of " + alternatives(f.choices));
}

answer<json> check_currency(const std::string& param, const std::string& value) {
  std::string lower = value;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (is_currency(lower)) return lower;
  return invalid(param, "Invalid currency: " + value +
                            ". Stripe currently supports these currencies: " + all_currencies());
}

// stripe-python writes True and False, and Stripe takes them.
answer<json> check_boolean(const std::string& param, const std::string& value) {
  if (value == "true" || value == "True") return true;
  if (value == "false" || value == "False") return false;
  return invalid(param, "Invalid boolean: " + value);
}

answer<json> check_scalar(const field& f, const std::string& param, const std::string& value) {
  if (value.empty()) {
    if (f.clears) return nullptr;
    return empty_value(param);
  }
  switch (f.is) {
    case shape::integer:
      return check_integer(f, param, value);
    case shape::timestamp:
      if (is_word_of(f, value)) return value;
      return check_integer(f, param, value);
    case shape::boolean:
      return check_boolean(param, value);
    case shape::choice:
      return check_choice(f, param, value);
    case shape::currency:
      return check_currency(param, value);
    case shape::text:
    case shape::hash:
    case shape::list:
    case shape::dictionary:
    case shape::currencies:
    case shape::range:
    case shape::unsimulated:
      break;
  }
  return check_text(f, param, value);
}

answer<json> check_value(const field& f, const std::string& param, const raw_json& value);

const field* member_named(const std::vector<field>& members, std::string_view name) {
  const auto it =
      std::find_if(members.begin(), members.end(), [&](const field& m) { return m.name == name; });
  return it == members.end() ? nullptr : &*it;
}

std::unexpected<failure> parameter_not_simulated(const std::string& param) {
  return not_simulated("The sandbox does not simulate the parameter " + param + " here yet.",
                       param);
}

// The members that are there, in the schema's order; the required ones must be.
answer<json> take_members(const std::vector<field>& members, const std::string& within,
                          const raw_json& value) {
  json taken = json::object();
  for (const auto& member : members) {
    const std::string param = within.empty() ? member.name : within + "[" + member.name + "]";
    const auto it = value.find(member.name);
    if (it == value.end()) {
      if (member.required) return refuse(stripe::parameter_missing(param));
      continue;
    }
    if (member.is == shape::unsimulated) return parameter_not_simulated(param);
    auto checked = check_value(member, param, *it);
    if (!checked) return checked;
    taken[member.name] = std::move(*checked);
  }
  return taken;
}

answer<json> check_hash(const field& f, const std::string& param, const raw_json& value) {
  if (!value.is_object()) return invalid(param, "Invalid object");
  for (const auto& [name, inside] : value.items()) {
    if (member_named(f.members, name) == nullptr) {
      return refuse(stripe::parameter_unknown(param + "[" + name + "]"));
    }
  }
  return take_members(f.members, param, value);
}

answer<json> check_list(const field& f, const std::string& param, const raw_json& value) {
  if (!value.is_array()) return invalid(param, "Invalid array");
  const bool of_values = f.members.size() == 1 && f.members.front().name.empty();
  json taken = json::array();
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string at = param + "[" + std::to_string(i) + "]";
    auto checked =
        of_values ? check_value(f.members.front(), at, value[i]) : check_hash(f, at, value[i]);
    if (!checked) return checked;
    taken.push_back(std::move(*checked));
  }
  return taken;
}

answer<json> check_dictionary(const std::string& param, const raw_json& value) {
  if (!value.is_object()) return invalid(param, "Invalid object");
  if (value.size() > metadata_keys) {
    return invalid(param, "Metadata can have at most 50 keys.");
  }
  json taken = json::object();
  for (const auto& [key, text] : value.items()) {
    const std::string at = param + "[" + key + "]";
    if (!text.is_string()) return invalid(at, "Invalid string");
    const auto& content = text.get_ref<const std::string&>();
    if (letters_in(key) > metadata_key_letters) {
      return invalid(param, "Metadata keys can be at most 40 characters long.");
    }
    if (letters_in(content) > metadata_value_letters) {
      return invalid(at, "Metadata values can be at most 500 characters long.");
    }
    taken[key] = content;
  }
  return taken;
}

answer<json> check_currencies(const field& f, const std::string& param, const raw_json& value) {
  if (!value.is_object()) return invalid(param, "Invalid object");
  json taken = json::object();
  for (const auto& [code, inside] : value.items()) {
    const std::string at = param + "[" + code + "]";
    auto currency = check_currency(at, code);
    if (!currency) return currency;
    auto checked = check_hash(f, at, inside);
    if (!checked) return checked;
    taken[currency->get<std::string>()] = std::move(*checked);
  }
  return taken;
}

answer<json> check_range(const std::string& param, const raw_json& value) {
  const field bound = integer("");
  if (value.is_string()) return check_scalar(bound, param, value.get<std::string>());
  if (!value.is_object()) return invalid(param, "Invalid object");
  json taken = json::object();
  for (const auto& [name, limit] : value.items()) {
    const std::string at = param + "[" + name + "]";
    if (name != "gt" && name != "gte" && name != "lt" && name != "lte") {
      return refuse(stripe::parameter_unknown(at));
    }
    auto checked = check_value(bound, at, limit);
    if (!checked) return checked;
    taken[name] = std::move(*checked);
  }
  return taken;
}

answer<json> check_value(const field& f, const std::string& param, const raw_json& value) {
  const bool cleared = value.is_string() && value.get_ref<const std::string&>().empty();
  if (cleared && f.clears) return nullptr;
  switch (f.is) {
    case shape::hash:
      return check_hash(f, param, value);
    case shape::list:
      return check_list(f, param, value);
    case shape::dictionary:
      return check_dictionary(param, value);
    case shape::currencies:
      return check_currencies(f, param, value);
    case shape::range:
      return check_range(param, value);
    case shape::unsimulated:
      return parameter_not_simulated(param);
    case shape::text:
    case shape::integer:
    case shape::boolean:
    case shape::timestamp:
    case shape::choice:
    case shape::currency:
      break;
  }
  if (!value.is_string()) return invalid(param, "Invalid string");
  return check_scalar(f, param, value.get_ref<const std::string&>());
}

const schema& paging_fields() {
  static const schema fields = {integer("limit").at_least(1).at_most(100), text("starting_after"),
                                text("ending_before")};
  return fields;
}

bool takes_of_its_own(const stripe::endpoint_row& endpoint, std::string_view name) {
  if (name == "expand") {
    return std::any_of(endpoint.parameters.begin(), endpoint.parameters.end(),
                       [](const auto& p) { return p.name == "expand"; });
  }
  return endpoint.list && member_named(paging_fields(), name) != nullptr;
}

// What is neither ours nor anybody's, before anything else is looked at.
answer<void> check_names(const stripe::endpoint_row& endpoint, const schema& takes,
                         const raw_json& raw) {
  std::vector<std::string> unknown;
  std::vector<std::string> unsupported;
  for (const auto& [name, value] : raw.items()) {
    if (takes_of_its_own(endpoint, name) || member_named(takes, name) != nullptr) continue;
    const bool of_stripe = std::any_of(endpoint.parameters.begin(), endpoint.parameters.end(),
                                       [&name = name](const auto& p) { return p.name == name; });
    (of_stripe ? unsupported : unknown).push_back(name);
  }
  if (unknown.size() > 1) {
    std::string names = unknown.front();
    for (std::size_t i = 1; i < unknown.size(); ++i)
      names += ", " + unknown[i];
    return refuse("Received unknown parameters: " + names, unknown.front(), "parameter_unknown");
  }
  if (!unknown.empty()) return refuse(stripe::parameter_unknown(unknown.front()));
  if (!unsupported.empty()) {
    return not_simulated("The sandbox does not simulate the parameter " + unsupported.front() +
                             " of " + endpoint.verb + " " + endpoint.path + " yet.",
                         unsupported.front());
  }
  return {};
}

}  // namespace

field text(std::string name, std::int64_t most_letters) {
  return named(std::move(name), shape::text).at_most(most_letters);
}
field integer(std::string name) {
  return named(std::move(name), shape::integer);
}
field amount(std::string name) {
  return named(std::move(name), shape::integer).at_least(1).at_most(99'999'999);
}
field boolean(std::string name) {
  return named(std::move(name), shape::boolean);
}
field timestamp(std::string name) {
  return named(std::move(name), shape::timestamp).at_least(0).at_most(253'402'300'799);
}
field currency(std::string name) {
  return named(std::move(name), shape::currency);
}
field range(std::string name) {
  return named(std::move(name), shape::range);
}
field metadata() {
  return named("metadata", shape::dictionary).clearable();
}
field unsimulated(std::string name) {
  return named(std::move(name), shape::unsimulated);
}

field choice(std::string name, std::vector<std::string> choices) {
  field f = named(std::move(name), shape::choice);
  f.choices = std::move(choices);
  return f;
}

field hash(std::string name, std::vector<field> members) {
  field f = named(std::move(name), shape::hash);
  f.members = std::move(members);
  return f;
}

field currencies(std::string name, std::vector<field> members) {
  field f = named(std::move(name), shape::currencies);
  f.members = std::move(members);
  return f;
}

field list(std::string name, std::vector<field> members) {
  field f = named(std::move(name), shape::list);
  f.members = std::move(members);
  return f;
}

field texts(std::string name) {
  return list(std::move(name), {text("")});
}

field address(std::string name) {
  return hash(std::move(name), {text("city").clearable(), text("country").clearable(),
                                text("line1").clearable(), text("line2").clearable(),
                                text("postal_code").clearable(), text("state").clearable()});
}

field shipping(std::string name) {
  return hash(std::move(name), {address("address"), text("name"), text("phone").clearable()})
      .clearable();
}

field billing_details(std::string name) {
  return hash(std::move(name),
              {address("address").clearable(), text("email").clearable(), text("name").clearable(),
               text("phone").clearable(), text("tax_id").clearable()});
}

answer<json> check(const stripe::endpoint_row& endpoint, const schema& takes,
                   const nlohmann::json& raw) {
  if (auto names = check_names(endpoint, takes, raw); !names) {
    return std::unexpected(std::move(names.error()));
  }
  auto taken = take_members(takes, "", raw);
  if (!taken) return taken;
  if (endpoint.list) {
    auto paging = take_members(paging_fields(), "", raw);
    if (!paging) return paging;
    taken->update(*paging);
  }
  if (raw.contains("expand")) {
    auto paths = check_value(texts("expand"), "expand", raw["expand"]);
    if (!paths) return paths;
    (*taken)["expand"] = std::move(*paths);
  }
  return taken;
}

}  // namespace tilld::sandbox::params
