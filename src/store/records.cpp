#include "store/records.hpp"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "base/bytes.hpp"
#include "base/json_text.hpp"

namespace tilld::store {

namespace {

using json = nlohmann::json;

constexpr char object_format = '1';
constexpr std::size_t version_bytes = 9;
constexpr std::size_t head_bytes = 26;

enum flag : unsigned char { from_snapshot = 1, born = 2, deleted = 4, suspect = 8, all_flags = 15 };

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

template <class Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::pair<Enum, const char*>, N>& names,
                          std::string_view text) noexcept {
  for (const auto& [value, name] : names) {
    if (text == name) return value;
  }
  return std::nullopt;
}

template <class Enum, std::size_t N>
const char* name_of(const std::array<std::pair<Enum, const char*>, N>& names, Enum what) noexcept {
  for (const auto& [value, name] : names) {
    if (value == what) return name;
  }
  return "unknown";
}

constexpr std::array<std::pair<event_status, const char*>, 4> event_statuses{{
    {event_status::applied, "applied"},
    {event_status::ignored, "ignored"},
    {event_status::refetch, "refetch"},
    {event_status::failed, "failed"},
}};

constexpr std::array<std::pair<order_status, const char*>, 4> order_statuses{{
    {order_status::open, "open"},
    {order_status::done, "done"},
    {order_status::refused, "refused"},
    {order_status::parked, "parked"},
}};

constexpr std::array<std::pair<stripe::lane, const char*>, stripe::lane_count> lanes{{
    {stripe::lane::order, "order"},
    {stripe::lane::check, "check"},
    {stripe::lane::repair, "repair"},
    {stripe::lane::backfill, "backfill"},
}};

json to_text(std::string_view bytes) {
  if (is_utf8(bytes)) return bytes;
  return json{{"base64", to_base64(bytes)}};
}

void append_text(std::string& out, std::string_view bytes) {
  if (is_utf8(bytes)) return append_json_string(out, bytes);
  out += "{\"base64\":\"" + to_base64(bytes) + "\"}";
}

// Reads fields; the first that is not there or not of its kind makes the whole row damaged.
class field_reader {
 public:
  field_reader(std::string_view row_kind, std::string_view bytes)
      : row_kind_(row_kind), all_(json::parse(bytes, nullptr, false)) {
    if (!all_.is_object()) problem_ = "is not a JSON object";
  }

  void text(const char* name, std::string& to) {
    const json* at = find(name);
    if (at && at->is_object()) {
      const auto coded = at->find("base64");
      at = coded == at->end() ? nullptr : &*coded;
      auto bytes =
          at && at->is_string() ? from_base64(at->get_ref<const std::string&>()) : std::nullopt;
      if (bytes) {
        to = std::move(*bytes);
        return;
      }
    } else if (at && at->is_string()) {
      to = at->get_ref<const std::string&>();
      return;
    }
    wrong(name);
  }

  bool has(const char* name) const { return find(name) != nullptr; }

  template <class Integer>
  void number(const char* name, Integer& to) {
    const json* at = find(name);
    if (!at || !at->is_number_integer() || too_large(*at)) return wrong(name);
    const auto value = at->get<std::int64_t>();
    if (!std::in_range<Integer>(value)) return wrong(name);
    to = static_cast<Integer>(value);
  }

  template <class Enum, class Names>
  void choice(const char* name, const Names& names, Enum& to) {
    std::string word;
    text(name, word);
    if (const auto value = named(names, word)) {
      to = *value;
    } else {
      wrong(name);
    }
  }

  template <class Record>
  result<Record> finish(Record&& record) const {
    if (problem_.empty()) return std::forward<Record>(record);
    return fail(errc::corrupt, "a stored " + row_kind_ + " is damaged: " + problem_);
  }

 private:
  const json* find(const char* name) const {
    if (!all_.is_object()) return nullptr;
    const auto at = all_.find(name);
    return at == all_.end() ? nullptr : &*at;
  }
  static bool too_large(const json& value) {
    return value.is_number_unsigned() && !std::in_range<std::int64_t>(value.get<std::uint64_t>());
  }
  void wrong(const char* name) {
    if (problem_.empty()) problem_ = std::string("its field \"") + name + "\" is missing or wrong";
  }

  std::string row_kind_;
  json all_;
  std::string problem_;
};

// Named one by one, so that a field added to the call does not compile before it is kept here.
json to_json(const stripe::call& c) {
  const auto& [verb, target, body, content_type, idempotency_key, api_version, stripe_account, in,
               give_up_after_ms] = c;
  return {{"verb", to_text(verb)},
          {"target", to_text(target)},
          {"body", to_text(body)},
          {"content_type", to_text(content_type)},
          {"idempotency_key", to_text(idempotency_key)},
          {"api_version", to_text(api_version)},
          {"stripe_account", to_text(stripe_account)},
          {"lane", name_of(lanes, in)},
          {"give_up_after_ms", give_up_after_ms}};
}

void read_call(field_reader& from, stripe::call& c) {
  from.text("verb", c.verb);
  from.text("target", c.target);
  from.text("body", c.body);
  from.text("content_type", c.content_type);
  from.text("idempotency_key", c.idempotency_key);
  from.text("api_version", c.api_version);
  from.text("stripe_account", c.stripe_account);
  from.choice("lane", lanes, c.in);
  from.number("give_up_after_ms", c.give_up_after_ms);
}

}  // namespace

std::string version_prefix(std::uint64_t version) {
  std::string out;
  out.reserve(version_bytes);
  out += object_format;
  append_be64(out, version);
  return out;
}

