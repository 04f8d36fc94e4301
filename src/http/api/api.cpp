// The subscription API: all of its endpoints.
#include <iterator>
#include <utility>
#include <vector>

#include "http/api/customers.hpp"
#include "http/api/endpoint.hpp"
#include "http/api/ordering.hpp"

namespace tilld::http {

namespace {

api::endpoint gateway() {
  api::endpoint row{"GET", "/api/gateway", "getGateway", "Orders",
                    "The way to Stripe: budget, queues and breaker."};
  row.gives = api::object({}).with_more().called("Gateway");
  row.run = [](const api::asked_ptr& asked, const responder& answer) {
    response ok;
    ok.body = asked->of.till.gateway_status(asked->scope);
    answer(std::move(ok));
  };
  return row;
}

void add(std::vector<api::endpoint>& to, std::vector<api::endpoint> more) {
  std::ranges::move(more, std::back_inserter(to));
}

}  // namespace

void add_api_routes(router& to, const house& h) {
  std::vector<api::endpoint> all;
  add(all, api::customer_endpoints());
  add(all, api::order_endpoints());
  all.push_back(gateway());
  api::serve(to, h, std::move(all));
}

}  // namespace tilld::http
