#include "sandbox/payments/payment_intents.hpp"

#include <algorithm>
#include <array>

#include "sandbox/machine/money.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/machine/ranges.hpp"
#include "sandbox/payments/charges.hpp"
#include "sandbox/payments/payment_methods.hpp"
#include "sandbox/payments/refunds.hpp"

namespace tilld::sandbox::payment_intents {

namespace {

params::field setup_future_usage() {
  return params::choice("setup_future_usage", {"off_session", "on_session"});
}

params::schema shared_fields() {
  return {params::text("customer"),
          params::text("description", 1000).clearable(),
          params::metadata(),
          params::text("payment_method").clearable(),
          payment_methods::data_field(),
          params::text("receipt_email", 512).clearable(),
          setup_future_usage().clearable(),
          params::shipping("shipping"),
          params::text("statement_descriptor", 22).clearable(),
          params::text("statement_descriptor_suffix", 22).clearable(),
          params::text("transfer_group")};
}

std::unexpected<failure> unexpected_state(const context& ctx, const json& intent,
                                          std::string message, std::string param = {}) {
  auto refused = refuse(std::move(message), std::move(param), "payment_intent_unexpected_state");
  refused.error().more = {{"payment_intent", view_of(ctx.state, kind::payment_intent, intent)}};
  return refused;
}

bool off_session(const context& ctx) {
  const std::string given = ctx.text("off_session");
  return given == "true" || given == "one_off" || given == "recurring";
}

answer<void> check_off_session(const context& ctx) {
  static constexpr std::array words = {"true", "false", "one_off", "recurring"};
  const std::string given = ctx.text("off_session");
  if (given.empty() || std::find(words.begin(), words.end(), given) != words.end()) return {};
  return refuse("Invalid boolean: " + given, "off_session");
}

// A saved card pays for its own customer alone.
answer<void> check_owner(const json& intent, const json& method) {
  const std::string owner = text_of(method, "customer");
  const std::string customer = text_of(intent, "customer");
  if (owner.empty() || owner == customer) return {};
  const std::string id = text_of(method, "id");
  if (customer.empty()) {
    return refuse("The payment method supplied (" + id + ") belongs to the Customer " + owner +
                      ". Please include the Customer in the `customer` parameter on the "
                      "PaymentIntent.",
                  "payment_method");
  }
  return refuse("The PaymentMethod " + id + " does not belong to the Customer you supplied " +
                    customer +
                    ". Please use this PaymentMethod with the Customer that it belongs to instead.",
                "payment_method");
}

answer<void> take_method(context& ctx, json& intent) {
  if (auto made = payment_methods::take_data(ctx); !made) return made;
  if (!ctx.given("payment_method")) return {};
  if (ctx.param("payment_method").is_null()) {
    intent["payment_method"] = nullptr;
    return {};
  }
  auto method = payment_methods::usable(ctx, ctx.text("payment_method"), "payment_method");
  if (!method) return std::unexpected(method.error());
  if (auto owned = check_owner(intent, *method); !owned) return owned;
  intent["payment_method"] = (*method)["id"];
  return {};
}

answer<void> take_shared(context& ctx, json& intent) {
  if (ctx.given("customer")) {
    const auto customer = ctx.referred(kind::customer, ctx.text("customer"), "customer");
    if (!customer) return std::unexpected(customer.error());
  }
  ctx.copy_given(intent, {"customer", "description", "receipt_email", "setup_future_usage",
                          "shipping", "statement_descriptor", "statement_descriptor_suffix",
                          "transfer_group", "capture_method"});
  if (ctx.given("metadata") || !intent.contains("metadata")) {
    if (auto merged = merge_metadata(intent, ctx.param("metadata")); !merged) return merged;
  }
  return take_method(ctx, intent);
}

std::string missing_method(const json& intent) {
  const std::string customer = text_of(intent, "customer");
  std::string message =
      "You cannot confirm this PaymentIntent because it's missing a payment method. ";
  if (!customer.empty()) {
    return message + "To confirm the PaymentIntent with " + customer +
           ", specify a payment method attached to this customer along with the customer ID.";
  }
  return message +
         "You can either update the PaymentIntent with a payment method and then confirm it "
         "again, or confirm it again directly with a payment method or ConfirmationToken.";
}

// Confirms and answers: the intent, or the card's refusal with everything that it left behind.
answer<json> confirm_and_answer(context& ctx, const std::string& id) {
  const std::string method = text_of(ctx.state.at(kind::payment_intent, id), "payment_method");
  const attempt tried = confirm(ctx, id, off_session(ctx), ctx.text("return_url"),
                                !ctx.truth("error_on_requires_action"));
  if (tried.is != result::declined) return ctx.shown(kind::payment_intent, id);
  failure refused = payment_methods::card_failure(*tried.why);
  refused.kept = true;
  refused.more["charge"] = tried.charge;
  refused.more["payment_intent"] = ctx.shown(kind::payment_intent, id);
  refused.more["payment_method"] = ctx.shown(kind::payment_method, method);
  return std::unexpected(std::move(refused));
}

bool one_of(const std::string& text, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::amount("amount").needed());
    fields.push_back(params::currency("currency").needed());
    fields.push_back(params::hash("automatic_payment_methods",
                                  {params::boolean("enabled").needed(),
                                   params::choice("allow_redirects", {"always", "never"})}));
    fields.push_back(params::choice("capture_method", {"automatic", "automatic_async", "manual"}));
    fields.push_back(params::boolean("confirm"));
    fields.push_back(params::boolean("error_on_requires_action"));
    fields.push_back(params::choice("confirmation_method", {"automatic"}));
    fields.push_back(params::text("off_session"));
    for (auto& field : payment_methods::type_fields())
      fields.push_back(std::move(field));
    fields.push_back(params::text("return_url", 2048));
    fields.push_back(params::boolean("use_stripe_sdk"));
    return fields;
  }();
  return takes;
}

