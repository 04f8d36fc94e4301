// What an account's owner sets in Stripe's dashboard and the API does not tell, and the account's
// own clock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/machine/failure.hpp"

namespace tilld::sandbox {

// Real time, or a time of somebody's choice.
struct account_clock {
  bool frozen = false;
  std::int64_t s = 0;  // frozen: the time that it shows; else what is added to real time

  std::int64_t at(std::int64_t real_s) const { return frozen ? s : real_s + s; }
};

struct billing_rules {
  // Days between one attempt to collect an invoice and the next, the first after the first failure.
  // Stripe's Smart Retries make up to 8 within two weeks, at times that it does not publish.
  // Source: https://docs.stripe.com/billing/revenue-recovery/smart-retries
  std::vector<std::int64_t> retry_days = {1, 1, 2, 2, 2, 2, 2, 2};
  // What becomes of a subscription when they are used up: "cancel", "unpaid" or "past_due".
  std::string after_retries = "cancel";
  std::int64_t upcoming_days = 7;  // invoice.upcoming comes so long before a renewal
  std::int64_t draft_s = 3600;     // how long a renewal's invoice stays a draft
  // How old an object must be to be found by a search. Stripe: mostly under a minute.
  // Source: https://docs.stripe.com/search#data-freshness
  std::int64_t search_lag_s = 0;
  std::int64_t keys_kept_s = 24 * 3600;  // idempotency keys; Stripe: at least a day
};

json rules_text(const billing_rules& rules);
billing_rules rules_of(const json& text);  // of rules_text

// The rules with the given members changed; 400 with a sentence that names a wrong one.
answer<billing_rules> changed_rules(billing_rules rules, const json& given);

}  // namespace tilld::sandbox
