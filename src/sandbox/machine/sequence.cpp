#include "sandbox/machine/sequence.hpp"

namespace tilld::sandbox {

std::optional<row_number> sequence::below(row_number row) const {
  std::optional<row_number> best;
  if (first_ < end_ && row > first_) best = std::min(row, end_) - 1;
  for (const auto* list : lists_) {
    const auto it = std::lower_bound(list->begin(), list->end(), row);
    if (it == list->begin()) continue;
    const row_number candidate = *std::prev(it);
    if (!best || candidate > *best) best = candidate;
  }
  return best;
}

std::optional<row_number> sequence::from(row_number row) const {
  std::optional<row_number> best;
  if (first_ < end_ && row < end_) best = std::max(row, first_);
  for (const auto* list : lists_) {
    const auto it = std::lower_bound(list->begin(), list->end(), row);
    if (it == list->end()) continue;
    if (!best || *it < *best) best = *it;
  }
  return best;
}

std::size_t sequence::size() const {
  std::size_t sum = end_ - first_;
  for (const auto* list : lists_)
    sum += list->size();
  return sum;
}

void insert_into(posting& list, row_number row) {
  const auto it = std::lower_bound(list.begin(), list.end(), row);
  if (it == list.end() || *it != row) list.insert(it, row);
}

void erase_from(posting& list, row_number row) {
  const auto it = std::lower_bound(list.begin(), list.end(), row);
  if (it != list.end() && *it == row) list.erase(it);
}

}  // namespace tilld::sandbox
