// The kinds of objects that the simulator keeps: one row each, read wherever a kind matters.
// A new resource starts here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/machine/document.hpp"

namespace tilld::sandbox {

enum class kind : std::uint8_t {
  customer,
  product,
  price,
  payment_method,
  payment_intent,
  charge,
  refund,
  balance_transaction,
  customer_balance_transaction,
  setup_intent,
  setup_attempt,
  subscription,
  subscription_item,
  invoice,
  line_item,
  invoiceitem,
  invoice_payment,
  coupon,
  promotion_code,
  feature,
  product_feature,
  active_entitlement,
  webhook_endpoint,
  tax_rate,
  tax_id,
  discount,
  dispute,
  early_fraud_warning,
  credit_note,
  credit_note_line_item,
  subscription_schedule,
  quote,
  item,
  checkout_session,
  portal_configuration,
  portal_session,
  payment_link,
  meter,
  meter_event,
  test_clock,
  connected_account,
  file,
  file_link,
};
inline constexpr std::size_t kind_count = 43;

struct kind_row {
  kind of;
  std::string_view object;  // the object's own "object", as in the catalogue
  std::string_view prefix;  // what every id begins with
  int id_letters;           // how many letters and digits follow the prefix
  // Dotted paths by which lists filter. A path to an array indexes each of its elements; one that
  // ends in "~" has its texts in small letters, for searches. Members
  // that begin with "_" are the simulator's own: kept with the document, never answered.
  std::vector<std::string_view> indexes;
  // Fields of the catalogue that Stripe leaves out of the object: shown only when expanded, only
  // on deletion stubs, or only in special cases.
  std::vector<std::string_view> left_out;
};

const kind_row& row_of(kind k);
std::span<const kind_row> all_kinds();
std::optional<kind> kind_named(std::string_view object);

// A document with every field of the catalogue that the published object has, in the catalogue's
// order: "object" set, the rest null.
json blank(kind k);

}  // namespace tilld::sandbox
