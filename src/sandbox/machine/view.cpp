#include "sandbox/machine/view.hpp"

#include <algorithm>
#include <array>

#include "sandbox/catalogue/coupons.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/prices.hpp"

namespace tilld::sandbox {

namespace {

json without_own_members(const json& document) {
  json shown = json::object();
  for (const auto& [key, value] : document.items()) {
    if (key.front() != '_') shown.push_back({key, value});
  }
  return shown;
}

// The first ten of an index as an embedded list. `oldest_first`: items and lines stand in the
// order in which they were added.
json embedded(const world& w, kind k, std::string_view path, std::string_view value,
              std::string url, bool oldest_first) {
  const sequence rows = w.of(k).with(path, {std::string(value)});
  json data = json::array();
  bool more = false;
  auto row = oldest_first ? rows.from(0) : rows.below(after_the_newest);
  while (row) {
    if (data.size() == embedded_list_limit) {
      more = true;
      break;
    }
    data.push_back(view_of(w, k, w.of(k).at(*row).document));
    row = oldest_first ? rows.from(*row + 1) : rows.below(*row);
  }
  return list_envelope(std::move(data), more, std::move(url));
}

// Kept as ids, shown whole.
void fill_tax_rates(const world& w, json& shown, const char* member) {
  for (json& rate : shown[member]) {
    const json* found = w.find(kind::tax_rate, rate.get<std::string>());
    if (found != nullptr) rate = without_own_members(*found);
  }
}

// Discounts come and go by themselves; what an owner has is what names it.
json discounts_of(const world& w, const std::string& owner) {
  json ids = json::array();
  for (const auto& id : discounts::of(w, owner))
    ids.push_back(id);
  return ids;
}

void fill_customer(const world& w, json& shown) {
  const auto all = discounts::of(w, text_of(shown, "id"));
  if (!all.empty()) shown["discount"] = view(w, kind::discount, all.front());
}

void fill_subscription(const world& w, json& shown) {
  const std::string id = text_of(shown, "id");
  shown["discounts"] = discounts_of(w, id);
  fill_tax_rates(w, shown, "default_tax_rates");
  shown["items"] = embedded(w, kind::subscription_item, "subscription", id,
                            "/v1/subscription_items?subscription=" + id, true);
}

void fill_subscription_item(const world& w, json& shown) {
  shown["discounts"] = discounts_of(w, text_of(shown, "id"));
  fill_tax_rates(w, shown, "tax_rates");
  if (is_null(shown, "quantity")) shown.erase("quantity");  // metered items have none
  const json* price = w.find(kind::price, text_of(shown, "price"));
  if (price == nullptr) return;
  shown["plan"] = plan_of_price(*price);
  shown["price"] = view_of(w, kind::price, *price);
}

void fill_schedule(const world& w, json& shown) {
  for (json& phase : shown["phases"]) {
    fill_tax_rates(w, phase, "default_tax_rates");
    for (const char* list : {"add_invoice_items", "items"}) {
      for (json& item : phase[list])
        fill_tax_rates(w, item, "tax_rates");
    }
  }
}

void fill_invoice(const world& w, json& shown) {
  const std::string id = text_of(shown, "id");
  fill_tax_rates(w, shown, "default_tax_rates");
  shown["lines"] =
      embedded(w, kind::line_item, "invoice", id, "/v1/invoices/" + id + "/lines", true);
}

void fill_credit_note(const world& w, json& shown) {
  const std::string id = text_of(shown, "id");
  shown["lines"] = embedded(w, kind::credit_note_line_item, "_credit_note", id,
                            "/v1/credit_notes/" + id + "/lines", true);
}

void fill_item(const world& w, json& shown) {
  const json* price = w.find(kind::price, text_of(shown, "price"));
  if (price != nullptr) shown["price"] = view_of(w, kind::price, *price);
}

void fill_file(const world& w, json& shown) {
  const std::string id = text_of(shown, "id");
  shown["links"] = embedded(w, kind::file_link, "file", id, "/v1/file_links?file=" + id, false);
}

void fill_file_link(const world& w, json& shown) {
  shown["expired"] = !is_null(shown, "expires_at") && number_of(shown, "expires_at") <= w.now_s;
}

void fill_product_feature(const world& w, json& shown) {
  const json* feature = w.find(kind::feature, text_of(shown, "entitlement_feature"));
  if (feature != nullptr) shown["entitlement_feature"] = *feature;
}

void fill_balance_transaction(const world& w, json& shown) {
  shown["status"] = number_of(shown, "available_on") <= w.now_s ? "available" : "pending";
}

struct includable {
  std::string_view object;
  std::string_view member;
  inclusion is;
};
constexpr std::array<includable, 20> includables = {{
    {"customer", "subscriptions", inclusion::simulated},
    {"customer", "sources", inclusion::simulated},
    {"customer", "tax_ids", inclusion::simulated},
    {"customer", "cash_balance", inclusion::not_simulated},
    {"customer", "invoice_credit_balance", inclusion::not_simulated},
    {"customer", "tax", inclusion::not_simulated},
    {"charge", "refunds", inclusion::simulated},
    {"checkout.session", "line_items", inclusion::simulated},
    {"payment_link", "line_items", inclusion::simulated},
    {"quote", "line_items", inclusion::simulated},
    {"quote", "total_details", inclusion::not_simulated},
    {"invoice", "payments", inclusion::simulated},
    {"invoice", "confirmation_secret", inclusion::simulated},
    {"coupon", "applies_to", inclusion::simulated},
    {"coupon", "currency_options", inclusion::simulated},
    {"price", "currency_options", inclusion::simulated},
    {"price", "tiers", inclusion::simulated},
    {"subscription_item", "billed_until", inclusion::not_simulated},
    {"subscription", "status_details", inclusion::not_simulated},
    {"invoice", "status_details", inclusion::not_simulated},
}};

json subscriptions_of(const world& w, const std::string& customer) {
  json data = json::array();
  bool more = false;
  for (const json* subscription : w.with(kind::subscription, "customer", customer)) {
    if (text_of(*subscription, "status") == "canceled") continue;
    if (data.size() == embedded_list_limit) {
      more = true;
      break;
    }
    data.push_back(view_of(w, kind::subscription, *subscription));
  }
  return list_envelope(std::move(data), more, "/v1/customers/" + customer + "/subscriptions");
}

json confirmation_secret_of(const world& w, const std::string& invoice) {
  for (const json* payment : w.with(kind::invoice_payment, "invoice", invoice)) {
    const json* intent_id = at_path(*payment, "payment.payment_intent");
    if (intent_id == nullptr || !intent_id->is_string()) continue;
    const json* intent = w.find(kind::payment_intent, intent_id->get<std::string>());
    if (intent == nullptr) continue;
    return {{"client_secret", (*intent)["client_secret"]}, {"type", "payment_intent"}};
  }
  return nullptr;
}

std::string line_items_url(std::string_view of, const std::string& id) {
  const char* all = of == "quote"          ? "/v1/quotes/"
                    : of == "payment_link" ? "/v1/payment_links/"
                                           : "/v1/checkout/sessions/";
  return all + id + "/line_items";
}

// Those that are owed on acceptance: during a trial nothing that recurs is.
void include_upfront_lines(const world& w, json& quote) {
  const std::string id = text_of(quote, "id");
  json* upfront = quote["computed"].is_object() ? &quote["computed"]["upfront"] : nullptr;
  if (upfront == nullptr) return;
  const bool trial = !is_null(quote["subscription_data"], "trial_period_days");
  json data = json::array();
  bool more = false;
  auto all = w.with(kind::item, "_parent", id);
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    if (trial && w.at(kind::price, text_of(**it, "price"))["recurring"].is_object()) continue;
    more = data.size() == embedded_list_limit;
    if (more) break;
    data.push_back(view_of(w, kind::item, **it));
  }
  (*upfront)["line_items"] =
      list_envelope(std::move(data), more, "/v1/quotes/" + id + "/computed_upfront_line_items");
}

json coupon_options_of(const world& w, const std::string& coupon) {
  const json* found = w.find_live(kind::coupon, coupon);
  json options = json::object();
  if (found == nullptr) return options;
  const json amounts = coupons::amounts_off(*found);
  for (const auto& [currency, amount] : amounts.items())
    options[currency] = {{"amount_off", amount}};
  return options;
}

}  // namespace

