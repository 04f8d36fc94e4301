// Invoices and what they are made of: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

#include "sandbox/billing/credit_notes.hpp"
#include "sandbox/billing/invoice_lines.hpp"
#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/billing/invoices.hpp"
#include "sandbox/billing/previews.hpp"

namespace tilld::sandbox {

namespace {

// clang-format off
constexpr route rows[] = {
    {"POST", "/v1/invoiceitems", invoiceitems::create, invoiceitems::create_takes},
    {"GET", "/v1/invoiceitems", invoiceitems::list, invoiceitems::list_takes},
    {"GET", "/v1/invoiceitems/{id}", invoiceitems::retrieve, no_params},
    {"POST", "/v1/invoiceitems/{id}", invoiceitems::update, invoiceitems::update_takes},
    {"DELETE", "/v1/invoiceitems/{id}", invoiceitems::remove, no_params},
    {"POST", "/v1/invoices", invoices::create, invoices::create_takes},
    {"GET", "/v1/invoices", invoices::list, invoices::list_takes},
    {"GET", "/v1/invoices/{id}", invoices::retrieve, no_params},
    {"POST", "/v1/invoices/{id}", invoices::update, invoices::update_takes},
    {"DELETE", "/v1/invoices/{id}", invoices::remove, no_params},
    {"POST", "/v1/invoices/create_preview", previews::create, previews::create_takes},
    {"GET", "/v1/invoices/{id}/lines", invoice_lines::list, no_params},
    {"POST", "/v1/invoices/{invoiceId}/lines/{id}",
     invoice_lines::update_one, invoice_lines::update_one_takes},
    {"POST", "/v1/invoices/{id}/add_lines", invoice_lines::add, invoice_lines::add_takes},
    {"POST", "/v1/invoices/{id}/update_lines", invoice_lines::update, invoice_lines::update_takes},
    {"POST", "/v1/invoices/{id}/remove_lines", invoice_lines::remove, invoice_lines::remove_takes},
    {"POST", "/v1/invoices/{id}/finalize", invoices::finalize, invoices::finalize_takes},
    {"POST", "/v1/invoices/{id}/mark_uncollectible", invoices::mark_uncollectible, no_params},
    {"POST", "/v1/invoices/{id}/pay", invoices::pay, invoices::pay_takes},
    {"POST", "/v1/invoices/{id}/send", invoices::send, no_params},
    {"POST", "/v1/invoices/{id}/void", invoices::mark_void, no_params},
    {"POST", "/v1/credit_notes", credit_notes::create, credit_notes::create_takes},
    {"GET", "/v1/credit_notes", credit_notes::list, credit_notes::list_takes},
    {"GET", "/v1/credit_notes/preview", credit_notes::preview, credit_notes::create_takes},
    {"GET", "/v1/credit_notes/preview/lines",
     credit_notes::preview_lines, credit_notes::create_takes},
    {"GET", "/v1/credit_notes/{id}", credit_notes::retrieve, no_params},
    {"POST", "/v1/credit_notes/{id}", credit_notes::update, credit_notes::update_takes},
    {"GET", "/v1/credit_notes/{id}/lines", credit_notes::lines, no_params},
    {"POST", "/v1/credit_notes/{id}/void", credit_notes::mark_void, no_params},
    {"GET", "/v1/invoice_payments", invoices::payment_list, invoices::payment_list_takes},
    {"GET", "/v1/invoice_payments/{id}", invoices::payment_retrieve, no_params},
};
// clang-format on

}  // namespace

std::span<const route> billing_routes() {
  return rows;
}

}  // namespace tilld::sandbox
