// The account and its customers: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

#include "sandbox/account/account.hpp"
#include "sandbox/account/balance.hpp"
#include "sandbox/account/connected.hpp"
#include "sandbox/account/customers.hpp"
#include "sandbox/account/files.hpp"
#include "sandbox/account/tax_ids.hpp"

namespace tilld::sandbox {

namespace {

// clang-format off
constexpr route rows[] = {
    {"GET", "/v1/account", account::retrieve, no_params},
    {"POST", "/v1/accounts", connected::create, connected::create_takes},
    {"GET", "/v1/accounts", connected::list, connected::list_takes},
    {"GET", "/v1/accounts/{id}", connected::retrieve, no_params},
    {"POST", "/v1/accounts/{id}", connected::update, connected::update_takes},
    {"DELETE", "/v1/accounts/{id}", connected::remove, no_params},
    {"GET", "/v1/balance", balance::retrieve_balance, no_params},
    {"GET", "/v1/balance_transactions", balance::list, balance::list_takes},
    {"GET", "/v1/balance_transactions/{id}", balance::retrieve, no_params},
    {"GET", "/v1/events", account::event_list, account::event_list_takes},
    {"GET", "/v1/events/{id}", account::event_retrieve, no_params},
    {"POST", "/v1/webhook_endpoints", account::endpoint_create, account::endpoint_create_takes},
    {"GET", "/v1/webhook_endpoints", account::endpoint_list, no_params},
    {"GET", "/v1/webhook_endpoints/{id}", account::endpoint_retrieve, no_params},
    {"POST", "/v1/webhook_endpoints/{id}",
     account::endpoint_update, account::endpoint_update_takes},
    {"DELETE", "/v1/webhook_endpoints/{id}", account::endpoint_remove, no_params},
    {"POST", "/v1/customers", customers::create, customers::create_takes},
    {"GET", "/v1/customers", customers::list, customers::list_takes},
    {"GET", "/v1/customers/{id}", customers::retrieve, no_params},
    {"POST", "/v1/customers/{id}", customers::update, customers::update_takes},
    {"DELETE", "/v1/customers/{id}", customers::remove, no_params},
    {"POST", "/v1/customers/{id}/balance_transactions",
     customers::adjust, customers::adjust_takes},
    {"GET", "/v1/customers/{id}/balance_transactions",
     customers::transactions, customers::transactions_takes},
    {"GET", "/v1/customers/{customerId}/balance_transactions/{id}",
     customers::transaction, no_params},
    {"POST", "/v1/files", files::create, files::create_takes},
    {"GET", "/v1/files", files::list, files::list_takes},
    {"GET", "/v1/files/{id}", files::retrieve, no_params},
    {"POST", "/v1/file_links", files::link_create, files::link_create_takes},
    {"GET", "/v1/file_links", files::link_list, files::link_list_takes},
    {"GET", "/v1/file_links/{id}", files::link_retrieve, no_params},
    {"POST", "/v1/file_links/{id}", files::link_update, files::link_update_takes},
    {"POST", "/v1/tax_ids", tax_ids::create, tax_ids::create_takes},
    {"GET", "/v1/tax_ids", tax_ids::list, tax_ids::list_takes},
    {"GET", "/v1/tax_ids/{id}", tax_ids::retrieve, no_params},
    {"DELETE", "/v1/tax_ids/{id}", tax_ids::remove, no_params},
    {"POST", "/v1/customers/{id}/tax_ids",
     tax_ids::create_of_customer, tax_ids::customers_takes},
    {"GET", "/v1/customers/{id}/tax_ids", tax_ids::list_of_customer, no_params},
    {"GET", "/v1/customers/{customerId}/tax_ids/{id}", tax_ids::retrieve_of_customer, no_params},
    {"DELETE", "/v1/customers/{customerId}/tax_ids/{id}", tax_ids::remove_of_customer, no_params},
};
// clang-format on

}  // namespace

std::span<const route> account_routes() {
  return rows;
}

}  // namespace tilld::sandbox