json plan_of_price(const json& price) {
  json plan = json::object();
  plan["id"] = price["id"];
  plan["object"] = "plan";
  plan["active"] = price["active"];
  plan["amount"] = price["unit_amount"];
  plan["amount_decimal"] = price["unit_amount_decimal"];
  plan["billing_scheme"] = price["billing_scheme"];
  plan["created"] = price["created"];
  plan["currency"] = price["currency"];
  const json& recurring = price["recurring"];
  plan["interval"] = recurring["interval"];
  plan["interval_count"] = recurring["interval_count"];
  plan["livemode"] = price["livemode"];
  plan["metadata"] = price["metadata"];
  plan["meter"] = recurring["meter"];
  plan["nickname"] = price["nickname"];
  plan["product"] = price["product"];
  plan["tiers_mode"] = price["tiers_mode"];
  plan["transform_usage"] = price["transform_quantity"];
  plan["trial_period_days"] = recurring["trial_period_days"];
  plan["usage_type"] = recurring["usage_type"];
  return plan;
}

json view_of(const world& w, kind k, const json& document) {
  json shown = without_own_members(document);
  if (truth_of(shown, "deleted")) return shown;
  switch (k) {
    case kind::subscription:
      fill_subscription(w, shown);
      break;
    case kind::subscription_item:
      fill_subscription_item(w, shown);
      break;
    case kind::invoice:
      fill_invoice(w, shown);
      break;
    case kind::file:
      fill_file(w, shown);
      break;
    case kind::file_link:
      fill_file_link(w, shown);
      break;
    case kind::credit_note:
      fill_credit_note(w, shown);
      break;
    case kind::invoiceitem:
    case kind::credit_note_line_item:
      fill_tax_rates(w, shown, "tax_rates");
      break;
    case kind::item:
      fill_item(w, shown);
      break;
    case kind::subscription_schedule:
      fill_schedule(w, shown);
      break;
    case kind::customer:
      fill_customer(w, shown);
      break;
    case kind::product_feature:
      fill_product_feature(w, shown);
      break;
    case kind::balance_transaction:
      fill_balance_transaction(w, shown);
      break;
    case kind::meter_event:
      shown.erase("id");  // Stripe's have none
      break;
    default:
      break;
  }
  return shown;
}

