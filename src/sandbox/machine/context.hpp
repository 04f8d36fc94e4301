// One request while it is answered: its parameters, its time, and what a handler may do to the
// world. Events that a handler emits are snapshots of that moment.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/machine/failure.hpp"
#include "sandbox/machine/kinds.hpp"
#include "sandbox/machine/view.hpp"
#include "sandbox/machine/world.hpp"
#include "stripe/catalogue.hpp"

namespace tilld::sandbox {

struct account_facts {
  std::string id;
  std::string country = "US";
  std::string currency = "usd";
  std::string name = "Sandbox";
  // The own account's world, for a connected one, whose own document is there; nullptr otherwise.
  const world* platform = nullptr;
  std::string base_url;  // "http://127.0.0.1:12111", where the hosted pages are; empty: nowhere

  bool connected() const { return platform != nullptr; }
  // A hosted page: here, or where Stripe would have it.
  std::string page(const char* at_stripe, const std::string& path) const {
    return (base_url.empty() ? std::string(at_stripe) : base_url) + path;
  }
};

class context {
 public:
  context(world& w, const account_facts& account, std::int64_t now_s)
      : state(w), facts(account), now(now_s) {}

  world& state;
  const account_facts& facts;
  std::int64_t now;
  std::string clock;  // the test clock whose time `now` is; empty: the account's own

  // The request. All empty when Stripe acts by itself (a clock, a retry).
  const stripe::endpoint_row* endpoint = nullptr;
  std::string path;
  std::vector<std::string> arguments;  // of the path's {placeholders}
  json params = json::object();        // checked and typed
  std::string request_id;
  std::string idempotency_key;
  bool foresees = false;  // for a preview: drafts are made, nothing is finalized or collected

  // Parameters. Absent and cleared ("") are null both; given() tells them apart.
  bool given(std::string_view name) const { return params.contains(name); }
  const json& param(std::string_view name) const;
  std::string text(std::string_view name) const { return text_of(params, name); }
  std::int64_t number(std::string_view name) const { return number_of(params, name); }
  bool truth(std::string_view name) const { return truth_of(params, name); }
  // Puts the given ones of `names` into the document as they are.
  void copy_given(json& document, std::initializer_list<const char*> names) const;

  // A new document of a kind: every field, an id, created and livemode. Not yet in the world.
  json make(kind k);

  // A copy of the live object that the path (404) or a parameter (400) names.
  answer<json> object(kind k, const std::string& id) const;
  answer<json> object() const;  // the path's kind and first argument
  answer<json> referred(kind k, const std::string& id, std::string_view param) const;

  json shown(kind k, std::string_view id) const { return view(state, k, id); }

  void emit(std::string type, kind k, std::string_view id);
  void emit_object(std::string type, json object, json previous = nullptr);
  // Nothing when nothing a reader could see has changed since `before`.
  void emit_updated(std::string type, kind k, std::string_view id, const json& before);

  // Changes a document and tells: replace, then emit_updated.
  void update(std::string type, kind k, json document);

  // Does `act` and takes back all that it did: what would be, for previews. Gives what it gives.
  template <class Act>
  auto as_if(const Act& act) {
    const auto before = state.here();
    const auto kept = watched_;
    const auto time = now;
    auto seen = act();
    state.back_to(before);
    watched_ = kept;
    now = time;
    return seen;
  }

  // A customer that billing touches on the way (currency, sequence, balance, delinquent) has one
  // customer.updated when everything else is told.
  void watch_customer(const std::string& id);
  void settle();

 private:
  std::vector<std::pair<std::string, json>> watched_;
};

// metadata as a parameter changes it: a null clears all, "" deletes a key, anything else sets it.
answer<void> merge_metadata(json& document, const json& given);
// A hash of leaves the same way (address, shipping …): given leaves replace, the rest stays.
void merge_hash(json& into, const json& given);

}  // namespace tilld::sandbox
