#include "sandbox/payments/setup_intents.hpp"

#include "sandbox/machine/paging.hpp"
#include "sandbox/payments/payment_methods.hpp"

namespace tilld::sandbox::setup_intents {

namespace {

json blank_intent(context& ctx) {
  json intent = ctx.make(kind::setup_intent);
  const std::string id = text_of(intent, "id");
  intent["client_secret"] = id + "_secret_" + ctx.state.ids.letters("secret" + id, 25);
  intent["payment_method_options"] = {{"card",
                                       {{"mandate_options", nullptr},
                                        {"network", nullptr},
                                        {"request_three_d_secure", "automatic"}}}};
  intent["payment_method_types"] = json::array({"card"});
  intent["status"] = "requires_payment_method";
  intent["usage"] = "off_session";
  return intent;
}

std::unexpected<failure> unexpected_state(const context& ctx, const json& intent,
                                          std::string message) {
  auto refused = refuse(std::move(message), {}, "setup_intent_unexpected_state");
  refused.error().more = {{"setup_intent", view_of(ctx.state, kind::setup_intent, intent)}};
  return refused;
}

answer<void> take(context& ctx, json& intent) {
  if (auto types = payment_methods::types_given(ctx); !types) {
    return std::unexpected(types.error());
  }
  if (ctx.given("customer")) {
    const auto known = ctx.referred(kind::customer, ctx.text("customer"), "customer");
    if (!known) return std::unexpected(known.error());
  }
  ctx.copy_given(intent, {"customer", "description"});
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(intent, ctx.param("metadata")); !merged) return merged;
  }
  if (!ctx.given("payment_method")) return {};
  auto method = payment_methods::usable(ctx, ctx.text("payment_method"), "payment_method");
  if (!method) return std::unexpected(method.error());
  const std::string owner = text_of(*method, "customer");
  const std::string customer = text_of(intent, "customer");
  if (!owner.empty() && owner != customer) {
    const std::string id = text_of(*method, "id");
    if (customer.empty()) {
      return refuse("The payment method supplied (" + id + ") belongs to the Customer " + owner +
                        ". Please include the Customer in the `customer` parameter on the "
                        "SetupIntent.",
                    "payment_method");
    }
    return refuse("The PaymentMethod " + id + " does not belong to the Customer you supplied " +
                      customer +
                      ". Please use this PaymentMethod with the Customer that it belongs to "
                      "instead.",
                  "payment_method");
  }
  intent["payment_method"] = (*method)["id"];
  if (text_of(intent, "status") == "requires_payment_method") {
    intent["status"] = "requires_confirmation";
  }
  return {};
}

json no_authentication() {
  json asked = json::object();
  for (const char* part : {"authentication_flow", "electronic_commerce_indicator", "result",
                           "result_reason", "transaction_id", "version"}) {
    asked[part] = nullptr;
  }
  return asked;
}

// One try to save the card, kept beside the intent.
std::string note_attempt(context& ctx, const json& intent, const json& method,
                         const std::string& status, const json& error) {
  json attempt = ctx.make(kind::setup_attempt);
  std::string id = text_of(attempt, "id");
  const json& card = method["card"];
  json details = json::object();
  for (const char* part :
       {"brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4"}) {
    details[part] = card[part];
  }
  details["network"] = card["brand"];
  details["three_d_secure"] = status == "succeeded" ? json(nullptr) : no_authentication();
  details["wallet"] = nullptr;
  attempt["customer"] = intent["customer"];
  attempt["payment_method"] = method["id"];
  attempt["payment_method_details"] = {{"card", std::move(details)}, {"type", "card"}};
  attempt["setup_error"] = error;
  attempt["setup_intent"] = intent["id"];
  attempt["status"] = status;
  attempt["usage"] = intent["usage"];
  ctx.state.insert(kind::setup_attempt, std::move(attempt));
  return id;
}

json setup_error(const context& ctx, const decline& why, const json& method) {
  std::string page(why.code);
  for (char& c : page)
    c = c == '_' ? '-' : c;
  json error = json::object();
  error["code"] = why.code;
  error["decline_code"] = why.decline_code;
  error["doc_url"] = "https://stripe.com/docs/error-codes/" + page;
  error["message"] = why.message;
  error["payment_method"] = view_of(ctx.state, kind::payment_method, method);
  error["type"] = "card_error";
  return error;
}