json view(const world& w, kind k, std::string_view id) {
  const json* document = w.find(k, id);
  return document == nullptr ? json(nullptr) : view_of(w, k, *document);
}

inclusion can_include(std::string_view object, std::string_view member) {
  const auto it = std::find_if(includables.begin(), includables.end(), [&](const includable& i) {
    return i.object == object && i.member == member;
  });
  return it == includables.end() ? inclusion::none : it->is;
}

void include_member(const world& w, json& object, std::string_view member) {
  const std::string of = text_of(object, "object");
  if (of == "quote" && member == "computed") return include_upfront_lines(w, object);
  if (can_include(of, member) != inclusion::simulated || object.contains(member)) return;
  const std::string id = text_of(object, "id");
  json& place = object[std::string(member)];
  if (member == "subscriptions") {
    place = subscriptions_of(w, id);
  } else if (member == "sources") {
    place = list_envelope(json::array(), false, "/v1/customers/" + id + "/sources");
  } else if (member == "tax_ids") {
    place = embedded(w, kind::tax_id, "customer", id, "/v1/customers/" + id + "/tax_ids", false);
  } else if (member == "refunds") {
    place = embedded(w, kind::refund, "charge", id, "/v1/charges/" + id + "/refunds", false);
  } else if (member == "line_items") {
    place = embedded(w, kind::item, "_parent", id, line_items_url(of, id), true);
  } else if (member == "payments") {
    place = embedded(w, kind::invoice_payment, "invoice", id, "/v1/invoice_payments?invoice=" + id,
                     true);
  } else if (member == "confirmation_secret") {
    place = confirmation_secret_of(w, id);
  } else if (member == "applies_to") {
    const json* coupon = w.find(kind::coupon, id);
    place = coupon == nullptr ? json(nullptr) : (*coupon)["_applies_to"];
  } else if (member == "currency_options" && of == "coupon") {
    place = coupon_options_of(w, id);
  } else if (member == "currency_options") {
    place = prices::currency_options_of(w.at(kind::price, id));
  } else {
    place = prices::tiers_of(w.at(kind::price, id));
  }
}

}  // namespace tilld::sandbox
