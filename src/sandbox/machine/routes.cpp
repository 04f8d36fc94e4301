#include "sandbox/machine/routes.hpp"

#include <unordered_map>

namespace tilld::sandbox {

namespace {

using by_endpoint = std::unordered_map<const stripe::endpoint_row*, const route*>;

by_endpoint make_index() {
  by_endpoint index;
  for (const auto& endpoint : stripe::catalogue::instance().endpoints()) {
    for (const auto& row : routes()) {
      if (endpoint.verb == row.verb && endpoint.path == row.path) index[&endpoint] = &row;
    }
  }
  return index;
}

}  // namespace

const params::schema& no_params() {
  static const params::schema none;
  return none;
}

const std::vector<route>& routes() {
  static const std::vector<route> all = [] {
    std::vector<route> rows;
    for (const auto folder :
         {account_routes(), payments_routes(), catalogue_routes(), billing_routes(),
          subscriptions_routes(), time_routes(), pages_routes(), usage_routes(), search_routes()}) {
      rows.insert(rows.end(), folder.begin(), folder.end());
    }
    return rows;
  }();
  return all;
}

const route* route_of(const stripe::endpoint_row* endpoint) {
  static const by_endpoint index = make_index();
  const auto it = index.find(endpoint);
  return it == index.end() ? nullptr : it->second;
}

}  // namespace tilld::sandbox