std::string encode(const object_record& r) {
  std::string out;
  out.reserve(head_bytes + r.document.size());
  out += object_format;
  append_be64(out, r.version);
  append_be64(out, static_cast<std::uint64_t>(r.at.lo));
  append_be64(out, static_cast<std::uint64_t>(r.at.hi));
  out += static_cast<char>((r.at.from_snapshot ? flag::from_snapshot : 0) |
                           (r.at.born ? flag::born : 0) | (r.at.deleted ? flag::deleted : 0) |
                           (r.at.suspect ? flag::suspect : 0));
  out += r.document;
  return out;
}

std::optional<object_view> view_object(std::string_view bytes) noexcept {
  if (bytes.size() < head_bytes || bytes[0] != object_format) return std::nullopt;
  const auto flags = static_cast<unsigned char>(bytes[head_bytes - 1]);
  if (flags > flag::all_flags) return std::nullopt;
  object_view view;
  view.version = read_be64(bytes.data() + 1);
  view.at.lo = static_cast<std::int64_t>(read_be64(bytes.data() + 9));
  view.at.hi = static_cast<std::int64_t>(read_be64(bytes.data() + 17));
  view.at.from_snapshot = flags & flag::from_snapshot;
  view.at.born = flags & flag::born;
  view.at.deleted = flags & flag::deleted;
  view.at.suspect = flags & flag::suspect;
  view.document = bytes.substr(head_bytes);
  return view;
}

result<object_record> decode_object(std::string_view bytes) {
  const auto view = view_object(bytes);
  if (!view) return fail(errc::corrupt, "a stored object is damaged: its head cannot be read");
  return object_record{view->version, view->at, std::string(view->document)};
}

const char* to_string(event_status s) noexcept {
  return name_of(event_statuses, s);
}

std::optional<event_status> event_status_from(std::string_view text) noexcept {
  return named(event_statuses, text);
}

const char* to_string(order_status s) noexcept {
  return name_of(order_statuses, s);
}

// By hand: one for each event that arrives.
std::string encode(const event_record& r) {
  std::string out;
  out.reserve(128 + r.reason.size() + r.endpoint.size() + r.raw.size());
  out += "{\"status\":\"";
  out += to_string(r.status);
  out += "\",\"reason\":";
  append_text(out, r.reason);
  out += ",\"received_ms\":";
  out += std::to_string(r.received_ms);
  out += ",\"endpoint\":";
  append_text(out, r.endpoint);
  out += ",\"tries\":";
  out += std::to_string(r.tries);
  out += "}\n";
  out += r.raw;
  return out;
}

result<event_record> decode_event(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos) {
    return fail(errc::corrupt, "a stored event is damaged: its first line has no end");
  }
  field_reader from("event", bytes.substr(0, end));
  event_record r;
  from.choice("status", event_statuses, r.status);
  from.text("reason", r.reason);
  from.number("received_ms", r.received_ms);
  from.text("endpoint", r.endpoint);
  from.number("tries", r.tries);
  r.raw = bytes.substr(end + 1);
  return from.finish(std::move(r));
}

std::string encode(const order_record& r) {
  json out = to_json(r.call);
  out["id"] = to_text(r.id);
  out["status"] = to_string(r.status);
  out["caller_key"] = to_text(r.caller_key);
  out["fingerprint"] = to_text(r.fingerprint);
  out["owner"] = to_text(r.owner);
  out["claim"] = to_text(r.claim);
  out["created_ms"] = r.created_ms;
  out["finished_ms"] = r.finished_ms;
  out["attempts"] = r.attempts;
  out["answer_status"] = r.answer_status;
  out["answer_body"] = to_text(r.answer_body);
  out["answer_request_id"] = to_text(r.answer_request_id);
  out["why"] = to_text(r.why);
  return out.dump();
}

result<order_record> decode_order(std::string_view bytes) {
  field_reader from("order", bytes);
  order_record r;
  read_call(from, r.call);
  from.text("id", r.id);
  from.choice("status", order_statuses, r.status);
  from.text("caller_key", r.caller_key);
  from.text("fingerprint", r.fingerprint);
  from.text("owner", r.owner);
  from.text("claim", r.claim);
  from.number("created_ms", r.created_ms);
  from.number("finished_ms", r.finished_ms);
  from.number("attempts", r.attempts);
  from.number("answer_status", r.answer_status);
  from.text("answer_body", r.answer_body);
  from.text("answer_request_id", r.answer_request_id);
  from.text("why", r.why);
  return from.finish(std::move(r));
}

std::string encode(const refetch_record& r) {
  return json{{"why", to_text(r.why)}, {"since_ms", r.since_ms}, {"tries", r.tries}}.dump();
}

result<refetch_record> decode_refetch(std::string_view bytes) {
  field_reader from("refetch mark", bytes);
  refetch_record r;
  from.text("why", r.why);
  from.number("since_ms", r.since_ms);
  from.number("tries", r.tries);
  return from.finish(std::move(r));
}

std::string encode(const token_record& r) {
  return json{{"name", to_text(r.name)},       {"scope", to_text(r.scope)},
              {"account", to_text(r.account)}, {"hint", to_text(r.hint)},
              {"created_s", r.created_s},      {"expires_s", r.expires_s}}
      .dump();
}

result<token_record> decode_token(std::string_view bytes) {
  field_reader from("token", bytes);
  token_record r;
  from.text("name", r.name);
  from.text("scope", r.scope);
  if (from.has("account")) from.text("account", r.account);  // older rows are for any
  from.text("hint", r.hint);
  from.number("created_s", r.created_s);
  from.number("expires_s", r.expires_s);
  return from.finish(std::move(r));
}

}  // namespace tilld::store
