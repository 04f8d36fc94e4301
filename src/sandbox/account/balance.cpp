#include "sandbox/account/balance.hpp"

#include <map>

#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/money.hpp"
#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::balance {

namespace {

// Money is available two days later, from midnight on.
std::int64_t available_on(std::int64_t s) {
  return s - s % day_s + 2 * day_s;
}

json fee_details(std::int64_t fee, const json& currency) {
  if (fee == 0) return json::array();
  json detail = json::object();
  detail["amount"] = fee;
  detail["application"] = nullptr;
  detail["currency"] = currency;
  detail["description"] = "Stripe processing fees";
  detail["type"] = "stripe_fee";
  return json::array({detail});
}

std::string enter(context& ctx, const char* type, std::int64_t amount, std::int64_t fee,
                  const json& source, json description) {
  json entry = ctx.make(kind::balance_transaction);
  std::string id = text_of(entry, "id");
  entry["amount"] = amount;
  entry["available_on"] = available_on(ctx.now);
  entry["balance_type"] = "payments";
  entry["currency"] = source["currency"];
  entry["description"] = std::move(description);
  entry["fee"] = fee;
  entry["fee_details"] = fee_details(fee, source["currency"]);
  entry["net"] = amount - fee;
  entry["reporting_category"] = type;
  entry["source"] = source["id"];
  entry["type"] = type;
  ctx.state.insert(kind::balance_transaction, std::move(entry));
  return id;
}

json amounts_of(const std::map<std::string, std::int64_t>& sums, const std::string& own) {
  json list = json::array();
  const auto add = [&](const std::string& currency, std::int64_t amount) {
    json entry = json::object();
    entry["amount"] = amount;
    entry["currency"] = currency;
    entry["source_types"] = {{"card", amount}};
    list.push_back(std::move(entry));
  };
  const auto first = sums.find(own);
  add(own, first == sums.end() ? 0 : first->second);
  for (const auto& [currency, amount] : sums) {
    if (currency != own) add(currency, amount);
  }
  return list;
}

}  // namespace

std::string enter_charge(context& ctx, const json& charge, std::int64_t amount) {
  return enter(ctx, "charge", amount, stripe_fee(amount), charge, charge["description"]);
}

std::string enter_refund(context& ctx, const json& refund, const json& charge) {
  json description = "REFUND FOR CHARGE";
  if (!is_null(charge, "description")) {
    description = "REFUND FOR CHARGE (" + text_of(charge, "description") + ")";
  }
  return enter(ctx, "refund", -number_of(refund, "amount"), 0, refund, std::move(description));
}

std::string enter_failed_refund(context& ctx, const json& refund) {
  return enter(ctx, "refund_failure", number_of(refund, "amount"), 0, refund,
               "REFUND FAILURE (" + text_of(refund, "charge") + ")");
}

std::string enter_adjustment(context& ctx, const json& source, std::int64_t amount,
                             std::int64_t fee, const char* description) {
  return enter(ctx, "adjustment", amount, fee, source,
               std::string(description) + " for " + text_of(source, "charge"));
}

answer<json> retrieve_balance(context& ctx) {
  std::map<std::string, std::int64_t> available;
  std::map<std::string, std::int64_t> pending;
  const table& entries = std::as_const(ctx.state).of(kind::balance_transaction);
  for (row_number row = 0; row < entries.size(); ++row) {
    const json& entry = entries.at(row).document;
    auto& sums = number_of(entry, "available_on") <= ctx.now ? available : pending;
    sums[text_of(entry, "currency")] += number_of(entry, "net");
  }
  json balance = json::object();
  balance["object"] = "balance";
  balance["available"] = amounts_of(available, ctx.facts.currency);
  balance["livemode"] = false;
  balance["pending"] = amounts_of(pending, ctx.facts.currency);
  return balance;
}

answer<json> retrieve(context& ctx) {
  auto entry = ctx.object();
  if (!entry) return entry;
  return view_of(ctx.state, kind::balance_transaction, *entry);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created"), params::text("currency"),
                                       params::text("source"), params::text("type")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  for (const char* param : {"currency", "source", "type"})
    shown.equal(ctx, param, param);
  return list_page(ctx, kind::balance_transaction, shown);
}

}  // namespace tilld::sandbox::balance
