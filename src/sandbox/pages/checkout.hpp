// Checkout sessions: made by the API, completed on a page or by a call.
// Source: https://docs.stripe.com/api/checkout/sessions
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::checkout {

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> expire(context& ctx);
answer<json> list(context& ctx);
answer<json> line_items(context& ctx);

// Its 24 hours are over.
void fall_due(context& ctx, const std::string& id);

// Line items, of sessions and of payment links: read from a parameter, of one currency; put into
// the world behind the object that has them; and with another quantity.
params::schema line_fields();
answer<std::vector<json>> read_lines(context& ctx, const json& given);
void insert_lines(context& ctx, std::vector<json> items, const std::string& parent);
void set_quantity(const context& ctx, json& item, std::int64_t quantity);
std::vector<json> items_of(const context& ctx, const std::string& parent);  // oldest first

// Discounts and tax rates (checkout_terms.cpp): what the session costs with them; the parameter's
// discount, or the one of a code that somebody has typed; and, once it is paid, what becomes of it:
// a subscription redeems the discounts itself, a payment counts them as redeemed.
void reckon(context& ctx, const std::string& session);
answer<void> take_discounts(context& ctx, const std::string& session, const json& given,
                            const std::string& param);
answer<void> apply_code(context& ctx, const std::string& session, const std::string& code);
json discounts_to_redeem(const json& session);
void redeem(context& ctx, const std::string& session);

// The customer has paid, or saved a card, with what stands in `form`: email, name, number, expiry,
// cvc. What comes of it: nothing more to do, or an intent that wants to be authenticated first.
struct completion {
  std::string authenticate;  // an intent's id; empty: the session is complete
};
answer<completion> complete(context& ctx, const std::string& id, const json& form);
// The customer is back from authenticating; 402 when it has failed.
answer<void> come_back(context& ctx, const std::string& id);
// An intent has been authenticated: a session that waits for it goes on, if it is good.
void follow(context& ctx, const std::string& intent);
// What waits for authentication is given up: an intent, a subscription that has not begun.
void let_go(context& ctx, json& session);

// Whether it can be completed without a card: there is nothing to pay now.
bool may_go_without_card(const json& session);

}  // namespace tilld::sandbox::checkout