answer<json> create(context& ctx) {
  const auto types = payment_methods::types_given(ctx);
  if (!types) return std::unexpected(types.error());
  if (auto session = check_off_session(ctx); !session) return std::unexpected(session.error());
  const bool now = ctx.truth("confirm");
  for (const char* param : {"off_session", "return_url", "error_on_requires_action"}) {
    if (now || !ctx.given(param)) continue;
    return refuse("You cannot set `" + std::string(param) +
                      "` when creating a PaymentIntent without `confirm`.",
                  param);
  }
  json fields = json::object();
  fields["amount"] = ctx.param("amount");
  fields["currency"] = ctx.param("currency");
  if (!*types) {
    fields["automatic_payment_methods"] = {{"allow_redirects", "always"}, {"enabled", true}};
    if (ctx.given("automatic_payment_methods")) {
      fields["automatic_payment_methods"].update(ctx.param("automatic_payment_methods"));
    }
  }
  if (auto taken = take_shared(ctx, fields); !taken) return std::unexpected(taken.error());
  if (now && is_null(fields, "payment_method")) {
    return refuse(missing_method(fields), {}, "payment_intent_unexpected_state");
  }
  const std::string id = make(ctx, fields);
  if (now) return confirm_and_answer(ctx, id);
  return ctx.shown(kind::payment_intent, id);
}

const params::schema& retrieve_takes() {
  static const params::schema takes = {params::text("client_secret")};
  return takes;
}

answer<json> retrieve(context& ctx) {
  auto intent = ctx.object();
  if (!intent) return intent;
  if (ctx.given("client_secret") &&
      ctx.text("client_secret") != text_of(*intent, "client_secret")) {
    return refuse(
        "The client_secret provided does not match the client_secret associated with "
        "the PaymentIntent.",
        "client_secret", "payment_intent_invalid_parameter");
  }
  return view_of(ctx.state, kind::payment_intent, *intent);
}

const params::schema& update_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::amount("amount"));
    return fields;
  }();
  return takes;
}

answer<json> update(context& ctx) {
  auto intent = ctx.object();
  if (!intent) return intent;
  const std::string id = text_of(*intent, "id");
  const std::string status = text_of(*intent, "status");
  const bool open =
      one_of(status, {"requires_payment_method", "requires_confirmation", "requires_action"});
  for (const char* guarded : {"amount", "payment_method", "customer"}) {
    if (ctx.given(guarded) && !open) {
      return unexpected_state(
          ctx, *intent,
          "This PaymentIntent's " + std::string(guarded) +
              " could not be updated because it has a status of " + status +
              ". You may only update the " + guarded +
              " of a PaymentIntent with one of the following statuses: requires_payment_method, "
              "requires_confirmation, requires_action.",
          guarded);
    }
  }
  if (ctx.given("amount") && intent->contains("_invoice")) {
    return unexpected_state(ctx, *intent,
                            "The amount of a PaymentIntent that belongs to an invoice cannot be "
                            "updated.",
                            "amount");
  }
  ctx.copy_given(*intent, {"amount"});
  if (auto taken = take_shared(ctx, *intent); !taken) return std::unexpected(taken.error());
  if (ctx.given("payment_method")) {
    (*intent)["status"] =
        is_null(*intent, "payment_method") ? "requires_payment_method" : "requires_confirmation";
    (*intent)["next_action"] = nullptr;
  }
  ctx.state.replace(kind::payment_intent, std::move(*intent));
  return ctx.shown(kind::payment_intent, id);
}

