// The simulated account: documents by kind and id in the order of their creation, indexes for the
// filters of lists, the log of events, and a journal that can take a request's changes back.
//
// Looking up, inserting and listing cost the same with 1,000 objects and with 100,000.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sandbox/machine/event_log.hpp"
#include "sandbox/machine/idempotency.hpp"
#include "sandbox/machine/ids.hpp"
#include "sandbox/machine/kinds.hpp"
#include "sandbox/machine/sequence.hpp"
#include "sandbox/time/due.hpp"
#include "sandbox/time/rules.hpp"

namespace tilld::sandbox {

struct record {
  json document;  // null: the object is gone without a stub
  bool deleted = false;
};

// The objects of one kind.
class table {
 public:
  explicit table(const kind_row& row);

  std::optional<row_number> number_of(std::string_view id) const;
  const record& at(row_number number) const { return rows_[number]; }
  row_number size() const { return static_cast<row_number>(rows_.size()); }

  row_number insert(json document, bool deleted = false);
  // Puts `now` in its place and hands out what was there. Indexes follow.
  record exchange(row_number number, record now);
  void pop();  // the newest row, for taking back

  // The rows that can have been created from `from_s` to `to_s`, both included: what lies outside
  // need not be looked at. All of them once a clock has gone back.
  std::pair<row_number, row_number> created_between(std::int64_t from_s, std::int64_t to_s) const;

  // The rows whose `path` has one of `values`, or all of them for an empty path.
  sequence all() const { return sequence(0, size()); }
  sequence with(std::string_view path, const std::vector<std::string>& values) const;
  bool has_index(std::string_view path) const;

 private:
  struct path_index {
    std::string path;
    std::unordered_map<std::string, posting, text_hash, std::equal_to<>> by_value;
  };
  void add(const record& r, row_number number);
  void drop(const record& r, row_number number);

  std::deque<record> rows_;
  std::deque<std::int64_t> created_s_;  // of each row
  bool created_in_order_ = true;
  std::unordered_map<std::string, row_number, text_hash, std::equal_to<>> by_id_;
  std::vector<path_index> indexes_;
};

// The values that an index on `path` holds for a document: one for text or truth, each element of
// an array, none for null.
std::vector<std::string> indexed_values(const json& document, std::string_view path);

class world {
 public:
  explicit world(std::uint64_t seed);

  // nullptr when there is none; a stub when it was deleted.
  const json* find(kind k, std::string_view id) const;
  // nullptr also for deleted ones.
  const json* find_live(kind k, std::string_view id) const;
  // Where the rules say that there is one. Should the rules be wrong, std::logic_error: the request
  // fails and its changes are taken back.
  const json& at(kind k, std::string_view id) const;  // also a stub
  const json& live(kind k, std::string_view id) const;

  void insert(kind k, json document);
  void replace(kind k, json document);           // by its id, which must exist
  void leave_stub(kind k, std::string_view id);  // {"id", "object", "deleted": true}
  void forget(kind k, std::string_view id);      // as if it had never been there

  // A request's changes: rollback takes back what has happened since begin.
  void begin();
  void commit();
  void rollback();

  // A place inside a request to go back to: documents, events and ids as they were.
  struct place {
    std::size_t changes;
    row_number events;
    id_mint::counters counters;
  };
  place here() const;
  void back_to(const place& p);

  // What falls due first by that clock (empty: the account's own).
  std::optional<due> next_due(std::string_view clock) const;
  // Takes it out of the timetable until its document changes.
  void put_aside(std::string_view clock, const due& d);

  const table& of(kind k) const { return tables_[static_cast<std::size_t>(k)]; }

  // The newest row of `path` = `value` first. Live documents only.
  std::vector<const json*> with(kind k, std::string_view path, std::string_view value) const;

  id_mint ids;
  event_log events;
  idempotency kept;
  std::int64_t now_s = 0;  // of the latest request
  account_clock clock;
  // A test clock that this request sends forward, and to when; the id is empty otherwise.
  std::pair<std::string, std::int64_t> advancing;
  billing_rules rules;

  std::string save() const;
  // Into a fresh world; false when the bytes are not a state of this version.
  bool load(std::string_view bytes);

 private:
  struct change {
    kind of;
    row_number number;
    bool inserted;
    record before;
  };
  table& of(kind k) { return tables_[static_cast<std::size_t>(k)]; }
  void put(kind k, std::string_view id, record now);
  record exchange(kind k, row_number row, record now);
  void take_back(const change& c);
  void enter(kind k, row_number row);  // into the timetable, and out of it
  void leave(kind k, row_number row);

  std::vector<table> tables_;
  std::vector<change> journal_;
  std::map<std::string, std::set<due>, std::less<>> timetable_;  // by test clock
};

}  // namespace tilld::sandbox
