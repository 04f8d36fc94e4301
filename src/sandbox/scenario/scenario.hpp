// Scenarios: a story of an account, line by line, with what must be true on the way.
//
//   # a comment
//   at 2026-01-01                         the clock is frozen there (also before anything else)
//   settings after_retries=unpaid retry_days=1,3
//   let gold = POST /v1/prices currency=usd unit_amount=2000 recurring[interval]=month …
//   POST /v1/subscriptions/$sub cancel_at_period_end=true        GET, DELETE likewise
//   card $ada pm_card_chargeCustomerFail  attached, and the default from now on
//   advance 1 month                       through every boundary on the way; or to a date
//   authenticate $pi pass                 what a customer does at the bank's page: pass or fail
//   deliver [shuffled SEED] [twice]       what has been told goes to the application's webhook
//   expect subscription $sub past_due     kind, object, status
//   expect $sub latest_invoice.status=paid total>=100 discounts.0!=null
//   expect events invoice.paid …          all of them since the last line that did something
//   expect no event customer.subscription.deleted
//   expect refused 402 code=card_declined the request before was; unexpected refusals fail
//   expect count 3 /v1/invoices subscription=$sub
//
// A $name stands for the id of what was made, $name.path for a member of it as it is now; a path
// goes through ids to what they name. Words with blanks stand in "quotes".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/simulator.hpp"

namespace tilld::sandbox {

// Hands events to an application and answers what went wrong; empty: all were taken.
using delivery = std::function<std::string(const std::vector<emitted>&)>;

struct scenario_result {
  int steps = 0;  // lines that did or checked something
  int line = 0;   // where it failed; 0: it did not
  std::string why;
};

// Runs it on a fresh simulator; stops at the first line that fails.
scenario_result run_scenario(std::string_view text, const delivery& deliver);

}  // namespace tilld::sandbox
