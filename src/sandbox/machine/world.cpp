#include "sandbox/machine/world.hpp"

#include <algorithm>
#include <stdexcept>

#include "stripe/search_query.hpp"

namespace tilld::sandbox {

std::vector<std::string> indexed_values(const json& document, std::string_view path) {
  if (path.ends_with('~')) {
    path.remove_suffix(1);
    auto values = indexed_values(document, path);
    for (auto& value : values)
      value = stripe::search::folded(value);
    return values;
  }
  const json* value = at_path(document, path);
  if (value == nullptr) return {};
  if (value->is_string()) return {value->get<std::string>()};
  if (value->is_boolean()) return {value->get<bool>() ? "true" : "false"};
  std::vector<std::string> each;
  if (value->is_array()) {
    for (const auto& element : *value) {
      if (element.is_string()) each.push_back(element.get<std::string>());
    }
  }
  return each;
}

table::table(const kind_row& row) {
  for (const auto path : row.indexes)
    indexes_.push_back({std::string(path), {}});
}

std::optional<row_number> table::number_of(std::string_view id) const {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return std::nullopt;
  return it->second;
}

void table::add(const record& r, row_number number) {
  if (r.deleted) return;
  for (auto& index : indexes_) {
    for (auto& value : indexed_values(r.document, index.path)) {
      insert_into(index.by_value[std::move(value)], number);
    }
  }
}

void table::drop(const record& r, row_number number) {
  if (r.deleted) return;
  for (auto& index : indexes_) {
    for (const auto& value : indexed_values(r.document, index.path)) {
      const auto it = index.by_value.find(value);
      if (it == index.by_value.end()) continue;
      erase_from(it->second, number);
      if (it->second.empty()) index.by_value.erase(it);
    }
  }
}

row_number table::insert(json document, bool deleted) {
  const row_number number = size();
  if (!document.is_null()) by_id_[text_of(document, "id")] = number;
  const std::int64_t created_s = created_of(document);
  if (!created_s_.empty() && created_s < created_s_.back()) created_in_order_ = false;
  created_s_.push_back(created_s);
  rows_.push_back({std::move(document), deleted});
  add(rows_.back(), number);
  return number;
}

record table::exchange(row_number number, record now) {
  record& here = rows_[number];
  drop(here, number);
  if (here.document.is_null() && !now.document.is_null()) {
    by_id_[text_of(now.document, "id")] = number;
  } else if (!here.document.is_null() && now.document.is_null()) {
    by_id_.erase(text_of(here.document, "id"));
  }
  std::swap(here, now);
  add(here, number);
  return now;
}

void table::pop() {
  const row_number number = size() - 1;
  const record& last = rows_.back();
  drop(last, number);
  if (!last.document.is_null()) by_id_.erase(text_of(last.document, "id"));
  rows_.pop_back();
  created_s_.pop_back();
}

std::pair<row_number, row_number> table::created_between(std::int64_t from_s,
                                                         std::int64_t to_s) const {
  if (!created_in_order_) return {0, size()};
  const auto begin = created_s_.begin();
  const auto first = std::lower_bound(begin, created_s_.end(), from_s);
  const auto end = std::upper_bound(first, created_s_.end(), to_s);
  return {static_cast<row_number>(first - begin), static_cast<row_number>(end - begin)};
}

bool table::has_index(std::string_view path) const {
  return std::any_of(indexes_.begin(), indexes_.end(),
                     [&](const path_index& i) { return i.path == path; });
}

sequence table::with(std::string_view path, const std::vector<std::string>& values) const {
  std::vector<const posting*> lists;
  for (const auto& index : indexes_) {
    if (index.path != path) continue;
    for (const auto& value : values) {
      const auto it = index.by_value.find(value);
      if (it != index.by_value.end()) lists.push_back(&it->second);
    }
  }
  return sequence(std::move(lists));
}

world::world(std::uint64_t seed) : ids(seed) {
  for (const auto& row : all_kinds())
    tables_.emplace_back(row);
}

const json* world::find(kind k, std::string_view id) const {
  const auto number = of(k).number_of(id);
  return number ? &of(k).at(*number).document : nullptr;
}

const json* world::find_live(kind k, std::string_view id) const {
  const auto number = of(k).number_of(id);
  if (!number || of(k).at(*number).deleted) return nullptr;
  return &of(k).at(*number).document;
}

const json& world::at(kind k, std::string_view id) const {
  const json* document = find(k, id);
  if (document != nullptr) return *document;
  throw std::logic_error(std::string(row_of(k).object) + " " + std::string(id) + " is gone");
}

const json& world::live(kind k, std::string_view id) const {
  const json* document = find_live(k, id);
  if (document != nullptr) return *document;
  throw std::logic_error(std::string(row_of(k).object) + " " + std::string(id) + " is not there");
}

void world::insert(kind k, json document) {
  forget(k, text_of(document, "id"));  // the stub of an id that people chose before
  const row_number number = of(k).insert(std::move(document));
  enter(k, number);
  journal_.push_back({k, number, true, {}});
}

void world::put(kind k, std::string_view id, record now) {
  const auto number = of(k).number_of(id);
  if (!number) return;
  journal_.push_back({k, *number, false, exchange(k, *number, std::move(now))});
}

record world::exchange(kind k, row_number row, record now) {
  leave(k, row);
  record before = of(k).exchange(row, std::move(now));
  enter(k, row);
  return before;
}

void world::enter(kind k, row_number row) {
  const record& r = of(k).at(row);
  if (r.deleted) return;
  if (const auto at = due_of(k, r.document)) {
    timetable_[clock_of(r.document)].insert({*at, k, row});
  }
}

void world::leave(kind k, row_number row) {
  const record& r = of(k).at(row);
  if (r.deleted) return;
  const auto at = due_of(k, r.document);
  if (!at) return;
  const auto it = timetable_.find(clock_of(r.document));
  if (it == timetable_.end()) return;
  it->second.erase({*at, k, row});
  if (it->second.empty()) timetable_.erase(it);
}

std::optional<due> world::next_due(std::string_view by) const {
  const auto it = timetable_.find(by);
  if (it == timetable_.end() || it->second.empty()) return std::nullopt;
  return *it->second.begin();
}

void world::put_aside(std::string_view by, const due& d) {
  if (const auto it = timetable_.find(by); it != timetable_.end()) it->second.erase(d);
}

void world::replace(kind k, json document) {
  const std::string id = text_of(document, "id");
  put(k, id, {std::move(document), false});
}

void world::leave_stub(kind k, std::string_view id) {
  json stub = json::object();
  stub["id"] = id;
  stub["object"] = row_of(k).object;
  stub["deleted"] = true;
  put(k, id, {std::move(stub), true});
}

void world::forget(kind k, std::string_view id) {
  put(k, id, {nullptr, true});
}

void world::begin() {
  journal_.clear();
  events.mark();
}

void world::commit() {
  journal_.clear();
}

void world::take_back(const change& c) {
  if (c.inserted) {
    leave(c.of, c.number);
    of(c.of).pop();
  } else {
    exchange(c.of, c.number, c.before);
  }
}

void world::rollback() {
  for (auto it = journal_.rbegin(); it != journal_.rend(); ++it)
    take_back(*it);
  journal_.clear();
  events.back_to_mark();
}

world::place world::here() const {
  return {journal_.size(), events.end(), ids.state()};
}

void world::back_to(const place& p) {
  while (journal_.size() > p.changes) {
    take_back(journal_.back());
    journal_.pop_back();
  }
  events.back_to(p.events);
  ids.restore(p.counters);
}

std::vector<const json*> world::with(kind k, std::string_view path, std::string_view value) const {
  const sequence rows = of(k).with(path, {std::string(value)});
  std::vector<const json*> found;
  for (auto row = rows.below(after_the_newest); row; row = rows.below(*row)) {
    found.push_back(&of(k).at(*row).document);
  }
  return found;
}

}  // namespace tilld::sandbox
