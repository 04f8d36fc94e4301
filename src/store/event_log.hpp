// The log of events as people look at it: newest first, or only what failed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/keys.hpp"
#include "store/records.hpp"
#include "store/store.hpp"

namespace tilld::store {

struct event_filter {
  std::size_t limit = 20;
  bool failed_only = false;
  std::string type;      // exact, or a prefix that ends in '*'; empty: any
  std::string customer;  // empty: any
};

struct listed_event {
  std::string id;
  std::string type;
  std::string object_name;
  std::string object_id;
  std::string customer;
  std::int64_t created_s = 0;
  std::int64_t received_ms = 0;
  event_status status = event_status::applied;
  std::string reason;
  int tries = 1;
};

// Newest arrival first. Errors: unavailable, corrupt.
result<std::vector<listed_event>> list_events(const reader& from, const scope& s,
                                              const event_filter& filter);
// Errors: not_found.
result<event_record> load_event(const reader& from, const scope& s, std::string_view id);
listed_event summary_of(const event_record& record);

}  // namespace tilld::store
