// A model of Stripe for one object: it lives through a random history, tells it in events as Stripe
// does, and answers questions about any moment of it. And a mirror that hears of it in any order,
// through core::decide alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/order.hpp"

namespace order_model {

using nlohmann::json;

// Chance as a tape of bytes, so that a run can be repeated and a property test can shrink it. An
// empty tape gives zeros: the plainest choices.
class chance {
 public:
  explicit chance(std::span<const std::uint8_t> tape) : tape_(tape) {}
  std::uint32_t below(std::uint32_t bound) {
    if (at_ == tape_.size()) return 0;
    return tape_[at_++] % bound;
  }
  bool one_in(std::uint32_t n) { return below(n) == n - 1; }

 private:
  std::span<const std::uint8_t> tape_;
  std::size_t at_ = 0;
};

std::vector<std::uint8_t> tape_of(std::uint64_t seed, std::size_t length);

struct event {
  std::string id;
  std::string type;
  std::int64_t ms = 0;
  std::string object_name;
  std::string object;
  std::string previous;

  tilld::core::event_fact fact() const {
    return {id, type, ms / 1000, object_name, object, previous};
  }
};

struct question {  // an API call of the application's own
  std::int64_t sent_ms = 0;
  std::int64_t true_ms = 0;
  std::int64_t answered_ms = 0;
};

struct history {
  std::string object_name;
  std::vector<std::pair<std::int64_t, json>> states;  // since when; null: not there
  std::vector<event> events;
  std::vector<question> questions;
  std::int64_t end_ms = 0;

  const json& state_at(std::int64_t ms) const;
  const json& last_state() const { return states.back().second; }
};

// Writes histories down, one change after the other.
class author {
 public:
  author(std::string object_name, std::int64_t start_ms);

  std::int64_t now_ms = 0;
  json object;  // the state now; null: not there

  void pass(std::int64_t ms) { now_ms += ms; }
  // The state becomes `next`, told by an event of this type, with previous_attributes if asked for.
  void change(const json& next, const std::string& type, bool with_previous);
  // An event that changes nothing, or tells the same change once more.
  void tell(const std::string& type);
  void tell_with_previous(const std::string& type, const json& before);
  void disappear(const std::string& type);
  void ask(std::int64_t before_ms, std::int64_t after_ms);

  history done() &&;

 private:
  history out_;
  int events_ = 0;
};

json previous_attributes(const json& before, const json& after);
history random_history(chance& choose);
// The kinds of objects that random_history() plays.
std::span<const std::string_view> played_objects();

struct tally {
  std::int64_t decisions = 0;
  std::int64_t refetch_verdicts = 0;
  std::int64_t refetch_calls = 0;
};

// Holds one row and every event seen, as the daemon does.
class mirror {
 public:
  void hear(const event& e);  // a repeated id is dropped
  void hear(const tilld::core::snapshot_fact& answer);

  bool suspect() const { return row_ && row_->at.suspect; }
  std::int64_t in_doubt_until_s() const { return row_->at.hi; }
  bool empty() const { return !row_; }
  bool deleted() const { return row_ && row_->at.deleted; }
  const std::string& document() const { return row_->document; }
  const tilld::core::stamp& at() const { return row_->at; }
  const tally& counted() const { return tally_; }
  std::string story() const { return story_; }  // for a failing test
  void keep_story() { tells_ = true; }
  void count_call() { ++tally_.refetch_calls; }
  std::int64_t decisions() const { return tally_.decisions; }

 private:
  struct row {
    tilld::core::stamp at;
    std::string document;
  };
  std::optional<tilld::core::held> current() const;
  std::vector<tilld::core::event_fact> peers(tilld::core::window time) const;
  void follow(tilld::core::verdict v, std::string_view what);

  std::optional<row> row_;
  std::vector<event> seen_;
  std::set<std::string> ids_;
  tally tally_;
  bool tells_ = false;
  std::string story_;
};

// What Stripe answers about the object between two moments.
tilld::core::snapshot_fact answer(const history& h, const question& q, std::string& bytes,
                                  bool refetch);

json without_nulls(const json& j);
// Does the mirror hold what the model ended with? Null and absent members are the same.
bool agrees(const mirror& m, const history& h);

struct delivery_plan {
  bool losses = false;
  bool rests = true;             // refetches wait until Stripe's clock is past the doubt
  bool knows_after_held = true;  // answers are told to be newer than the row where they are
};
// Delivers everything in an order of chance's choosing, answers refetches, catches up on losses.
void play(mirror& m, const history& h, chance& choose, const delivery_plan& plan);

}  // namespace order_model
