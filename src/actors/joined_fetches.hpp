// Reads that ask Stripe for the same thing at the same time share one call, so that a page that a
// thousand visitors open costs what one of them costs.
//
// Nobody may get an answer from before what he knows. So a fetch can be joined only until
//   - an order has come back: whoever was told of its end must not read what was true before it,
//   - an event has come in about the fetched object, or, for a list, about anything of its account:
//     its 200 says that the next read sees it.
// The fetch itself goes on for those who are in it; who comes later begins another.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "actors/facts.hpp"
#include "base/once.hpp"
#include "store/keys.hpp"

namespace tilld::actors {

// Of one thread; the answers may be given by any.
class joined_fetches {
 public:
  // True: somebody is asking just that (account, target, version, what is to be kept), and `answer`
  // will get it, too. Refetches and walks, which nobody waits for, are never joined.
  bool join(const fetch_request& wanted, const once<fetch_answer>& answer);

  // It is asked now. Its answer, given to `to_all`, is for the first and for all who join.
  struct opened {
    std::uint64_t ticket = 0;  // 0: it cannot be joined
    once<fetch_answer> to_all;
  };
  opened open(const fetch_request& wanted, once<fetch_answer> first);

  void came_back(const fetch_request& wanted, std::uint64_t ticket);
  void order_came_back();
  void event_came(const store::scope& scope, std::string_view object_id);

  std::size_t size() const noexcept { return open_.size(); }

 private:
  struct group;
  struct entry {
    std::uint64_t ticket = 0;
    std::shared_ptr<group> members;
  };
  void forget(const std::string& prefix);
  std::map<std::string, entry> open_;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace tilld::actors
