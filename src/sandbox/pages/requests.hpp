// Pages act as their visitors would through the API: by the same functions.
#pragma once

#include <string>
#include <vector>

#include "sandbox/machine/context.hpp"

namespace tilld::sandbox::pages {

// What the function of an endpoint answers to these (typed) parameters.
answer<json> ask(context& ctx, answer<json> (*act)(context&), json params,
                 std::vector<std::string> arguments = {}, const char* path = "");

// The card that somebody has typed, as a payment method; 402 as the API says it.
answer<json> card_of(context& ctx, const json& form);

}  // namespace tilld::sandbox::pages
