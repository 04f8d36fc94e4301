// The hosted pages, as functions: a visit in, HTML or a redirection out.
//
//   /c/pay/{checkout session}         pays, subscribes, or saves a card
//   /b/{payment link}                 makes a checkout session and leads to it; thanks afterwards
//   /p/session/{portal session}       cancels, keeps, changes the card
//   /i/{invoice}                      shows an invoice and pays it
//   /redirect/authenticate/{intent}   the bank's question, 3-D Secure
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/simulator.hpp"

namespace tilld::sandbox::pages {

bool is_page(std::string_view path);

// What the visit does stands, also when it is refused (a declined card has left its charge).
page visit(context& ctx, const page_visit& v);

}  // namespace tilld::sandbox::pages
