#include "store/keys.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "stripe/ids.hpp"

namespace tilld::store {

namespace {

constexpr char list_kind = 'l';
constexpr char arrival_kind = 'e';
constexpr char event_kind = 'o';
constexpr char failure_kind = 'f';
constexpr char state_kind = 's';
constexpr char link_kind = 'u';
constexpr char order_kind = 'o';
constexpr char open_kind = 'p';
constexpr char caller_key_kind = 'k';
constexpr char claim_kind = 'c';
constexpr char parked_kind = 'w';

constexpr std::size_t time_bytes = 8;
constexpr std::int64_t latest_time = (std::int64_t{1} << 48) - 1;
constexpr std::string_view refetch_word{"refetch\0", 8};
constexpr std::string_view complete_word{"complete\0", 9};
constexpr std::string_view token_word{"token\0", 6};
constexpr std::string_view last_word{"last\0", 5};
constexpr std::string_view clocks_word{"clocks\0", 7};

constexpr std::size_t zeros_of_time = 2;  // its highest bytes

void append_text(std::string& out, std::string_view text) {
  const std::size_t start = out.size();
  out += text;
  if (text.find('\0') != std::string_view::npos) {
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), '\0', '\x01');
  }
  out += '\0';
}

void append_time(std::string& out, std::int64_t time) {
  append_be64(out, static_cast<std::uint64_t>(std::clamp<std::int64_t>(time, 0, latest_time)));
}

void turn(char* from, const char* to) {
  for (; from != to; ++from)
    *from = static_cast<char>(~*from);
}

void append_scope(std::string& out, const scope& s) {
  append_text(out, s.account);
  out += s.live ? 'l' : 't';
}

std::string begin(const scope& s, std::size_t more) {
  std::string out;
  out.reserve(s.account.size() + 2 + more);
  append_scope(out, s);
  return out;
}

std::string kind_only(const scope& s, char kind) {
  std::string out = begin(s, 1);
  out += kind;
  return out;
}

std::string kind_and_text(const scope& s, char kind, std::string_view text) {
  std::string out = begin(s, text.size() + 2);
  out += kind;
  append_text(out, text);
  return out;
}

std::string two_texts(const scope& s, std::string_view first, std::string_view second) {
  std::string out = begin(s, first.size() + second.size() + 2);
  append_text(out, first);
  append_text(out, second);
  return out;
}

// Takes a key apart from the left. After a step that does not fit, `ok` is false.
struct remainder {
  std::string_view left;
  bool ok = true;

  void skip_text() {
    const std::size_t end = left.find('\0');
    ok = ok && end != std::string_view::npos;
    if (ok) left.remove_prefix(end + 1);
  }
  std::string_view take_text() {
    const std::string_view before = left;
    skip_text();
    return ok ? before.substr(0, before.size() - left.size() - 1) : std::string_view{};
  }
  bool take_mode() {
    ok = ok && !left.empty() && (left[0] == 't' || left[0] == 'l');
    const bool live = ok && left[0] == 'l';
    if (ok) left.remove_prefix(1);
    return live;
  }
  scope take_scope() {
    scope found{std::string(take_text())};
    found.live = take_mode();
    return found;
  }
  void skip_scope() { skip_text(), take_mode(); }
  // The two highest bytes of a time are zero; nowhere in a text are two zeros in a row.
  void skip_time() {
    ok = ok && left.size() >= time_bytes && left[0] == '\0' && left[1] == '\0';
    if (ok) left.remove_prefix(time_bytes);
  }
  char take_kind() {
    ok = ok && !left.empty();
    if (!ok) return '\0';
    const char kind = left[0];
    left.remove_prefix(1);
    return kind;
  }
  // What remains is one text, not an empty one.
  std::optional<std::string_view> only_text() const {
    if (!ok || left.size() < 2 || left.find('\0') != left.size() - 1) return std::nullopt;
    return left.substr(0, left.size() - 1);
  }
};

std::optional<std::string_view> id_after_time(remainder r) {
  switch (r.take_kind()) {
    case event_kind:
      r.skip_text(), r.skip_text();
      break;
    case arrival_kind:
      break;
    default:
      return std::nullopt;
  }
  r.skip_time();
  return r.only_text();
}

std::optional<std::string_view> id_after_kind(remainder r, std::string_view kinds) {
  if (kinds.find(r.take_kind()) == std::string_view::npos) return std::nullopt;
  return r.only_text();
}

std::optional<std::string_view> id_after_text(remainder r) {
  r.skip_text();
  return r.only_text();
}

}  // namespace