const params::schema& confirm_takes() {
  static const params::schema takes = {params::boolean("error_on_requires_action"),
                                       params::text("off_session"),
                                       params::text("payment_method"),
                                       payment_methods::data_field(),
                                       params::text("receipt_email", 512).clearable(),
                                       params::text("return_url", 2048),
                                       setup_future_usage().clearable(),
                                       params::shipping("shipping"),
                                       params::boolean("use_stripe_sdk")};
  return takes;
}

answer<json> confirm_one(context& ctx) {
  auto intent = ctx.object();
  if (!intent) return intent;
  if (auto session = check_off_session(ctx); !session) return std::unexpected(session.error());
  const std::string id = text_of(*intent, "id");
  const std::string status = text_of(*intent, "status");
  if (status == "succeeded") {
    return unexpected_state(ctx, *intent,
                            "You cannot confirm this PaymentIntent because it has already "
                            "succeeded after being previously confirmed.");
  }
  if (!one_of(status, {"requires_payment_method", "requires_confirmation", "requires_action"})) {
    return unexpected_state(ctx, *intent,
                            "You cannot confirm this PaymentIntent because it has a status of " +
                                status +
                                ". Only a PaymentIntent with one of the following statuses may be "
                                "confirmed: requires_confirmation, requires_action.");
  }
  if (auto taken = take_shared(ctx, *intent); !taken) return std::unexpected(taken.error());
  if (is_null(*intent, "payment_method")) {
    return unexpected_state(ctx, *intent, missing_method(*intent));
  }
  ctx.state.replace(kind::payment_intent, std::move(*intent));
  return confirm_and_answer(ctx, id);
}

const params::schema& capture_takes() {
  static const params::schema takes = {params::amount("amount_to_capture"), params::metadata()};
  return takes;
}

answer<json> capture(context& ctx) {
  auto intent = ctx.object();
  if (!intent) return intent;
  const std::string id = text_of(*intent, "id");
  const std::string status = text_of(*intent, "status");
  if (status != "requires_capture") {
    return unexpected_state(ctx, *intent,
                            "This PaymentIntent could not be captured because it has a status of " +
                                status +
                                ". Only a PaymentIntent with one of the following statuses may be "
                                "captured: requires_capture.");
  }
  const std::int64_t capturable = number_of(*intent, "amount_capturable");
  const std::int64_t amount =
      ctx.given("amount_to_capture") ? ctx.number("amount_to_capture") : capturable;
  if (amount > capturable) {
    return refuse(
        "Invalid amount_to_capture: you cannot capture an amount greater than the "
        "amount capturable.",
        "amount_to_capture", "amount_too_large");
  }
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*intent, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  const std::string charge_id = text_of(*intent, "latest_charge");
  json charge = ctx.state.live(kind::charge, charge_id);
  charge["amount_captured"] = amount;
  charge["amount_refunded"] = capturable - amount;
  charge["captured"] = true;
  ctx.state.replace(kind::charge, std::move(charge));
  ctx.emit("charge.captured", kind::charge, charge_id);
  intent->erase("_due");
  (*intent)["amount_capturable"] = 0;
  (*intent)["amount_received"] = amount;
  (*intent)["status"] = "succeeded";
  ctx.state.replace(kind::payment_intent, std::move(*intent));
  ctx.emit("payment_intent.succeeded", kind::payment_intent, id);
  charges::settle(ctx, charge_id);
  return ctx.shown(kind::payment_intent, id);
}

const params::schema& cancel_takes() {
  static const params::schema takes = {params::choice(
      "cancellation_reason", {"duplicate", "fraudulent", "requested_by_customer", "abandoned"})};
  return takes;
}

answer<json> cancel(context& ctx) {
  auto intent = ctx.object();
  if (!intent) return intent;
  const std::string id = text_of(*intent, "id");
  const std::string status = text_of(*intent, "status");
  if (!one_of(status, {"requires_payment_method", "requires_capture", "requires_confirmation",
                       "requires_action"})) {
    return unexpected_state(ctx, *intent,
                            "You cannot cancel this PaymentIntent because it has a status of " +
                                status +
                                ". Only a PaymentIntent with one of the following statuses may be "
                                "canceled: requires_payment_method, requires_capture, "
                                "requires_reauthorization, requires_confirmation, "
                                "requires_action, processing.");
  }
  if (intent->contains("_invoice")) {
    return unexpected_state(ctx, *intent,
                            "You cannot cancel this PaymentIntent because it belongs to an "
                            "invoice. Void the invoice instead.");
  }
  if (status == "requires_capture") refunds::release(ctx, text_of(*intent, "latest_charge"));
  end(ctx, id, ctx.text("cancellation_reason"));
  return ctx.shown(kind::payment_intent, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created"), params::text("customer")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "customer", "customer");
  if (!ctx.given("customer")) shown.also.push_back(on_no_clock);
  return list_page(ctx, kind::payment_intent, shown);
}

}  // namespace tilld::sandbox::payment_intents
