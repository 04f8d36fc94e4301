// How things are paid: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

#include "sandbox/payments/charges.hpp"
#include "sandbox/payments/disputes.hpp"
#include "sandbox/payments/fraud_warnings.hpp"
#include "sandbox/payments/payment_intents.hpp"
#include "sandbox/payments/payment_methods.hpp"
#include "sandbox/payments/refunds.hpp"
#include "sandbox/payments/setup_intents.hpp"

namespace tilld::sandbox {

namespace {

// clang-format off
constexpr route rows[] = {
    {"GET", "/v1/disputes", disputes::list, disputes::list_takes},
    {"GET", "/v1/disputes/{id}", disputes::retrieve, no_params},
    {"POST", "/v1/disputes/{id}", disputes::update, disputes::update_takes},
    {"POST", "/v1/disputes/{id}/close", disputes::close, no_params},
    {"GET", "/v1/radar/early_fraud_warnings",
     fraud_warnings::list, fraud_warnings::list_takes},
    {"GET", "/v1/radar/early_fraud_warnings/{id}", fraud_warnings::retrieve, no_params},
    {"GET", "/v1/customers/{id}/payment_methods",
     payment_methods::customer_list, payment_methods::customer_list_takes},
    {"GET", "/v1/customers/{customerId}/payment_methods/{id}",
     payment_methods::customer_retrieve, no_params},
    {"POST", "/v1/payment_methods", payment_methods::create, payment_methods::create_takes},
    {"GET", "/v1/payment_methods", payment_methods::list, payment_methods::list_takes},
    {"GET", "/v1/payment_methods/{id}", payment_methods::retrieve, no_params},
    {"POST", "/v1/payment_methods/{id}", payment_methods::update, payment_methods::update_takes},
    {"POST", "/v1/payment_methods/{id}/attach",
     payment_methods::attach, payment_methods::attach_takes},
    {"POST", "/v1/payment_methods/{id}/detach", payment_methods::detach, no_params},
    {"POST", "/v1/setup_intents", setup_intents::create, setup_intents::create_takes},
    {"GET", "/v1/setup_intents", setup_intents::list, setup_intents::list_takes},
    {"GET", "/v1/setup_intents/{id}", setup_intents::retrieve, setup_intents::retrieve_takes},
    {"POST", "/v1/setup_intents/{id}", setup_intents::update, setup_intents::update_takes},
    {"POST", "/v1/setup_intents/{id}/confirm",
     setup_intents::confirm, setup_intents::confirm_takes},
    {"POST", "/v1/setup_intents/{id}/cancel", setup_intents::cancel, setup_intents::cancel_takes},
    {"GET", "/v1/setup_attempts", setup_intents::attempt_list, setup_intents::attempt_list_takes},
    {"POST", "/v1/payment_intents", payment_intents::create, payment_intents::create_takes},
    {"GET", "/v1/payment_intents", payment_intents::list, payment_intents::list_takes},
    {"GET", "/v1/payment_intents/{id}",
     payment_intents::retrieve, payment_intents::retrieve_takes},
    {"POST", "/v1/payment_intents/{id}", payment_intents::update, payment_intents::update_takes},
    {"POST", "/v1/payment_intents/{id}/confirm",
     payment_intents::confirm_one, payment_intents::confirm_takes},
    {"POST", "/v1/payment_intents/{id}/capture",
     payment_intents::capture, payment_intents::capture_takes},
    {"POST", "/v1/payment_intents/{id}/cancel",
     payment_intents::cancel, payment_intents::cancel_takes},
    {"GET", "/v1/charges", charges::list, charges::list_takes},
    {"GET", "/v1/charges/{id}", charges::retrieve, no_params},
    {"POST", "/v1/charges/{id}", charges::update, charges::update_takes},
    {"POST", "/v1/refunds", refunds::create, refunds::create_takes},
    {"GET", "/v1/refunds", refunds::list, refunds::list_takes},
    {"GET", "/v1/refunds/{id}", refunds::retrieve, no_params},
    {"POST", "/v1/refunds/{id}", refunds::update, refunds::update_takes},
    {"POST", "/v1/refunds/{id}/cancel", refunds::cancel, no_params},
};
// clang-format on

}  // namespace

std::span<const route> payments_routes() {
  return rows;
}

}  // namespace tilld::sandbox
