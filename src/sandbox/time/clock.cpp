#include "sandbox/time/clock.hpp"

#include <algorithm>
#include <array>
#include <exception>

#include "sandbox/account/tax_ids.hpp"
#include "sandbox/billing/dunning.hpp"
#include "sandbox/catalogue/coupons.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/pages/checkout.hpp"
#include "sandbox/payments/disputes.hpp"
#include "sandbox/payments/payment_intents.hpp"
#include "sandbox/payments/refunds.hpp"
#include "sandbox/subscriptions/cycle.hpp"
#include "sandbox/subscriptions/quotes.hpp"
#include "sandbox/subscriptions/schedules.hpp"
#include "sandbox/time/due.hpp"
#include "sandbox/time/test_clocks.hpp"

namespace tilld::sandbox::time {

namespace {

// What a kind does when it is due. A kind that keeps a "_due" has its row here.
struct mover {
  kind of;
  void (*act)(context& ctx, const std::string& id);
};
constexpr std::array movers = {
    mover{kind::subscription, subscriptions::fall_due},
    mover{kind::invoice, dunning::fall_due},
    mover{kind::discount, discounts::fall_due},
    mover{kind::coupon, coupons::expire},
    mover{kind::promotion_code, coupons::expire_code},
    mover{kind::payment_intent, payment_intents::fall_due},
    mover{kind::refund, refunds::fall_due},
    mover{kind::tax_id, tax_ids::fall_due},
    mover{kind::dispute, disputes::fall_due},
    mover{kind::checkout_session, checkout::fall_due},
    mover{kind::subscription_schedule, schedules::fall_due},
    mover{kind::quote, quotes::fall_due},
    mover{kind::test_clock, test_clocks::fall_due},
};

void move(context& ctx, const due& d) {
  const std::string id = text_of(std::as_const(ctx.state).of(d.of).at(d.row).document, "id");
  const auto* it =
      std::find_if(movers.begin(), movers.end(), [&](const mover& m) { return m.of == d.of; });
  if (it == movers.end()) {
    throw std::logic_error("nothing moves a " + std::string(row_of(d.of).object));
  }
  it->act(ctx, id);
  ctx.settle();
}

std::string clock_by_id(const world& state, const std::string& id) {
  for (const auto& row : all_kinds()) {
    const json* found = state.find_live(row.of, id);
    if (found == nullptr) continue;
    return clock_of(*found);
  }
  return {};
}

}  // namespace

int run(world& state, const account_facts& facts, const std::string& clock, std::int64_t to_s) {
  int broken = 0;
  for (auto next = state.next_due(clock); next && next->at_s <= to_s;
       next = state.next_due(clock)) {
    context ctx(state, facts, next->at_s);
    ctx.clock = clock;
    state.begin();
    try {
      move(ctx, *next);
      if (state.next_due(clock) == next) throw std::logic_error("it is due for ever");
      state.commit();
    } catch (const std::exception&) {
      state.rollback();
      state.put_aside(clock, *next);
      ++broken;
    }
  }
  return broken;
}

std::string clock_of_request(const context& ctx) {
  if (std::as_const(ctx.state).of(kind::test_clock).size() == 0) return {};
  const std::string named = ctx.text("test_clock");
  if (ctx.state.find_live(kind::test_clock, named) != nullptr) return named;
  for (const char* name : {"customer", "subscription", "invoice", "payment_intent", "charge",
                           "from_subscription", "quote", "setup_intent"}) {
    const std::string id = ctx.text(name);
    if (id.empty()) continue;
    if (std::string clock = clock_by_id(ctx.state, id); !clock.empty()) return clock;
  }
  for (const auto& id : ctx.arguments) {
    if (std::string clock = clock_by_id(ctx.state, id); !clock.empty()) return clock;
  }
  return {};
}

void go_by(context& ctx, const std::string& clock) {
  const json* found = ctx.state.find_live(kind::test_clock, clock);
  if (found == nullptr) return;
  ctx.clock = clock;
  ctx.now = number_of(*found, "frozen_time");
}

}  // namespace tilld::sandbox::time
