// The faces of tilld: which paths there are and what stands behind each. One file per face.
//
//   webhooks.cpp  POST /webhooks/stripe/{endpoint}        on the webhooks listener
//   v1.cpp        /v1/…                                    Stripe's own API: v1_reads, v1_orders
//   v2.cpp        /v2/…                                    Stripe's, in JSON: passed on
//   api/          /api/…, /openapi.json                    the subscription API
//   admin.cpp     /admin/api/…                             tokens and events, for the command line
//   ops.cpp       /healthz, /readyz, /metrics
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "actors/till.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "http/auth.hpp"
#include "http/router.hpp"

namespace tilld::http {

// A configured account, as HTTP sees it.
struct served_account {
  store::scope scope;
  std::string api_version;             // the pinned one
  std::vector<std::string> secrets{};  // of its webhook endpoint; several while they are rotated
  std::int64_t tolerance_s = 300;
};

struct house {
  actors::till& till;
  const clock& time;
  metrics& counts;
  token_table& tokens;
  std::map<std::string, served_account> accounts;  // by name; at least one

  // The one that the guard found for this request.
  const served_account& account_of(const request& r) const { return accounts.at(r.account); }
  std::string account_names() const;  // "main, shop": for people
};

// Asks for a token on every path but /healthz, /readyz, /metrics and /openapi.json: read for GET,
// write for the rest, admin under /admin. Then finds the account that the request is about: the
// token's own, else the one that the header Tilld-Account names, else the only one there is. Errors
// in Stripe's shape.
router::guard token_guard(const house& h);

void add_webhook_routes(router& to, const house& h);
void add_v1_routes(router& to, const house& h);
void add_v2_routes(router& to, const house& h);
void add_api_routes(router& to, const house& h);
void add_admin_routes(router& to, const house& h);
// `parts` says, for each part of the daemon, whether it is ready.
void add_ops_routes(router& to, const house& h,
                    std::function<std::vector<actors::part_state>()> parts);

}  // namespace tilld::http
