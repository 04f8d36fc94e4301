// Customers by the application's own user ids.
#pragma once

#include <vector>

#include "http/api/endpoint.hpp"

namespace tilld::http::api {

std::vector<endpoint> customer_endpoints();

}  // namespace tilld::http::api
