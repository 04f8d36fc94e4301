#include "workload.hpp"

namespace tilld::test {

std::string workload::one_of(const std::vector<std::string>& all) {
  return all[below(all.size())];
}

std::string workload::known(const std::string& kind) {
  const auto& ids = ids_[kind];
  return ids.empty() ? "none" : ids[below(ids.size())];
}

std::string workload::card() {
  return "pm_card_" +
         one_of({"visa", "visa", "visa", "mastercard", "amex", "chargeCustomerFail",
                 "authenticationRequired", "authenticationRequiredOnSetup", "chargeDeclined"});
}

void workload::note(const std::string& what, const reply& r, const std::string& makes) {
  ++answered_[r.status];
  if (r.status >= 500 && r.status != 501 && worst_.empty()) worst_ = what + "\n" + r.text;
  if (r.status == 200 && !makes.empty()) ids_[makes].push_back(r.id());
  // What a refused card leaves behind is there to be used too.
  if (r.status == 402 && r.body["error"].contains("payment_intent")) {
    ids_["payment_intent"].push_back(r.body["error"]["payment_intent"]["id"]);
  }
}

reply workload::post(const std::string& path, const std::string& form, const std::string& makes) {
  reply r = c_.post(path, form);
  note("POST " + path + " " + form, r, makes);
  return r;
}

reply workload::del(const std::string& path, const std::string& query) {
  reply r = c_.del(path, query);
  note("DELETE " + path + " " + query, r, "");
  return r;
}

void workload::sell() {
  const std::string n = std::to_string(below(1000));
  switch (below(9)) {
    case 0:
      post("/v1/products", "name=P" + n, "product");
      break;
    case 1:
      post("/v1/products/" + known("product"),
           maybe(50) ? "name=Q" + n : "active=" + one_of({"true", "false"}) + "&metadata[n]=" + n);
      break;
    case 2:
    case 3:
      post("/v1/prices",
           "currency=usd&unit_amount=" + n + "&recurring[interval]=" + one_of({"month", "year"}) +
               "&product=" + known("product"),
           "price");
      break;
    case 4:
      post("/v1/prices/" + known("price"), "nickname=N" + n);
      break;
    case 5:
      post("/v1/coupons",
           "percent_off=" + std::to_string(1 + below(100)) +
               one_of({"", "&duration=forever", "&max_redemptions=2",
                       "&duration=repeating&duration_in_months=1"}),
           "coupon");
      break;
    case 6:
      post("/v1/promotion_codes", "promotion[type]=coupon&promotion[coupon]=" + known("coupon"),
           "promotion_code");
      break;
    case 7:
      post("/v1/promotion_codes/" + known("promotion_code"), "active=" + one_of({"true", "false"}));
      break;
    default:
      if (maybe(50)) {
        del("/v1/coupons/" + known("coupon"));
      } else {
        post("/v1/coupons/" + known("coupon"), "name=C" + n);
      }
      break;
  }
}

void workload::join() {
  const std::string n = std::to_string(below(1000));
  switch (below(6)) {
    case 0:
    case 1: {
      const std::string with = card();
      post("/v1/customers",
           "email=u" + n + "@x.y&payment_method=" + with +
               "&invoice_settings[default_payment_method]=" + with,
           "customer");
      break;
    }
    case 2:
      post("/v1/customers", "name=U" + n, "customer");
      break;
    case 3:
      post("/v1/customers/" + known("customer"),
           one_of({"name=V" + n, "metadata[a]=" + n, "metadata[a]=&metadata[b]=1", "balance=-" + n,
                   "address[city]=C" + n, "phone="}));
      break;
    case 4:
      post("/v1/payment_methods/" + card() + "/attach", "customer=" + known("customer"),
           "payment_method");
      break;
    default:
      post("/v1/payment_methods/" + known("payment_method"), "metadata[k]=" + n);
      break;
  }
}

void workload::pay() {
  const std::string n = std::to_string(100 + below(5000));
  const std::string intent = known("payment_intent");
  switch (below(9)) {
    case 0:
    case 1:
      post("/v1/payment_intents",
           "amount=" + n + "&currency=usd&confirm=" + one_of({"true", "true", "false"}) +
               "&payment_method=" + card() +
               "&capture_method=" + one_of({"automatic_async", "automatic", "manual"}) +
               (maybe(50) ? "&customer=" + known("customer") : ""),
           "payment_intent");
      break;
    case 2:
      post("/v1/payment_intents/" + intent + "/confirm", "payment_method=" + card());
      break;
    case 3:
      post("/v1/payment_intents/" + intent + "/capture", maybe(50) ? "" : "amount_to_capture=" + n);
      break;
    case 4:
      post("/v1/payment_intents/" + intent + "/cancel", "");
      break;
    case 5:
      c_.stripe.authenticate(intent, maybe(70), c_.now_s);
      break;
    case 6:
      post("/v1/refunds", "payment_intent=" + intent + (maybe(50) ? "&amount=" + n : ""), "refund");
      break;
    case 7:
      post("/v1/setup_intents",
           "confirm=true&payment_method=" + card() + "&customer=" + known("customer"),
           "setup_intent");
      break;
    default:
      c_.stripe.authenticate(known("setup_intent"), maybe(70), c_.now_s);
      break;
  }
}

void workload::subscribe() {
  const std::string more =
      one_of({"", "", "", "&trial_period_days=2", "&trial_period_days=30",
              "&payment_behavior=default_incomplete", "&payment_behavior=error_if_incomplete",
              "&collection_method=send_invoice&days_until_due=7", "&cancel_at_period_end=true",
              "&payment_settings[save_default_payment_method]=on_subscription", "&off_session=true",
              "&trial_period_days=5&trial_settings[end_behavior][missing_payment_method]=pause"});
  const auto made = post("/v1/subscriptions",
                         "customer=" + known("customer") + "&items[0][price]=" + known("price") +
                             "&items[0][quantity]=" + std::to_string(1 + below(4)) + more +
                             (maybe(30) ? "&discounts[0][coupon]=" + known("coupon") : "") +
                             "&expand[]=latest_invoice.payments",
                         "subscription");
  if (made.status != 200) return;
  ids_["subscription_item"].push_back(made.body["items"]["data"][0]["id"]);
  const json& invoice = made.body["latest_invoice"];
  ids_["invoice"].push_back(invoice["id"]);
  for (const auto& payment : invoice["payments"]["data"]) {
    ids_["payment_intent"].push_back(payment["payment"]["payment_intent"]);
  }
}

void workload::change() {
  const std::string sub = "/v1/subscriptions/" + known("subscription");
  const auto got = c_.get(sub);
  const std::string item = got.status == 200 && !got.body["items"]["data"].empty()
                               ? got.body["items"]["data"][0]["id"].get<std::string>()
                               : "none";
  const std::string behavior =
      "&proration_behavior=" + one_of({"none", "create_prorations", "always_invoice"});
  const auto made = post(
      sub,
      one_of({"items[0][id]=" + item + "&items[0][quantity]=" + std::to_string(below(5)) + behavior,
              "items[0][id]=" + item + "&items[0][price]=" + known("price") + behavior,
              "items[0][price]=" + known("price") + behavior,
              "items[0][id]=" + item + "&items[0][deleted]=true" + behavior,
              "cancel_at_period_end=true", "cancel_at_period_end=false", "trial_end=now",
              "metadata[m]=" + std::to_string(below(9)), "description=D",
              "pause_collection[behavior]=void", "discounts[0][coupon]=" + known("coupon"),
              "discounts[0][promotion_code]=" + known("promotion_code"),
              "discounts=", "pause_collection=", "trial_end=" + std::to_string(c_.now_s + 1000)}));
  if (made.status == 200 && made.body["latest_invoice"].is_string()) {
    ids_["invoice"].push_back(made.body["latest_invoice"]);
  }
}

void workload::bill() {
  const std::string invoice = "/v1/invoices/" + known("invoice");
  switch (below(10)) {
    case 0:
      post("/v1/invoices",
           "customer=" + known("customer") + "&pending_invoice_items_behavior=" +
               one_of({"include", "exclude"}) + "&auto_advance=" + one_of({"true", "false"}),
           "invoice");
      break;
    case 1:
    case 2:
      post("/v1/invoiceitems",
           "currency=usd&amount=" + one_of({"", "-"}) + std::to_string(1 + below(3000)) +
               "&customer=" + known("customer") + (maybe(40) ? "&invoice=" + known("invoice") : ""),
           "invoiceitem");
      break;
    case 3:
      post(invoice + "/finalize", maybe(30) ? "auto_advance=true" : "");
      break;
    case 4:
      post(invoice + "/pay", maybe(20) ? "paid_out_of_band=true" : "");
      break;
    case 5:
      post(invoice + "/" + one_of({"void", "mark_uncollectible", "send"}), "");
      break;
    case 6:
      post(invoice, one_of({"metadata[i]=1", "description=X", "auto_advance=true"}));
      break;
    case 7:
      del(invoice);
      break;
    case 8:
      del("/v1/invoiceitems/" + known("invoiceitem"));
      break;
    default:
      post("/v1/charges/" + known("charge"), "description=Z");
      break;
  }
}

void workload::entitle() {
  const std::string n = std::to_string(below(30));
  switch (below(3)) {
    case 0:
      post("/v1/entitlements/features", "name=F&lookup_key=k" + n, "feature");
      break;
    case 1:
      post("/v1/products/" + known("product") + "/features",
           "entitlement_feature=" + known("feature"));
      break;
    default:
      post("/v1/entitlements/features/" + known("feature"), "name=G" + n);
      break;
  }
}

void workload::plan() {
  const std::string schedules = "/v1/subscription_schedules";
  const std::string one = schedules + "/" + known("schedule");
  const std::string item = "[items][0][price]=";
  const std::string length = "[duration][interval]=" + one_of({"day", "week", "month"});
  switch (below(8)) {
    case 0:
    case 1:
      post(schedules,
           "customer=" + known("customer") +
               "&start_date=" + one_of({"now", std::to_string(c_.now_s + 90'000)}) +
               "&end_behavior=" + one_of({"release", "cancel"}) + "&phases[0]" + item +
               known("price") + "&phases[0]" + length + "&phases[1]" + item + known("price") +
               "&phases[1][proration_behavior]=" +
               one_of({"none", "create_prorations", "always_invoice"}) +
               (maybe(30) ? "&phases[1][discounts][0][coupon]=" + known("coupon") : "") +
               (maybe(20) ? "&phases[0][trial]=true" : ""),
           "schedule");
      break;
    case 2:
      post(schedules, "from_subscription=" + known("subscription"), "schedule");
      break;
    case 3: {
      const auto got = c_.get(one);
      const std::string start = got.status == 200 && got.body["current_phase"].is_object()
                                    ? got.body["current_phase"]["start_date"].dump()
                                    : std::to_string(c_.now_s + 100);
      post(one, "phases[0]" + item + known("price") + "&phases[0][start_date]=" + start +
                    "&phases[0][end_date]=" + std::to_string(c_.now_s + 200'000) + "&phases[1]" +
                    item + known("price") + "&phases[1]" + length);
      break;
    }
    case 4:
      post(one + "/" + one_of({"cancel", "release"}), "");
      break;
    case 5:
      post("/v1/payment_links", "line_items[0][quantity]=1&line_items[0][price]=" + known("price"),
           "payment_link");
      post("/v1/payment_links/" + known("payment_link"), "active=" + one_of({"true", "false"}));
      break;
    default:
      post("/v1/quotes",
           "customer=" + known("customer") + "&line_items[0][price]=" + known("price") +
               (maybe(30) ? "&discounts[0][coupon]=" + known("coupon") : ""),
           "quote");
      post("/v1/quotes/" + known("quote") + "/finalize", "");
      post("/v1/quotes/" + known("quote") + "/accept", "");
      break;
  }
}

void workload::leave() {
  switch (below(6)) {
    case 0:
      del("/v1/customers/" + known("customer"));
      break;
    case 1:
      post("/v1/payment_methods/" + known("payment_method") + "/detach", "");
      break;
    case 2:
      del("/v1/products/" + known("product"));
      break;
    default:
      del("/v1/subscriptions/" + known("subscription"),
          one_of({"", "prorate=true", "prorate=true&invoice_now=true"}));
      break;
  }
}

void workload::step() {
  if (maybe(40)) c_.wait(static_cast<std::int64_t>(below(5 * 24 * 3600)));
  const std::uint64_t dice = below(100);
  if (dice < 14) return sell();
  if (dice < 32) return join();
  if (dice < 48) return pay();
  if (dice < 64) return subscribe();
  if (dice < 78) return change();
  if (dice < 90) return bill();
  if (dice < 93) return entitle();
  if (dice < 97) return plan();
  leave();
}

void workload::run(int steps) {
  for (int i = 0; i < 3; ++i) {
    post("/v1/products", "name=Start" + std::to_string(i), "product");
    post(
        "/v1/prices",
        "currency=usd&unit_amount=1000&recurring[interval]=month&product=" + ids_["product"].back(),
        "price");
    post("/v1/customers",
         "payment_method=pm_card_visa"
         "&invoice_settings[default_payment_method]=pm_card_visa",
         "customer");
  }
  for (int i = 0; i < steps; ++i)
    step();
}

}  // namespace tilld::test
