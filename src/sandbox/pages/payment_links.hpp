// Payment links: an address that anybody may open, and each time a checkout session of its own.
// Source: https://docs.stripe.com/payment-links/api
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::payment_links {

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> list(context& ctx);
answer<json> line_items(context& ctx);

// Somebody has opened the link with these query parameters: their session, for a redirection.
// Refused, with the sentence for the visitor, when the link is not active.
answer<json> open(context& ctx, const std::string& id, const json& query);

// A session of it is complete. The last one that its restrictions allow closes it.
void session_completed(context& ctx, const std::string& id);

}  // namespace tilld::sandbox::payment_links
