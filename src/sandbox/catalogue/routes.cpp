// What is sold, for how much, and what it entitles to: which endpoint is answered by which
// function.
#include "sandbox/machine/routes.hpp"

#include "sandbox/catalogue/coupons.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/entitlements.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/catalogue/products.hpp"
#include "sandbox/catalogue/tax_rates.hpp"

namespace tilld::sandbox {

namespace {

// clang-format off
constexpr route rows[] = {
    {"POST", "/v1/products", products::create, products::create_takes},
    {"GET", "/v1/products", products::list, products::list_takes},
    {"GET", "/v1/products/{id}", products::retrieve, no_params},
    {"POST", "/v1/products/{id}", products::update, products::update_takes},
    {"DELETE", "/v1/products/{id}", products::remove, no_params},
    {"POST", "/v1/prices", prices::create, prices::create_takes},
    {"GET", "/v1/prices", prices::list, prices::list_takes},
    {"GET", "/v1/prices/{id}", prices::retrieve, no_params},
    {"POST", "/v1/prices/{id}", prices::update, prices::update_takes},
    {"GET", "/v1/plans", prices::plan_list, prices::plan_list_takes},
    {"GET", "/v1/plans/{id}", prices::plan_retrieve, no_params},
    {"POST", "/v1/coupons", coupons::create, coupons::create_takes},
    {"GET", "/v1/coupons", coupons::list, coupons::list_takes},
    {"GET", "/v1/coupons/{id}", coupons::retrieve, no_params},
    {"POST", "/v1/coupons/{id}", coupons::update, coupons::update_takes},
    {"DELETE", "/v1/coupons/{id}", coupons::remove, no_params},
    {"POST", "/v1/promotion_codes", coupons::code_create, coupons::code_create_takes},
    {"GET", "/v1/promotion_codes", coupons::code_list, coupons::code_list_takes},
    {"GET", "/v1/promotion_codes/{id}", coupons::code_retrieve, no_params},
    {"POST", "/v1/promotion_codes/{id}", coupons::code_update, coupons::code_update_takes},
    {"DELETE", "/v1/customers/{id}/discount", discounts::remove_from_customer, no_params},
    {"DELETE", "/v1/subscriptions/{id}/discount", discounts::remove_from_subscription, no_params},
    {"POST", "/v1/tax_rates", tax_rates::create, tax_rates::create_takes},
    {"GET", "/v1/tax_rates", tax_rates::list, tax_rates::list_takes},
    {"GET", "/v1/tax_rates/{id}", tax_rates::retrieve, no_params},
    {"POST", "/v1/tax_rates/{id}", tax_rates::update, tax_rates::update_takes},
    {"POST", "/v1/entitlements/features",
     entitlements::feature_create, entitlements::feature_create_takes},
    {"GET", "/v1/entitlements/features",
     entitlements::feature_list, entitlements::feature_list_takes},
    {"GET", "/v1/entitlements/features/{id}", entitlements::feature_retrieve, no_params},
    {"POST", "/v1/entitlements/features/{id}",
     entitlements::feature_update, entitlements::feature_update_takes},
    {"GET", "/v1/entitlements/active_entitlements",
     entitlements::active_list, entitlements::active_list_takes},
    {"GET", "/v1/entitlements/active_entitlements/{id}", entitlements::active_retrieve, no_params},
    {"POST", "/v1/products/{id}/features", entitlements::attach, entitlements::attach_takes},
    {"GET", "/v1/products/{id}/features", entitlements::attached_list, no_params},
    {"GET", "/v1/products/{productId}/features/{id}", entitlements::attached_retrieve, no_params},
    {"DELETE", "/v1/products/{productId}/features/{id}", entitlements::detach, no_params},
};
// clang-format on

}  // namespace

std::span<const route> catalogue_routes() {
  return rows;
}

}  // namespace tilld::sandbox
