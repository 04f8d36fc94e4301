// What is done on hosted pages: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

#include "sandbox/pages/checkout.hpp"
#include "sandbox/pages/payment_links.hpp"
#include "sandbox/pages/portal.hpp"

namespace tilld::sandbox {

namespace {

// clang-format off
constexpr route rows[] = {
    {"POST", "/v1/checkout/sessions", checkout::create, checkout::create_takes},
    {"GET", "/v1/checkout/sessions", checkout::list, checkout::list_takes},
    {"GET", "/v1/checkout/sessions/{id}", checkout::retrieve, no_params},
    {"POST", "/v1/checkout/sessions/{id}", checkout::update, checkout::update_takes},
    {"POST", "/v1/checkout/sessions/{id}/expire", checkout::expire, no_params},
    {"GET", "/v1/checkout/sessions/{id}/line_items", checkout::line_items, no_params},
    {"POST", "/v1/payment_links", payment_links::create, payment_links::create_takes},
    {"GET", "/v1/payment_links", payment_links::list, payment_links::list_takes},
    {"GET", "/v1/payment_links/{id}", payment_links::retrieve, no_params},
    {"POST", "/v1/payment_links/{id}", payment_links::update, payment_links::update_takes},
    {"GET", "/v1/payment_links/{id}/line_items", payment_links::line_items, no_params},
    {"POST", "/v1/billing_portal/configurations",
     portal::configuration_create, portal::configuration_create_takes},
    {"GET", "/v1/billing_portal/configurations",
     portal::configuration_list, portal::configuration_list_takes},
    {"GET", "/v1/billing_portal/configurations/{id}", portal::configuration_retrieve, no_params},
    {"POST", "/v1/billing_portal/configurations/{id}",
     portal::configuration_update, portal::configuration_update_takes},
    {"POST", "/v1/billing_portal/sessions", portal::session_create, portal::session_takes},
};
// clang-format on

}  // namespace

std::span<const route> pages_routes() {
  return rows;
}

}  // namespace tilld::sandbox
