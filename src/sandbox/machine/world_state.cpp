// The world as bytes, and back.
//
//   state   = "tilld-sandbox-state 3 " sha256 "\n" json
//   sha256  = of the json, 64 letters of hex
//   json    = {"seed", "now", "clock", "rules", "counters": […], "objects": {kind: [[document,
//   deleted], …]},
//              "events": {"first", "taken", "rows": [[id, type, created, text, account, delivered],
//              …]}, "kept": [[key, at, path, fingerprint, request, status, body], …]}
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "sandbox/machine/world.hpp"

namespace tilld::sandbox {

namespace {

constexpr std::string_view head = "tilld-sandbox-state 3 ";

json rows_of(const table& rows) {
  json all = json::array();
  for (row_number row = 0; row < rows.size(); ++row) {
    all.push_back(json::array({rows.at(row).document, rows.at(row).deleted}));
  }
  return all;
}

json rows_of(const event_log& log) {
  json rows = json::array();
  const sequence all = log.all();
  for (auto row = all.from(0); row; row = all.from(*row + 1)) {
    const auto& e = log.at(*row);
    rows.push_back(json::array({e.id, e.type, e.created_s, e.text, e.account, e.delivered}));
  }
  json events = json::object();
  events["first"] = all.from(0).value_or(log.end());
  events["taken"] = log.taken();
  events["rows"] = std::move(rows);
  return events;
}

json rows_of(const idempotency& kept) {
  json rows = json::array();
  for (const auto& key : kept.keys()) {
    const kept_result& r = *kept.find(key);
    rows.push_back(
        json::array({key, r.at_s, r.path, r.fingerprint, r.request_id, r.status, r.body}));
  }
  return rows;
}

// The checksum has vouched for the bytes: what follows was written by save().
void read_events(const json& events, event_log& log) {
  log.restore(events["first"].get<row_number>(), events["taken"].get<row_number>());
  for (const auto& row : events["rows"]) {
    log.append({row[0].get<std::string>(), row[1].get<std::string>(), row[2].get<std::int64_t>(),
                row[3].get<std::string>(), row[4].get<std::string>(), row[5].get<bool>()});
  }
}

void read_kept(const json& rows, idempotency& kept) {
  for (const auto& row : rows) {
    kept_result r;
    r.at_s = row[1].get<std::int64_t>();
    r.path = row[2].get<std::string>();
    r.fingerprint = row[3].get<std::string>();
    r.request_id = row[4].get<std::string>();
    r.status = row[5].get<int>();
    r.body = row[6].get<std::string>();
    kept.keep(row[0].get<std::string>(), std::move(r));
  }
}

}  // namespace

std::string world::save() const {
  json all = json::object();
  all["seed"] = ids.seed();
  all["now"] = now_s;
  all["clock"] = {{"frozen", clock.frozen}, {"s", clock.s}};
  all["rules"] = rules_text(rules);
  all["counters"] = ids.state();
  json objects = json::object();
  for (const auto& row : all_kinds())
    objects[row.object] = rows_of(of(row.of));
  all["objects"] = std::move(objects);
  all["events"] = rows_of(events);
  all["kept"] = rows_of(kept);
  const std::string text = compact(all);
  return std::string(head) + to_hex(sha256(text)) + "\n" + text;
}

bool world::load(std::string_view bytes) {
  constexpr std::size_t sum_letters = 64;
  if (!bytes.starts_with(head) || bytes.size() < head.size() + sum_letters + 1) return false;
  if (bytes[head.size() + sum_letters] != '\n') return false;
  const std::string_view sum = bytes.substr(head.size(), sum_letters);
  const std::string_view text = bytes.substr(head.size() + sum_letters + 1);
  if (to_hex(sha256(text)) != sum) return false;
  json all = json::parse(text, nullptr, false);
  if (all.is_discarded()) return false;
  ids = id_mint(all["seed"].get<std::uint64_t>());
  ids.restore(all["counters"].get<id_mint::counters>());
  now_s = all["now"].get<std::int64_t>();
  clock = {all["clock"]["frozen"].get<bool>(), all["clock"]["s"].get<std::int64_t>()};
  rules = rules_of(all["rules"]);
  for (const auto& row : all_kinds()) {
    if (!all["objects"].contains(row.object)) return false;
    for (auto& entry : all["objects"][std::string(row.object)]) {
      enter(row.of, of(row.of).insert(std::move(entry[0]), entry[1].get<bool>()));
    }
  }
  read_events(all["events"], events);
  read_kept(all["kept"], kept);
  return true;
}

}  // namespace tilld::sandbox