failure fail(context& ctx, json intent, const json& method, const decline& why) {
  const std::string id = text_of(intent, "id");
  const json error = setup_error(ctx, why, method);
  intent["latest_attempt"] = note_attempt(ctx, intent, method, "failed", error);
  intent["last_setup_error"] = error;
  intent["next_action"] = nullptr;
  intent["payment_method"] = nullptr;
  intent["status"] = "requires_payment_method";
  ctx.state.replace(kind::setup_intent, std::move(intent));
  ctx.emit("setup_intent.setup_failed", kind::setup_intent, id);
  failure refused = payment_methods::card_failure(why);
  refused.kept = true;
  refused.more["payment_method"] = error["payment_method"];
  refused.more["setup_intent"] = ctx.shown(kind::setup_intent, id);
  return refused;
}

void succeed(context& ctx, json intent, json method) {
  const std::string id = text_of(intent, "id");
  const std::string customer = text_of(intent, "customer");
  const bool there = ctx.state.find_live(kind::customer, customer) != nullptr;
  if (there && is_null(method, "customer")) {
    if (auto attached = payment_methods::attach_to(ctx, method, customer)) method = *attached;
  }
  method["_set_up"] = true;
  intent["latest_attempt"] = note_attempt(ctx, intent, method, "succeeded", nullptr);
  ctx.state.replace(kind::payment_method, std::move(method));
  intent["last_setup_error"] = nullptr;
  intent["next_action"] = nullptr;
  intent["status"] = "succeeded";
  ctx.state.replace(kind::setup_intent, std::move(intent));
  ctx.emit("setup_intent.succeeded", kind::setup_intent, id);
}

bool asks_when_saved(const card& of) {
  return of.asks == authentication::unless_set_up || of.asks == authentication::always;
}

answer<json> try_card(context& ctx, const std::string& id) {
  json intent = ctx.state.live(kind::setup_intent, id);
  const json method = ctx.state.live(kind::payment_method, text_of(intent, "payment_method"));
  const card& of = payment_methods::card_of(method);
  if (of.refusal && !of.attaches) return std::unexpected(fail(ctx, intent, method, *of.refusal));
  if (!asks_when_saved(of)) {
    succeed(ctx, std::move(intent), method);
    return ctx.shown(kind::setup_intent, id);
  }
  const std::string page =
      ctx.facts.page("https://hooks.stripe.com", "/redirect/authenticate/" + id);
  const std::string back = ctx.text("return_url");
  if (back.empty()) {
    intent["next_action"] = {
        {"type", "use_stripe_sdk"},
        {"use_stripe_sdk", {{"stripe_js", page}, {"type", "three_d_secure_redirect"}}}};
  } else {
    intent["next_action"] = {{"redirect_to_url", {{"return_url", back}, {"url", page}}},
                             {"type", "redirect_to_url"}};
  }
  intent["latest_attempt"] = note_attempt(ctx, intent, method, "requires_action", nullptr);
  intent["status"] = "requires_action";
  ctx.state.replace(kind::setup_intent, std::move(intent));
  ctx.emit("setup_intent.requires_action", kind::setup_intent, id);
  return ctx.shown(kind::setup_intent, id);
}

params::schema shared_fields() {
  params::schema fields = {params::text("customer"), params::text("description", 1000),
                           params::metadata(), params::text("payment_method")};
  for (auto& field : payment_methods::type_fields())
    fields.push_back(std::move(field));
  return fields;
}

}  // namespace

std::string make_for(context& ctx, const std::string& customer) {
  json intent = blank_intent(ctx);
  std::string id = text_of(intent, "id");
  intent["customer"] = customer;
  ctx.state.insert(kind::setup_intent, std::move(intent));
  ctx.emit("setup_intent.created", kind::setup_intent, id);
  return id;
}

bool authenticated(context& ctx, const std::string& id, bool passed) {
  const json* found = ctx.state.find_live(kind::setup_intent, id);
  if (found == nullptr || text_of(*found, "status") != "requires_action") return false;
  const json method = ctx.state.live(kind::payment_method, text_of(*found, "payment_method"));
  if (passed) {
    succeed(ctx, *found, method);
  } else {
    static constexpr decline failed{"setup_intent_authentication_failure",
                                    "authentication_not_handled",
                                    "The latest attempt to set up the payment method has failed "
                                    "because authentication failed."};
    fail(ctx, *found, method, failed);
  }
  return true;
}

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::hash("automatic_payment_methods",
                                  {params::boolean("enabled").needed(),
                                   params::choice("allow_redirects", {"always", "never"})}));
    fields.push_back(params::boolean("confirm"));
    fields.push_back(params::text("return_url", 2048));
    fields.push_back(params::choice("usage", {"off_session", "on_session"}));
    fields.push_back(params::boolean("use_stripe_sdk"));
    return fields;
  }();
  return takes;
}

