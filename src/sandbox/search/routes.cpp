// Search: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

#include "sandbox/search/search.hpp"

namespace tilld::sandbox {

namespace {

constexpr route rows[] = {
    {"GET", "/v1/charges/search", search::find, search::takes},
    {"GET", "/v1/customers/search", search::find, search::takes},
    {"GET", "/v1/invoices/search", search::find, search::takes},
    {"GET", "/v1/payment_intents/search", search::find, search::takes},
    {"GET", "/v1/prices/search", search::find, search::takes},
    {"GET", "/v1/products/search", search::find, search::takes},
    {"GET", "/v1/subscriptions/search", search::find, search::takes},
};

}  // namespace

std::span<const route> search_routes() {
  return rows;
}

}  // namespace tilld::sandbox
