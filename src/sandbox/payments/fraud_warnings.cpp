#include "sandbox/payments/fraud_warnings.hpp"

#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::fraud_warnings {

void open(context& ctx, const std::string& charge) {
  json warning = ctx.make(kind::early_fraud_warning);
  const std::string id = text_of(warning, "id");
  warning["actionable"] = true;
  warning["charge"] = charge;
  warning["fraud_type"] = "unauthorized_use_of_card";
  warning["payment_intent"] = ctx.state.live(kind::charge, charge)["payment_intent"];
  ctx.state.insert(kind::early_fraud_warning, std::move(warning));
  ctx.emit("radar.early_fraud_warning.created", kind::early_fraud_warning, id);
}

void settle(context& ctx, const std::string& charge) {
  for (const json* found : ctx.state.with(kind::early_fraud_warning, "charge", charge)) {
    json warning = *found;
    warning["actionable"] = false;
    ctx.update("radar.early_fraud_warning.updated", kind::early_fraud_warning, std::move(warning));
  }
}

answer<json> retrieve(context& ctx) {
  auto warning = ctx.object();
  if (!warning) return warning;
  return view_of(ctx.state, kind::early_fraud_warning, *warning);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::text("charge"), params::range("created"),
                                       params::text("payment_intent")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "charge", "charge");
  shown.equal(ctx, "payment_intent", "payment_intent");
  return list_page(ctx, kind::early_fraud_warning, shown);
}

}  // namespace tilld::sandbox::fraud_warnings
