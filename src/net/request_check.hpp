// Is a request fit to leave? Looked at before any byte of it does, so that a header value with a
// line break in it can never become a header of its own.
#pragma once

#include <string>

#include "base/error.hpp"
#include "net/client.hpp"

namespace tilld::net {

// The request's origin for queues and messages: "https://api.stripe.com:443". invalid, with a
// message that quotes neither value nor query, when the request must not be sent.
result<std::string> check_request(const request& r);

// May libcurl send it a second time by itself? See "Sent once, or twice?" in net/client.hpp.
bool may_be_resent(const request& r);

}  // namespace tilld::net
