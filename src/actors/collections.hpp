// Which collections the mirror holds whole: those that have been walked from end to end at Stripe,
// and of which every new object is told by an event since. Their lists are answered here; others
// are Stripe's to answer.
//
// What Stripe lists by its owner only (a customer's payment methods and tax IDs) is whole owner by
// owner: once the owner's list has been walked, or has passed by on one page. A mark ends when an
// event tells of something that comes into the list without an event of its own.
//
// A walk begins when a list is first wanted, and goes page by page in the gateway's last lane. What
// changes meanwhile comes by events, as ever.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "actors/facts.hpp"
#include "base/clock.hpp"
#include "base/once.hpp"
#include "store/store.hpp"

namespace tilld::actors {

class collections {
 public:
  using fetch = std::function<void(fetch_request, once<fetch_answer>)>;
  using commit = std::function<void(store::batch, once<result<void>>)>;
  collections(const store::reader& store, const clock& time, fetch ask, commit keep);

  // Thread-safe, do not block. `owner` is empty for the collection.
  bool is_complete(const store::scope& scope, std::string_view object_name,
                   std::string_view owner = {}) const;
  // Begins a walk unless there is one, or it could not make the collection whole, or too many
  // owners are being walked.
  void want(const store::scope& scope, std::string_view object_name, std::string_view owner = {});

  // For a list that is passed on: how things stand before it is asked, and, once the whole of it is
  // on disk, that it has been.
  struct standing {
    std::string key;
    std::optional<std::string> mark;
    std::int64_t since_ms = 0;
  };
  standing before_list(const store::scope& scope, std::string_view object_name,
                       std::string_view owner) const;
  void was_listed(const standing& before);

  // Adds to `into` that the owner's list is not known any more. `why` is never twice the same.
  static void end_mark(store::batch& into, const store::scope& scope, std::string_view object_name,
                       std::string_view owner, std::string_view why);

  void stop();  // nothing is asked or kept any more

 private:
  struct walk {
    store::scope scope;
    std::string object_name;
    std::string path;
    standing before;
  };
  static constexpr std::size_t most_walks = 200;
  void step(const walk& w, const std::string& after);
  void page(const walk& w, const fetch_answer& answer);
  void mark(const standing& before, once<result<void>> answer);
  void finish(const walk& w);
  void give_up(const walk& w, const std::string& why);

  const store::reader& store_;
  const clock& time_;
  fetch ask_;
  commit keep_;
  // Held while something is sent, so that nothing is after stop(). An answer may come at once.
  std::recursive_mutex mutex_;
  bool stopped_ = false;
  std::map<std::string, std::int64_t> walks_;  // by row key; not before (0: under way)
};

}  // namespace tilld::actors
