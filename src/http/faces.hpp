// The faces of tilld: which paths there are and what stands behind each. One file per face.
//
//   webhooks.cpp  POST /webhooks/stripe/{endpoint}        on the webhooks listener
//   v1.cpp        /v1/…                                    Stripe's own API; v1_reads.cpp: GET
//   api.cpp       /api/…                                   the subscription API
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

// Where Stripe's events come in: one per configured account.
struct webhook_endpoint {
  store::scope scope;
  std::vector<std::string> secrets;  // several while they are rotated
  std::int64_t tolerance_s = 300;
};

struct house {
  actors::till& till;
  const clock& time;
  metrics& counts;
  token_table& tokens;
  std::map<std::string, webhook_endpoint> endpoints;
  store::scope scope;       // of the account that /v1 and /api speak of
  std::string api_version;  // the pinned one
  std::string user_id_metadata;
};

// Asks for a token on every path but /healthz, /readyz and /metrics: read for GET, write for the
// rest, admin under /admin. Errors in Stripe's shape.
router::guard token_guard(const house& h);

void add_webhook_routes(router& to, const house& h);
void add_v1_routes(router& to, const house& h);
void add_api_routes(router& to, const house& h);
void add_admin_routes(router& to, const house& h);
// `parts` says, for each part of the daemon, whether it is ready.
void add_ops_routes(router& to, const house& h,
                    std::function<std::vector<actors::part_state>()> parts);

}  // namespace tilld::http
