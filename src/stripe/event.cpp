#include "stripe/event.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <simdjson.h>

#include "stripe/ids.hpp"
#include "stripe/json_fault.hpp"
#include "stripe/key_set.hpp"
#include "stripe/utc_time.hpp"

namespace tilld::stripe {

namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

constexpr std::int64_t latest_time_s = 253'402'300'799;  // the last second of the year 9999

// Parsers keep their buffers, about 15 bytes for each byte of the largest document so far.
constexpr std::size_t first_capacity = 32'768;
constexpr std::size_t kept_capacity = 131'072;

struct readers {
  dom::parser dom;        // proves the whole document
  ondemand::parser cuts;  // finds where a value begins and ends, which a DOM forgets
};

// This thread's parsers for the length of one parse.
class lease {
 public:
  lease() : readers_(of_this_thread()) {}
  lease(const lease&) = delete;
  lease& operator=(const lease&) = delete;
  ~lease() {
    if (readers_.dom.capacity() <= kept_capacity) return;
    readers_.dom = dom::parser();
    readers_.cuts = ondemand::parser();
  }
  readers& operator*() { return readers_; }

 private:
  static readers& of_this_thread() {
    thread_local readers own;
    return own;
  }
  readers& readers_;
};

// Which value is meant: "event.data.object" and ".id". Put together only when it must be told.
struct place {
  place(const char* whole) : of(whole) {}
  place(std::string_view holder, std::string_view field) : of(holder), name(field) {}
  std::string_view of;
  std::string_view name;
};

error refusal(place what, std::string_view problem) {
  std::string message(what.of);
  message.append(what.name).append(" ").append(problem);
  return {errc::invalid, std::move(message)};
}

std::string explain(simdjson::error_code code, std::string_view text) {
  if (code == simdjson::DEPTH_ERROR) return "is nested deeper than 64";
  std::string message = "is not JSON: ";
  message += simdjson::error_message(code);
  if (const auto at = first_fault(text)) message += " (at byte " + std::to_string(*at) + ')';
  return message;
}

bool has_wide_object(dom::element value) {
  if (value.is_array()) {
    for (const dom::element inner : dom::array(value)) {
      if (has_wide_object(inner)) return true;
    }
  } else if (value.is_object()) {
    const dom::object object(value);
    if (object.size() > json_max_keys) return true;
    for (const dom::key_value_pair member : object) {
      if (has_wide_object(member.value)) return true;
    }
  }
  return false;
}

// `text` needs no padding when `copy`, else SIMDJSON_PADDING readable bytes after its end.
result<dom::object> parse_root(dom::parser& parser, std::string_view text, bool copy, place what) {
  const auto first = text.find_first_not_of(" \t\r\n");
  // Also keeps a byte order mark out, which some versions of the parser skip.
  if (first == std::string_view::npos || text[first] != '{') {
    return std::unexpected(refusal(what, "is not a JSON object"));
  }
  // The parser counts what it is inside of, and refuses to reach the bound.
  if (parser.capacity() == 0 && parser.allocate(first_capacity, json_max_depth + 1)) {
    return fail(errc::unavailable, "no memory to read JSON");
  }
  dom::element root;
  if (const auto code = parser.parse(text.data(), text.size(), copy).get(root)) {
    return std::unexpected(refusal(what, explain(code, text)));
  }
  dom::object object;
  if (root.get(object)) return std::unexpected(refusal(what, "is not a JSON object"));
  if (text.size() > json_max_keys * 4 && has_wide_object(root)) {  // "":0 is the least per key
    return std::unexpected(refusal(what, "has an object with more than 10,000 keys"));
  }
  return object;
}

// The wanted members of one object, by their place in `names`. Absent and null are the same:
// Stripe uses both for "none".
template <std::size_t N>
class members {
 public:
  const dom::element* operator[](std::size_t which) const {
    const auto& value = found_[which];
    return value.has_value() && !value->is_null() ? &*value : nullptr;
  }
  void take(const std::array<std::string_view, N>& names, const dom::key_value_pair& member) {
    for (std::size_t i = 0; i < N; ++i) {
      if (names[i] == member.key) found_[i] = member.value;
    }
  }

