// The accounts of one sandbox: its own, and those that are connected to it, each with its own
// objects, events, ids and idempotency keys. They share the own account's clock and settings.
// Source: https://docs.stripe.com/connect/authentication
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "sandbox/machine/context.hpp"

namespace tilld::sandbox {

// One account's.
struct books {
  account_facts facts;
  world state;
};

class accounts {
 public:
  accounts(std::string own_id, std::uint64_t seed);

  books& own() { return own_; }
  const books& own() const { return own_; }

  // Those of a Stripe-Account header (empty: the own ones); nullptr where the key has no access.
  books* of(std::string_view id);
  // Those in which an object of that id is; the own ones when it is nowhere.
  books& holding(std::string_view object_id);

  // The own ones first.
  void each(const std::function<void(books&)>& act);
  void each(const std::function<void(const books&)>& act) const;

  void set_base_url(const std::string& url);
  void reset();

  std::string save() const;
  bool load(std::string_view bytes);  // false and nothing changed when they are no such state

 private:
  books& open(const std::string& id);

  std::uint64_t seed_;
  books own_;
  std::map<std::string, std::unique_ptr<books>, std::less<>> connected_;
};

}  // namespace tilld::sandbox