answer<json> create(context& ctx) {
  json intent = blank_intent(ctx);
  const std::string id = text_of(intent, "id");
  if (!payment_methods::types_given(ctx).value_or(true)) {
    intent["automatic_payment_methods"] = {{"allow_redirects", "always"}, {"enabled", true}};
    if (ctx.given("automatic_payment_methods")) {
      intent["automatic_payment_methods"].update(ctx.param("automatic_payment_methods"));
    }
  }
  ctx.copy_given(intent, {"usage"});
  if (auto taken = take(ctx, intent); !taken) return std::unexpected(taken.error());
  const bool ready = !is_null(intent, "payment_method");
  if (ctx.truth("confirm") && !ready) {
    return refuse(stripe::parameter_missing("payment_method"));
  }
  ctx.state.insert(kind::setup_intent, std::move(intent));
  ctx.emit("setup_intent.created", kind::setup_intent, id);
  if (ctx.truth("confirm")) return try_card(ctx, id);
  return ctx.shown(kind::setup_intent, id);
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
        "the SetupIntent.",
        "client_secret");
  }
  return view_of(ctx.state, kind::setup_intent, *intent);
}

const params::schema& update_takes() {
  static const params::schema takes = shared_fields();
  return takes;
}

answer<json> update(context& ctx) {
  auto intent = ctx.object();
  if (!intent) return intent;
  const std::string id = text_of(*intent, "id");
  const std::string status = text_of(*intent, "status");
  if (ctx.given("payment_method") && status == "succeeded") {
    return unexpected_state(ctx, *intent,
                            "You cannot update this SetupIntent because it has already succeeded.");
  }
  if (auto taken = take(ctx, *intent); !taken) return std::unexpected(taken.error());
  ctx.state.replace(kind::setup_intent, std::move(*intent));
  return ctx.shown(kind::setup_intent, id);
}

const params::schema& confirm_takes() {
  static const params::schema takes = {params::text("payment_method"),
                                       params::text("return_url", 2048),
                                       params::boolean("use_stripe_sdk")};
  return takes;
}

answer<json> confirm(context& ctx) {
  auto intent = ctx.object();
  if (!intent) return intent;
  const std::string id = text_of(*intent, "id");
  const std::string status = text_of(*intent, "status");
  if (auto taken = take(ctx, *intent); !taken) return std::unexpected(taken.error());
  if (is_null(*intent, "payment_method")) {
    return unexpected_state(
        ctx, *intent,
        "You cannot confirm this SetupIntent because it's missing a payment method. You can either "
        "update the SetupIntent with a payment method and then confirm it again, or confirm it "
        "again directly with a payment method or ConfirmationToken.");
  }
  if (status == "succeeded" || status == "canceled") {
    return unexpected_state(
        ctx, *intent,
        "You cannot confirm this SetupIntent because it has already " +
            std::string(status == "succeeded" ? "succeeded." : "been canceled."));
  }
  ctx.state.replace(kind::setup_intent, std::move(*intent));
  return try_card(ctx, id);
}

const params::schema& cancel_takes() {
  static const params::schema takes = {
      params::choice("cancellation_reason", {"abandoned", "duplicate", "requested_by_customer"})};
  return takes;
}

answer<json> cancel(context& ctx) {
  auto intent = ctx.object();
  if (!intent) return intent;
  const std::string id = text_of(*intent, "id");
  const std::string status = text_of(*intent, "status");
  if (status == "canceled") {
    return unexpected_state(ctx, *intent,
                            "You cannot cancel this SetupIntent because it is already canceled.");
  }
  if (status == "succeeded") {
    return unexpected_state(ctx, *intent,
                            "You cannot cancel this SetupIntent because it has a status of "
                            "succeeded. Only a SetupIntent with one of the following statuses may "
                            "be canceled: `requires_payment_method`, `requires_confirmation`, or "
                            "`requires_action`.");
  }
  (*intent)["cancellation_reason"] = ctx.param("cancellation_reason");
  (*intent)["next_action"] = nullptr;
  (*intent)["status"] = "canceled";
  ctx.state.replace(kind::setup_intent, std::move(*intent));
  ctx.emit("setup_intent.canceled", kind::setup_intent, id);
  return ctx.shown(kind::setup_intent, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created"), params::text("customer"),
                                       params::text("payment_method")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "customer", "customer");
  shown.equal(ctx, "payment_method", "payment_method");
  return list_page(ctx, kind::setup_intent, shown);
}

const params::schema& attempt_list_takes() {
  static const params::schema takes = {params::range("created"),
                                       params::text("setup_intent").needed()};
  return takes;
}

answer<json> attempt_list(context& ctx) {
  const std::string id = ctx.text("setup_intent");
  if (auto known = ctx.referred(kind::setup_intent, id, "setup_intent"); !known) return known;
  filter shown;
  shown.where.push_back({"setup_intent", {id}});
  return list_page(ctx, kind::setup_attempt, shown);
}

}  // namespace tilld::sandbox::setup_intents