std::string scope::bytes() const {
  return begin(*this, 0);
}

std::string_view scope::configured() const noexcept {
  return std::string_view(account).substr(0, account.find('/'));
}

scope scope::platform() const {
  return {std::string(configured()), live};
}

std::string_view scope::connected() const noexcept {
  const auto slash = account.find('/');
  return slash == std::string::npos ? std::string_view{}
                                    : std::string_view(account).substr(slash + 1);
}

bool valid_id(std::string_view id) noexcept {
  return stripe::valid_id(id);
}

result<std::vector<scope>> scopes_in(const reader& from, family in) {
  std::vector<scope> all;
  std::string next;
  for (bool more = true; more;) {
    more = false;
    auto scanned =
        from.scan({in, "", next, false}, [&](std::string_view row_key, std::string_view) {
          remainder r{row_key};
          scope found = r.take_scope();
          if (!r.ok) return false;  // of no scope; nothing after it can be told apart
          next = found.bytes();
          ++next.back();  // past all of its rows
          all.push_back(std::move(found));
          more = true;
          return false;
        });
    if (!scanned) return std::unexpected(scanned.error());
  }
  return all;
}

namespace key {

std::string object(const scope& s, std::string_view object_name, std::string_view id) {
  return two_texts(s, object_name, id);
}

std::string objects_of(const scope& s, std::string_view object_name) {
  std::string out = begin(s, object_name.size() + 1);
  append_text(out, object_name);
  return out;
}

std::string list(const scope& s, std::string_view object_name, std::string_view filter,
                 std::string_view value) {
  // Room for a time and an id, as list_entry() goes on from here.
  std::string out = begin(s, object_name.size() + filter.size() + value.size() + 48);
  out += list_kind;
  append_text(out, object_name);
  append_text(out, filter);
  append_text(out, value);
  return out;
}

std::string list_entry(const scope& s, std::string_view object_name, std::string_view filter,
                       std::string_view value, std::int64_t created_s, std::string_view id) {
  std::string out = list(s, object_name, filter, value);
  const std::size_t start = out.size() + zeros_of_time;
  append_time(out, created_s);
  append_text(out, id);
  turn(out.data() + start, out.data() + out.size());
  return out;
}

std::optional<place> list_place(std::string_view list_entry_key) {
  remainder r{list_entry_key};
  r.skip_scope();
  if (r.take_kind() != list_kind) return std::nullopt;
  r.skip_text(), r.skip_text(), r.skip_text();
  const std::string_view from_time = r.left;
  r.skip_time();
  // Turned, the NUL that ends the id is the one byte of 255 in it.
  if (!r.ok || r.left.size() < 2 || r.left.find('\xff') != r.left.size() - 1) return std::nullopt;
  place found{0, std::string(r.left.substr(0, r.left.size() - 1))};
  turn(found.id.data(), found.id.data() + found.id.size());
  found.created_s = latest_time - static_cast<std::int64_t>(read_be64(from_time.data()));
  return found;
}

std::size_t group_length(std::string_view index_key) noexcept {
  remainder r{index_key};
  r.skip_text();
  r.take_mode();
  switch (r.take_kind()) {
    case list_kind:
      r.skip_text();
      [[fallthrough]];
    case event_kind:
      r.skip_text(), r.skip_text();
      [[fallthrough]];
    case arrival_kind:
    case failure_kind:
      break;
    default:
      r.ok = false;
  }
  return r.ok ? index_key.size() - r.left.size() : 0;
}

std::string arrivals(const scope& s) {
  return kind_only(s, arrival_kind);
}

std::string arrival(const scope& s, std::int64_t received_ms, std::string_view event_id) {
  std::string out = begin(s, event_id.size() + 2 + time_bytes);
  out += arrival_kind;
  append_time(out, received_ms);
  append_text(out, event_id);
  return out;
}

std::string events_of(const scope& s, std::string_view object_name, std::string_view id) {
  std::string out = begin(s, object_name.size() + id.size() + 48);
  out += event_kind;
  append_text(out, object_name);
  append_text(out, id);
  return out;
}

std::string event_of(const scope& s, std::string_view object_name, std::string_view id,
                     std::int64_t created_s, std::string_view event_id) {
  std::string out = events_of(s, object_name, id);
  append_time(out, created_s);
  append_text(out, event_id);
  return out;
}

std::string failures(const scope& s) {
  return kind_only(s, failure_kind);
}

std::string failure(const scope& s, std::string_view event_id) {
  return kind_and_text(s, failure_kind, event_id);
}

std::string event(const scope& s, std::string_view event_id) {
  return objects_of(s, event_id);
}

std::string customer_state(const scope& s, std::string_view customer_id) {
  return kind_and_text(s, state_kind, customer_id);
}

std::string user_links(const scope& s, std::string_view user_id) {
  return kind_and_text(s, link_kind, user_id);
}

std::string all_user_links(const scope& s) {
  return kind_only(s, link_kind);
}

std::optional<link_place> user_link_place(std::string_view user_link_key) {
  remainder r{user_link_key};
  r.skip_scope();
  if (r.take_kind() != link_kind) return std::nullopt;
  link_place found;
  found.user_id = r.take_text();
  const auto customer = r.only_text();
  if (!customer) return std::nullopt;
  found.customer_id = *customer;
  return found;
}

std::string user_link(const scope& s, std::string_view user_id, std::string_view customer_id) {
  std::string out = user_links(s, user_id);
  append_text(out, customer_id);
  return out;
}

std::string order(const scope& s, std::string_view order_id) {
  return kind_and_text(s, order_kind, order_id);
}

std::string orders(const scope& s) {
  return kind_only(s, order_kind);
}

std::string open_orders(const scope& s) {
  return kind_only(s, open_kind);
}

std::string open_order(const scope& s, std::string_view order_id) {
  return kind_and_text(s, open_kind, order_id);
}

std::string parked_orders(const scope& s) {
  return kind_only(s, parked_kind);
}

std::string parked_order(const scope& s, std::string_view order_id) {
  return kind_and_text(s, parked_kind, order_id);
}

std::string order_by_key(const scope& s, std::string_view idempotency_key) {
  return kind_and_text(s, caller_key_kind, idempotency_key);
}

std::string order_by_claim(const scope& s, std::string_view claim) {
  return kind_and_text(s, claim_kind, claim);
}

std::string token(std::string_view sha256_of_token) {
  return std::string(token_word).append(sha256_of_token);
}

std::string tokens() {
  return std::string(token_word);
}

std::string refetch(const scope& s, std::string_view object_name, std::string_view id) {
  std::string out = refetches();
  append_scope(out, s);
  append_text(out, object_name);
  append_text(out, id);
  return out;
}

std::string complete(const scope& s, std::string_view object_name, std::string_view owner) {
  std::string out(complete_word);
  append_scope(out, s);
  append_text(out, object_name);
  if (!owner.empty()) append_text(out, owner);
  return out;
}

std::string clocks(const scope& s) {
  std::string out(clocks_word);
  append_scope(out, s);
  return out;
}

std::string refetches() {
  return std::string(refetch_word);
}

std::optional<marked_object> refetch_place(std::string_view refetch_key) {
  if (!refetch_key.starts_with(refetch_word)) return std::nullopt;
  remainder r{refetch_key.substr(refetch_word.size())};
  marked_object found;
  found.of = r.take_scope();
  found.object_name = r.take_text();
  const auto id = r.only_text();
  if (!id) return std::nullopt;
  found.id = *id;
  return found;
}

std::string last_number(family in) {
  return std::string(last_word).append(to_string(in));
}

std::optional<std::string_view> last_text(family in, std::string_view key) {
  remainder r{key};
  if (in == family::meta) {
    if (!key.starts_with(refetch_word)) return std::nullopt;
    r.skip_text();
  }
  r.skip_scope();
  if (!r.ok) return std::nullopt;
  switch (in) {
    case family::objects:
    case family::meta:
      return id_after_text(r);
    case family::events:
      return r.only_text();
    case family::outbox:
      return id_after_kind(r, "opkcw");
    case family::customers:
      if (r.left.starts_with(link_kind)) return id_after_text(r);
      return id_after_kind(r, "s");
    case family::index:
      if (r.left.starts_with(failure_kind)) return id_after_kind(r, "f");
      return id_after_time(r);
    case family::feed:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string_view> last_text(std::string_view key) {
  remainder r{key};
  r.skip_scope();
  if (r.ok) {
    if (const auto id = id_after_time(r)) return id;
    if (const auto id = id_after_kind(r, "fsopkcw")) return id;
    if (const auto id = r.only_text()) return id;
  }
  // No time in it and more than one text: the last begins behind the last NUL but one.
  if (key.size() < 2 || key.back() != '\0') return std::nullopt;
  const std::size_t before = key.rfind('\0', key.size() - 2);
  if (before == std::string_view::npos || before + 2 == key.size()) return std::nullopt;
  return key.substr(before + 1, key.size() - before - 2);
}

}  // namespace key

}  // namespace tilld::store
