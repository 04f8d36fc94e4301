// Every event that has happened, oldest first, as the compact text of the event object. Kept as
// text because there are ten of them to an object and nobody changes them.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sandbox/machine/sequence.hpp"

namespace tilld::sandbox {

struct logged_event {
  std::string id;
  std::string type;
  std::int64_t created_s = 0;
  std::string text;
  std::string account;     // a connected one; empty: the own
  bool delivered = false;  // every endpoint that wants it has taken it
};

class event_log {
 public:
  void append(logged_event e);
  row_number end() const { return first_ + static_cast<row_number>(rows_.size()); }
  // A request that fails takes its events back: everything since the mark.
  void mark() { mark_ = end(); }
  void back_to_mark() { back_to(mark_); }
  void back_to(row_number row);

  const logged_event& at(row_number row) const { return rows_[row - first_]; }
  std::optional<row_number> number_of(std::string_view id) const;

  void note_delivered(std::string_view id);

  // As table::created_between.
  std::pair<row_number, row_number> created_between(std::int64_t from_s, std::int64_t to_s) const;

  sequence all() const { return sequence(first_, end()); }
  // Names of types, or "customer.*" for all that begin so.
  sequence of_types(const std::vector<std::string>& types) const;

  // Hands out what has not been handed out yet, oldest first.
  std::vector<const logged_event*> take();

  // Stripe keeps events 30 days: drops the older ones that have been handed out.
  void forget_before(std::int64_t created_s);

  row_number taken() const { return taken_; }
  void restore(row_number first, row_number taken);  // into an empty log, before append

 private:
  row_number first_ = 0;  // the row at the front
  row_number taken_ = 0;
  row_number mark_ = 0;
  bool created_in_order_ = true;
  std::deque<logged_event> rows_;
  std::unordered_map<std::string, row_number, text_hash, std::equal_to<>> by_id_;
  std::map<std::string, posting, std::less<>> by_type_;
};

}  // namespace tilld::sandbox