 private:
  std::array<std::optional<dom::element>, N> found_;
};

// Takes fields and remembers the first that is not what it must be, so that a caller reads ten of
// them and asks once.
class taker {
 public:
  const std::optional<error>& problem() const { return problem_; }
  void refuse(place what, std::string_view problem) {
    if (!problem_) problem_ = refusal(what, problem);
  }

  template <std::size_t N>
  members<N> pick(dom::object from, const std::array<std::string_view, N>& names, place what) {
    thread_local key_set seen;
    seen.clear();
    members<N> found;
    for (const dom::key_value_pair member : from) {
      if (!seen.insert(member.key)) {
        refuse(what, valid_id(member.key) ? "has the key " + std::string(member.key) + " twice"
                                          : std::string("has a key twice"));
      }
      found.take(names, member);
    }
    return found;
  }

  // "" when absent.
  std::string id(const dom::element* value, place what) {
    if (value == nullptr) return {};
    std::string_view text;
    if (value->get(text)) {
      refuse(what, "is not a string");
    } else if (!valid_id(text)) {
      refuse(what, "is not 1 to 255 bytes without control characters");
    }
    return problem_ ? std::string{} : std::string(text);
  }
  std::string required_id(const dom::element* value, place what) {
    if (value == nullptr) refuse(what, "is missing");
    return id(value, what);
  }
  bool flag(const dom::element* value, place what) {
    bool set = false;
    if (value == nullptr || value->get(set)) refuse(what, "is not true or false");
    return set;
  }
  std::optional<dom::object> object(const dom::element* value, place what) {
    if (value == nullptr) return std::nullopt;
    dom::object inner;
    if (value->get(inner)) {
      refuse(what, "is not an object");
      return std::nullopt;
    }
    return inner;
  }

