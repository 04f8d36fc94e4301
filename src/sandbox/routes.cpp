#include "sandbox/routes.hpp"

#include <cstring>
#include <unordered_map>

#include "sandbox/account.hpp"
#include "sandbox/balance.hpp"
#include "sandbox/charges.hpp"
#include "sandbox/coupons.hpp"
#include "sandbox/customers.hpp"
#include "sandbox/entitlements.hpp"
#include "sandbox/invoiceitems.hpp"
#include "sandbox/invoices.hpp"
#include "sandbox/payment_intents.hpp"
#include "sandbox/payment_methods.hpp"
#include "sandbox/prices.hpp"
#include "sandbox/products.hpp"
#include "sandbox/refunds.hpp"
#include "sandbox/setup_intents.hpp"
#include "sandbox/subscriptions.hpp"

namespace tilld::sandbox {

namespace {

namespace intents = payment_intents;
namespace methods = payment_methods;
namespace rights = entitlements;
namespace setups = setup_intents;
namespace subs = subscriptions;

const params::schema& nothing() {
  static const params::schema none;
  return none;
}

// clang-format off
constexpr route every_route[] = {
    // The account
    {"GET",   "/v1/account",                     account::retrieve,       nothing},
    {"GET",   "/v1/balance",                     balance::retrieve_balance, nothing},
    {"GET",   "/v1/balance_transactions",        balance::list,           balance::list_takes},
    {"GET",   "/v1/balance_transactions/{id}",   balance::retrieve,       nothing},
    {"GET",   "/v1/events",
               account::event_list,     account::event_list_takes},
    {"GET",   "/v1/events/{id}",                 account::event_retrieve, nothing},
    {"POST",  "/v1/webhook_endpoints",
               account::endpoint_create, account::endpoint_create_takes},
    {"GET",   "/v1/webhook_endpoints",           account::endpoint_list,  nothing},
    {"GET",   "/v1/webhook_endpoints/{id}",      account::endpoint_retrieve, nothing},
    {"POST",  "/v1/webhook_endpoints/{id}",
               account::endpoint_update, account::endpoint_update_takes},
    {"DELETE", "/v1/webhook_endpoints/{id}",      account::endpoint_remove, nothing},

    // What is sold
    {"POST",  "/v1/products",                    products::create,        products::create_takes},
    {"GET",   "/v1/products",                    products::list,          products::list_takes},
    {"GET",   "/v1/products/{id}",               products::retrieve,      nothing},
    {"POST",  "/v1/products/{id}",               products::update,        products::update_takes},
    {"DELETE", "/v1/products/{id}",               products::remove,        nothing},
    {"POST",  "/v1/prices",                      prices::create,          prices::create_takes},
    {"GET",   "/v1/prices",                      prices::list,            prices::list_takes},
    {"GET",   "/v1/prices/{id}",                 prices::retrieve,        nothing},
    {"POST",  "/v1/prices/{id}",                 prices::update,          prices::update_takes},
    {"GET",   "/v1/plans",                       prices::plan_list,       prices::plan_list_takes},
    {"GET",   "/v1/plans/{id}",                  prices::plan_retrieve,   nothing},
    {"POST",  "/v1/coupons",                     coupons::create,         coupons::create_takes},
    {"GET",   "/v1/coupons",                     coupons::list,           coupons::list_takes},
    {"GET",   "/v1/coupons/{id}",                coupons::retrieve,       nothing},
    {"POST",  "/v1/coupons/{id}",                coupons::update,         coupons::update_takes},
    {"DELETE", "/v1/coupons/{id}",                coupons::remove,         nothing},
    {"POST",  "/v1/promotion_codes",
               coupons::code_create,    coupons::code_create_takes},
    {"GET",   "/v1/promotion_codes",             coupons::code_list,      coupons::code_list_takes},
    {"GET",   "/v1/promotion_codes/{id}",        coupons::code_retrieve,  nothing},
    {"POST",  "/v1/promotion_codes/{id}",
               coupons::code_update,    coupons::code_update_takes},

    // What may be used
    {"POST",  "/v1/entitlements/features",
               rights::feature_create,  rights::feature_create_takes},
    {"GET",   "/v1/entitlements/features",
               rights::feature_list,    rights::feature_list_takes},
    {"GET",   "/v1/entitlements/features/{id}",  rights::feature_retrieve, nothing},
    {"POST",  "/v1/entitlements/features/{id}",
               rights::feature_update,  rights::feature_update_takes},
    {"GET",   "/v1/entitlements/active_entitlements",
               rights::active_list,     rights::active_list_takes},
    {"GET",   "/v1/entitlements/active_entitlements/{id}",
               rights::active_retrieve, nothing},
    {"POST",  "/v1/products/{id}/features",      rights::attach,          rights::attach_takes},
    {"GET",   "/v1/products/{id}/features",      rights::attached_list,   nothing},
    {"GET",   "/v1/products/{productId}/features/{id}",
               rights::attached_retrieve, nothing},
    {"DELETE", "/v1/products/{productId}/features/{id}",
               rights::detach,          nothing},

    // Who buys
    {"POST",  "/v1/customers",                   customers::create,       customers::create_takes},
    {"GET",   "/v1/customers",                   customers::list,         customers::list_takes},
    {"GET",   "/v1/customers/{id}",              customers::retrieve,     nothing},
    {"POST",  "/v1/customers/{id}",              customers::update,       customers::update_takes},
    {"DELETE", "/v1/customers/{id}",              customers::remove,       nothing},
    {"POST",  "/v1/customers/{id}/balance_transactions",
               customers::adjust,       customers::adjust_takes},
    {"GET",   "/v1/customers/{id}/balance_transactions",
               customers::transactions, customers::transactions_takes},
    {"GET",   "/v1/customers/{customerId}/balance_transactions/{id}",
               customers::transaction,  nothing},
    {"GET",   "/v1/customers/{id}/payment_methods",
               methods::customer_list,  methods::customer_list_takes},
    {"GET",   "/v1/customers/{customerId}/payment_methods/{id}",
               methods::customer_retrieve, nothing},

    // How it is paid
    {"POST",  "/v1/payment_methods",             methods::create,         methods::create_takes},
    {"GET",   "/v1/payment_methods",             methods::list,           methods::list_takes},
    {"GET",   "/v1/payment_methods/{id}",        methods::retrieve,       nothing},
    {"POST",  "/v1/payment_methods/{id}",        methods::update,         methods::update_takes},
    {"POST",  "/v1/payment_methods/{id}/attach", methods::attach,         methods::attach_takes},
    {"POST",  "/v1/payment_methods/{id}/detach", methods::detach,         nothing},
    {"POST",  "/v1/setup_intents",               setups::create,          setups::create_takes},
    {"GET",   "/v1/setup_intents",               setups::list,            setups::list_takes},
    {"GET",   "/v1/setup_intents/{id}",          setups::retrieve,        setups::retrieve_takes},
    {"POST",  "/v1/setup_intents/{id}",          setups::update,          setups::update_takes},
    {"POST",  "/v1/setup_intents/{id}/confirm",  setups::confirm,         setups::confirm_takes},
    {"POST",  "/v1/setup_intents/{id}/cancel",   setups::cancel,          setups::cancel_takes},
    {"GET",   "/v1/setup_attempts",
               setups::attempt_list,    setups::attempt_list_takes},
    {"POST",  "/v1/payment_intents",             intents::create,         intents::create_takes},
    {"GET",   "/v1/payment_intents",             intents::list,           intents::list_takes},
    {"GET",   "/v1/payment_intents/{id}",        intents::retrieve,       intents::retrieve_takes},
    {"POST",  "/v1/payment_intents/{id}",        intents::update,         intents::update_takes},
    {"POST",  "/v1/payment_intents/{id}/confirm",
               intents::confirm_one,    intents::confirm_takes},
    {"POST",  "/v1/payment_intents/{id}/capture",
               intents::capture,        intents::capture_takes},
    {"POST",  "/v1/payment_intents/{id}/cancel", intents::cancel,         intents::cancel_takes},
    {"GET",   "/v1/charges",                     charges::list,           charges::list_takes},
    {"GET",   "/v1/charges/{id}",                charges::retrieve,       nothing},
    {"POST",  "/v1/charges/{id}",                charges::update,         charges::update_takes},
    {"POST",  "/v1/refunds",                     refunds::create,         refunds::create_takes},
    {"GET",   "/v1/refunds",                     refunds::list,           refunds::list_takes},
    {"GET",   "/v1/refunds/{id}",                refunds::retrieve,       nothing},
    {"POST",  "/v1/refunds/{id}",                refunds::update,         refunds::update_takes},
    {"POST",  "/v1/refunds/{id}/cancel",         refunds::cancel,         nothing},

    // What is billed
    {"POST",  "/v1/subscriptions",               subs::create,            subs::create_takes},
    {"GET",   "/v1/subscriptions",               subs::list,              subs::list_takes},
    {"GET",   "/v1/subscriptions/{id}",          subs::retrieve,          nothing},
    {"POST",  "/v1/subscriptions/{id}",          subs::update,            subs::update_takes},
    {"DELETE", "/v1/subscriptions/{id}",          subs::cancel_one,        subs::cancel_takes},
    {"POST",  "/v1/subscriptions/{id}/resume",   subs::resume,            subs::resume_takes},
    {"GET",   "/v1/subscription_items",          subs::item_list,         subs::item_list_takes},
    {"GET",   "/v1/subscription_items/{id}",     subs::item_retrieve,     nothing},
    {"POST",  "/v1/invoiceitems",
               invoiceitems::create,    invoiceitems::create_takes},
    {"GET",   "/v1/invoiceitems",                invoiceitems::list,      invoiceitems::list_takes},
    {"GET",   "/v1/invoiceitems/{id}",           invoiceitems::retrieve,  nothing},
    {"POST",  "/v1/invoiceitems/{id}",
               invoiceitems::update,    invoiceitems::update_takes},
    {"DELETE", "/v1/invoiceitems/{id}",           invoiceitems::remove,    nothing},
    {"POST",  "/v1/invoices",                    invoices::create,        invoices::create_takes},
    {"GET",   "/v1/invoices",                    invoices::list,          invoices::list_takes},
    {"GET",   "/v1/invoices/{id}",               invoices::retrieve,      nothing},
    {"POST",  "/v1/invoices/{id}",               invoices::update,        invoices::update_takes},
    {"DELETE", "/v1/invoices/{id}",               invoices::remove,        nothing},
    {"GET",   "/v1/invoices/{id}/lines",         invoices::lines,         nothing},
    {"POST",  "/v1/invoices/{id}/finalize",      invoices::finalize,      invoices::finalize_takes},
    {"POST",  "/v1/invoices/{id}/mark_uncollectible",
               invoices::mark_uncollectible, nothing},
    {"POST",  "/v1/invoices/{id}/pay",           invoices::pay,           invoices::pay_takes},
    {"POST",  "/v1/invoices/{id}/send",          invoices::send,          nothing},
    {"POST",  "/v1/invoices/{id}/void",          invoices::mark_void,     nothing},
    {"GET",   "/v1/invoice_payments",
               invoices::payment_list,  invoices::payment_list_takes},
    {"GET",   "/v1/invoice_payments/{id}",       invoices::payment_retrieve, nothing},
};
// clang-format on

using by_endpoint = std::unordered_map<const stripe::endpoint_row*, const route*>;

by_endpoint make_index() {
  by_endpoint index;
  for (const auto& endpoint : stripe::catalogue::instance().endpoints()) {
    for (const auto& row : every_route) {
      if (endpoint.verb == row.verb && endpoint.path == row.path) index[&endpoint] = &row;
    }
  }
  return index;
}

}  // namespace

std::span<const route> routes() {
  return every_route;
}

const route* route_of(const stripe::endpoint_row* endpoint) {
  static const by_endpoint index = make_index();
  const auto it = index.find(endpoint);
  return it == index.end() ? nullptr : it->second;
}

}  // namespace tilld::sandbox
