#include "store/event_log.hpp"

#include <optional>
#include <utility>

#include "stripe/event.hpp"

namespace tilld::store {

namespace {

bool type_fits(std::string_view type, std::string_view wanted) {
  if (wanted.empty()) return true;
  if (wanted.ends_with('*')) return type.starts_with(wanted.substr(0, wanted.size() - 1));
  return type == wanted;
}

bool fits(const listed_event& e, const event_filter& filter) {
  return type_fits(e.type, filter.type) &&
         (filter.customer.empty() || e.customer == filter.customer);
}

}  // namespace

listed_event summary_of(const event_record& record) {
  listed_event line;
  line.received_ms = record.received_ms;
  line.status = record.status;
  line.reason = record.reason;
  line.tries = record.tries;
  if (const auto event = stripe::parse_event(record.raw)) {
    line.id = (*event)->id;
    line.type = (*event)->type;
    line.object_name = (*event)->object_name;
    line.object_id = (*event)->object_id;
    line.customer = (*event)->owner_customer;
    line.created_s = (*event)->created_s;
  }
  return line;
}

result<event_record> load_event(const reader& from, const scope& s, std::string_view id) {
  if (!valid_id(id)) return fail(errc::not_found, "there is no event of this name");
  auto row = from.get(family::events, key::event(s, id));
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(errc::not_found, "there is no event '" + std::string(id) + "'");
  return decode_event(**row);
}

result<std::vector<listed_event>> list_events(const reader& from, const scope& s,
                                              const event_filter& filter) {
  std::vector<listed_event> found;
  std::optional<error> failed;
  const scan_range range{family::index, filter.failed_only ? key::failures(s) : key::arrivals(s),
                         "", true};
  auto scanned = from.scan(range, [&](std::string_view row_key, std::string_view) {
    if (found.size() >= filter.limit) return false;
    const auto id = key::last_text(row_key);
    if (!id) return true;
    auto record = load_event(from, s, *id);
    if (!record) {
      failed = record.error();
      return failed->code == errc::not_found;
    }
    listed_event line = summary_of(*record);
    if (fits(line, filter)) found.push_back(std::move(line));
    return true;
  });
  if (!scanned) return std::unexpected(scanned.error());
  if (failed && failed->code != errc::not_found) return std::unexpected(*failed);
  return found;
}

}  // namespace tilld::store