 private:
  std::optional<error> problem_;
};

std::optional<std::int64_t> time_of(const dom::element& value) {
  std::int64_t seconds = -1;
  std::string_view text;
  if (!value.get(text)) {
    seconds = parse_utc(text).value_or(-1);
  } else if (value.get(seconds)) {
    return std::nullopt;
  }
  if (seconds < 0 || seconds > latest_time_s) return std::nullopt;
  return seconds;
}

// `json` has been proved valid.
std::string minified(std::string_view json) {
  std::string out;
  out.resize_and_overwrite(json.size(), [&](char* to, std::size_t) {
    std::size_t written = 0;
    const auto code = simdjson::minify(json.data(), json.size(), to, written);
    return code == simdjson::SUCCESS ? written : 0;
  });
  return out;
}

// A customer's id where a customer is named: as a string, or expanded.
std::string customer_id(taker& take, const dom::element* value, place what) {
  if (value == nullptr) return {};
  dom::object expanded;
  if (!value->get(expanded)) {
    static constexpr std::array<std::string_view, 1> names{"id"};
    return take.id(take.pick(expanded, names, what)[0], what);
  }
  return value->is_string() ? take.id(value, what) : std::string{};
}

// Everything of an object's head but its text.
object_head read_head(taker& take, dom::object object, const char* what) {
  enum { f_id, f_object, f_customer, f_created, f_deleted, f_count };
  static constexpr std::array<std::string_view, f_count> names{"id", "object", "customer",
                                                               "created", "deleted"};
  const auto fields = take.pick(object, names, what);
  object_head head;
  head.id = take.id(fields[f_id], {what, ".id"});
  head.object_name = take.id(fields[f_object], {what, ".object"});
  head.owner_customer = customer_id(take, fields[f_customer], {what, ".customer"});
  if (head.object_name == "customer") head.owner_customer = head.id;
  if (const auto* created = fields[f_created]; created != nullptr && created->is_number()) {
    const auto seconds = time_of(*created);
    if (!seconds) take.refuse({what, ".created"}, "is not a time in seconds");
    head.created_s = seconds.value_or(0);
  } else if (created != nullptr) {
    head.created_s = time_of(*created).value_or(0);  // what an unknown object may mean by it
  }
  bool deleted = false;
  head.deleted = fields[f_deleted] != nullptr && !fields[f_deleted]->get(deleted) && deleted;
  return head;
}

// The two values of `data` that are kept as text, as they stand in the request body.
struct cuts {
  std::string_view object;
  std::string_view previous;
};

// The text of an object, or nothing of a null. False when it is neither.
bool cut(simdjson::simdjson_result<ondemand::value> from, std::string_view& text) {
  ondemand::value value;
  ondemand::json_type type{};
  if (std::move(from).get(value) || value.type().get(type)) return false;
  if (type == ondemand::json_type::null) return true;
  ondemand::object object;
  return !value.get_object().get(object) && !object.raw_json().get(text);
}

// False when `raw` is not what the DOM parser has just proved it to be.
bool find_cuts(ondemand::parser& parser, const std::string& raw, cuts& found) {
  ondemand::document document;
  ondemand::object top;
  const simdjson::padded_string_view padded(raw.data(), raw.size(), raw.capacity());
  if (parser.iterate(padded).get(document) || document.get_object().get(top)) return false;
  for (auto member : top) {
    std::string_view key;
    if (member.unescaped_key().get(key)) return false;
    if (key != "data") continue;
    ondemand::object data;
    if (member.value().get_object().get(data)) return false;
    for (auto inner : data) {
      if (inner.unescaped_key().get(key)) return false;
      if (key == "object" && !cut(inner.value(), found.object)) return false;
      if (key == "previous_attributes" && !cut(inner.value(), found.previous)) return false;
    }
    return true;
  }
  return true;
}

// A snapshot: the object as it was, and what it was before.
void read_snapshot(taker& take, ondemand::parser& parser, const dom::element* data, event& e) {
  const auto holder = take.object(data, "event.data");
  if (!holder) return;
  enum { f_object, f_previous, f_count };
  static constexpr std::array<std::string_view, f_count> names{"object", "previous_attributes"};
  const auto fields = take.pick(*holder, names, "event.data");
  const auto object = take.object(fields[f_object], "event.data.object");
  const auto previous = take.object(fields[f_previous], "event.data.previous_attributes");
  if (object) {
    object_head head = read_head(take, *object, "event.data.object");
    e.object_name = std::move(head.object_name);
    e.object_id = std::move(head.id);
    e.owner_customer = std::move(head.owner_customer);
    e.object_created_s = head.created_s;
  }
  if (take.problem() || (!object && !previous)) return;
  cuts text;
  if (!find_cuts(parser, e.raw, text)) return take.refuse("event.data", "cannot be read");
  e.object_json = minified(text.object);
  e.previous_json = minified(text.previous);
}

// A thin event says which object it is about; whoever wants the object fetches it.
void read_reference(taker& take, const dom::element* related, event& e) {
  const auto holder = take.object(related, "event.related_object");
  if (!holder) return;
  enum { f_id, f_type, f_count };
  static constexpr std::array<std::string_view, f_count> names{"id", "type"};
  const auto fields = take.pick(*holder, names, "event.related_object");
  e.object_id = take.id(fields[f_id], "event.related_object.id");
  e.object_name = take.id(fields[f_type], "event.related_object.type");
  if (e.object_name == "customer") e.owner_customer = e.object_id;
}

// Of a snapshot `request` ({"id", "idempotency_key"}; before 2017 the id alone), of a thin event
// reason.request.
void read_request(taker& take, const dom::element* request, event& e) {
  if (request == nullptr) return;
  if (request->is_string()) {
    e.request_id = take.id(request, "event.request");
    return;
  }
  const auto holder = take.object(request, "event.request");
  if (!holder) return;
  enum { f_id, f_key, f_count };
  static constexpr std::array<std::string_view, f_count> names{"id", "idempotency_key"};
  const auto fields = take.pick(*holder, names, "event.request");
  e.request_id = take.id(fields[f_id], "event.request.id");
  // Chosen by whoever called Stripe: a key that is no id is none of ours.
  std::string_view key;
  if (fields[f_key] != nullptr && !fields[f_key]->get(key) && valid_id(key)) {
    e.idempotency_key = key;
  }
}

void read_reason(taker& take, const dom::element* reason, event& e) {
  dom::element request;
  if (reason != nullptr && !reason->at_key("request").get(request) && !request.is_null()) {
    read_request(take, &request, e);
  }
}

void read_envelope(taker& take, readers& with, dom::object root, event& e) {
  enum {
    f_id,
    f_object,
    f_type,
    f_created,
    f_livemode,
    f_api_version,
    f_account,
    f_context,
    f_data,
    f_related,
    f_request,
    f_reason,
    f_count
  };
  static constexpr std::array<std::string_view, f_count> names{
      "id",      "object",  "type", "created",        "livemode", "api_version",
      "account", "context", "data", "related_object", "request",  "reason"};
  const auto fields = take.pick(root, names, "event");
  const std::string object = take.required_id(fields[f_object], "event.object");
  e.thin = object == "v2.core.event";
  if (!e.thin && object != "event") take.refuse("event.object", "says that this is no event");
  e.id = take.required_id(fields[f_id], "event.id");
  e.type = take.required_id(fields[f_type], "event.type");
  e.api_version = take.id(fields[f_api_version], "event.api_version");
  e.account = take.id(fields[f_account], "event.account");
  e.livemode = take.flag(fields[f_livemode], "event.livemode");
  const auto created = fields[f_created] ? time_of(*fields[f_created]) : std::nullopt;
  if (!created) take.refuse("event.created", "is not a time");
  e.created_s = created.value_or(0);
  if (!e.thin) {
    read_request(take, fields[f_request], e);
    read_snapshot(take, with.cuts, fields[f_data], e);
    return;
  }
  read_reason(take, fields[f_reason], e);
  read_reference(take, fields[f_related], e);
  // In version 2 the context says whose event it is; "org/acct" paths are not an account.
  std::string_view context;
  if (e.account.empty() && fields[f_context] != nullptr && !fields[f_context]->get(context) &&
      context.starts_with("acct_") && context.find('/') == context.npos && valid_id(context)) {
    e.account = context;
  }
}

}  // namespace

result<std::shared_ptr<event>> parse_event(std::string raw) {
  if (raw.size() > event_max_bytes) {
    return std::unexpected(refusal("event", "is larger than 1 MiB"));
  }
  auto e = std::make_shared<event>();
  e->raw = std::move(raw);
  e->raw.reserve(e->raw.size() + simdjson::SIMDJSON_PADDING);
  lease parsers;
  auto root = parse_root((*parsers).dom, e->raw, false, "event");
  if (!root) return std::unexpected(std::move(root).error());
  taker take;
  read_envelope(take, *parsers, *root, *e);
  if (const auto& problem = take.problem()) return std::unexpected(*problem);
  return e;
}

result<object_head> parse_object(std::string_view json) {
  if (json.size() > object_max_bytes) {
    return std::unexpected(refusal("object", "is larger than 8 MiB"));
  }
  lease parsers;
  auto root = parse_root((*parsers).dom, json, true, "object");
  if (!root) return std::unexpected(std::move(root).error());
  taker take;
  object_head head = read_head(take, *root, "object");
  if (const auto& problem = take.problem()) return std::unexpected(*problem);
  head.json = minified(json);
  return head;
}

}  // namespace tilld::stripe
