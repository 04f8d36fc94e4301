// Objects as GET answers them: what is kept once and shown in several places is put together
// here, so that a renamed price is renamed in every subscription that shows it.
#pragma once

#include <string>
#include <string_view>

#include "sandbox/machine/kinds.hpp"
#include "sandbox/machine/world.hpp"

namespace tilld::sandbox {

// Lists inside objects show this many; the rest is behind their url.
inline constexpr std::size_t embedded_list_limit = 10;

// Null when there is no such object. A stub for a deleted one.
json view(const world& w, kind k, std::string_view id);
json view_of(const world& w, kind k, const json& document);

// The plan that Stripe still shows beside every recurring price; it is the price in older words.
json plan_of_price(const json& price);

// Members that are absent until somebody expands them: subscriptions of a customer, refunds of a
// charge, payments of an invoice … Sets the member if the object has such a one.
void include_member(const world& w, json& object, std::string_view member);
enum class inclusion { none, simulated, not_simulated };
inclusion can_include(std::string_view object, std::string_view member);

}  // namespace tilld::sandbox
