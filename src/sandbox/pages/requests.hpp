// What visitors of a page type, as the API takes it.
#pragma once

#include "sandbox/machine/context.hpp"

namespace tilld::sandbox::pages {

// The card that somebody has typed, as a payment method; 402 as the API says it.
answer<json> card_of(context& ctx, const json& form);

}  // namespace tilld::sandbox::pages
