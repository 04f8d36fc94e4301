// POST and DELETE of the /v1 face: checked, then handed to the outbox.
#pragma once

#include "http/faces.hpp"

namespace tilld::http {

// Answers with what Stripe answers, once it is on disk; or with an error in Stripe's shape that
// says what is wrong with the request, which then has had no effect.
void take_v1_order(const house& h, const request& r, const responder& answer);

}  // namespace tilld::http
