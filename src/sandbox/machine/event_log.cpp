#include "sandbox/machine/event_log.hpp"

#include <algorithm>

namespace tilld::sandbox {

void event_log::append(logged_event e) {
  const row_number row = end();
  if (!rows_.empty() && e.created_s < rows_.back().created_s) created_in_order_ = false;
  by_id_.emplace(e.id, row);
  by_type_[e.type].push_back(row);
  rows_.push_back(std::move(e));
}

void event_log::back_to(row_number row) {
  while (end() > row) {
    const auto& last = rows_.back();
    by_id_.erase(by_id_.find(last.id));
    erase_from(by_type_[last.type], end() - 1);
    rows_.pop_back();
  }
}

void event_log::note_delivered(std::string_view id) {
  if (const auto row = number_of(id)) rows_[*row - first_].delivered = true;
}

std::optional<row_number> event_log::number_of(std::string_view id) const {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return std::nullopt;
  return it->second;
}

std::pair<row_number, row_number> event_log::created_between(std::int64_t from_s,
                                                             std::int64_t to_s) const {
  if (!created_in_order_) return {first_, end()};
  const auto before = [](const logged_event& e, std::int64_t s) { return e.created_s < s; };
  const auto after = [](std::int64_t s, const logged_event& e) { return s < e.created_s; };
  const auto first = std::lower_bound(rows_.begin(), rows_.end(), from_s, before);
  const auto last = std::upper_bound(first, rows_.end(), to_s, after);
  return {first_ + static_cast<row_number>(first - rows_.begin()),
          first_ + static_cast<row_number>(last - rows_.begin())};
}

sequence event_log::of_types(const std::vector<std::string>& types) const {
  std::vector<const posting*> lists;
  for (const auto& [type, list] : by_type_) {
    const bool wanted = std::any_of(types.begin(), types.end(), [&](const std::string& t) {
      if (!t.ends_with('*')) return t == type;
      return std::string_view(type).starts_with(std::string_view(t).substr(0, t.size() - 1));
    });
    if (wanted) lists.push_back(&list);
  }
  return sequence(std::move(lists));
}

std::vector<const logged_event*> event_log::take() {
  std::vector<const logged_event*> fresh;
  for (; taken_ < end(); ++taken_)
    fresh.push_back(&at(taken_));
  return fresh;
}

void event_log::forget_before(std::int64_t created_s) {
  while (!rows_.empty() && first_ < taken_ && rows_.front().created_s < created_s) {
    const auto& oldest = rows_.front();
    by_id_.erase(by_id_.find(oldest.id));
    erase_from(by_type_[oldest.type], first_);
    rows_.pop_front();
    ++first_;
  }
}

void event_log::restore(row_number first, row_number taken) {
  first_ = first;
  taken_ = taken;
}

}  // namespace tilld::sandbox
