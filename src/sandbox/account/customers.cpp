#include "sandbox/account/customers.hpp"

#include "sandbox/account/tax_ids.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/payments/payment_methods.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"
#include "sandbox/time/test_clocks.hpp"

namespace tilld::sandbox::customers {

namespace {

params::schema shared_fields() {
  return {params::address("address").clearable(),
          params::integer("balance"),
          params::text("business_name").clearable(),
          params::text("description").clearable(),
          params::text("email", 512).clearable(),
          params::text("individual_name").clearable(),
          params::text("invoice_prefix", 12),
          params::hash("invoice_settings",
                       {params::text("default_payment_method").clearable(),
                        params::text("footer").clearable(),
                        params::list("custom_fields", {params::text("name", 40).needed(),
                                                       params::text("value", 140).needed()})
                            .clearable(),
                        params::unsimulated("rendering_options")}),
          params::metadata(),
          params::text("name", 256).clearable(),
          params::integer("next_invoice_sequence").at_least(1).at_most(1'000'000'000),
          params::text("phone", 20).clearable(),
          params::texts("preferred_locales").clearable(),
          params::shipping("shipping"),
          params::choice("tax_exempt", {"exempt", "none", "reverse"}).clearable()};
}

json invoice_settings() {
  return {{"custom_fields", nullptr},
          {"default_payment_method", nullptr},
          {"footer", nullptr},
          {"rendering_options", nullptr}};
}

json full_address(const json& given) {
  json address = json::object();
  for (const char* part : {"city", "country", "line1", "line2", "postal_code", "state"}) {
    address[part] = given.is_object() && given.contains(part) ? given[part] : json(nullptr);
  }
  return address;
}

bool is_email(std::string_view text) {
  const auto at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find(' ') == std::string_view::npos && text.find('@', at + 1) == text.npos;
}

answer<void> take_place(json& customer, const context& ctx) {
  if (ctx.given("address")) {
    const json& given = ctx.param("address");
    json address = customer["address"].is_null() ? full_address(given) : customer["address"];
    merge_hash(address, given);
    customer["address"] = std::move(address);
  }
  if (!ctx.given("shipping")) return {};
  const json& given = ctx.param("shipping");
  if (given.is_null()) {
    customer["shipping"] = nullptr;
  } else if (!given.empty()) {
    json& shipping = customer["shipping"];
    if (shipping.is_null()) {
      for (const char* needed : {"address", "name"}) {
        if (!given.contains(needed)) {
          return refuse(stripe::parameter_missing("shipping[" + std::string(needed) + "]"));
        }
      }
      shipping = {{"address", full_address(nullptr)}, {"name", nullptr}, {"phone", nullptr}};
    }
    merge_hash(shipping, given);
  }
  return {};
}

answer<void> take_shared(context& ctx, json& customer) {
  if (ctx.given("email") && !ctx.param("email").is_null() && !is_email(ctx.text("email"))) {
    return refuse("Invalid email address: " + ctx.text("email"), "email", "email_invalid");
  }
  ctx.copy_given(customer, {"business_name", "description", "email", "individual_name", "name",
                            "invoice_prefix", "next_invoice_sequence", "phone"});
  if (ctx.given("preferred_locales")) {
    const json& locales = ctx.param("preferred_locales");
    customer["preferred_locales"] = locales.is_null() ? json::array() : locales;
  }
  if (ctx.given("tax_exempt")) {
    customer["tax_exempt"] = ctx.param("tax_exempt").is_null() ? "none" : ctx.text("tax_exempt");
  }
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(customer, ctx.param("metadata")); !merged) return merged;
  }
  return take_place(customer, ctx);
}

answer<void> take_default_method(context& ctx, json& customer) {
  const json& settings = ctx.param("invoice_settings");
  if (settings.is_null()) return {};
  for (const char* member : {"custom_fields", "footer"}) {
    if (settings.contains(member)) customer["invoice_settings"][member] = settings[member];
  }
  if (settings.contains("custom_fields") && settings["custom_fields"].size() > 4) {
    return refuse("You can set at most 4 custom fields.", "invoice_settings[custom_fields]");
  }
  if (!settings.contains("default_payment_method")) return {};
  const std::string id = text_of(settings, "default_payment_method");
  if (!id.empty()) {
    const json* method = ctx.state.find_live(kind::payment_method, id);
    if (method == nullptr || text_of(*method, "customer") != text_of(customer, "id")) {
      return refuse("The customer does not have a payment method with the ID " + id +
                        ". The payment method must be attached to the customer.",
                    "invoice_settings[default_payment_method]", "resource_missing");
    }
  }
  customer["invoice_settings"]["default_payment_method"] = id.empty() ? json(nullptr) : json(id);
  return {};
}

// payment_method=pm_card_visa together with it as the default means the one that is made of it.
answer<void> take_first_method(context& ctx, json& customer) {
  if (!ctx.given("payment_method")) return {};
  auto method = payment_methods::usable(ctx, ctx.text("payment_method"), "payment_method");
  if (!method) return std::unexpected(method.error());
  auto attached = payment_methods::attach_to(ctx, std::move(*method), text_of(customer, "id"));
  if (!attached) return std::unexpected(attached.error());
  if (text_of(ctx.param("invoice_settings"), "default_payment_method") ==
      ctx.text("payment_method")) {
    ctx.params["invoice_settings"]["default_payment_method"] = text_of(*attached, "id");
  }
  return {};
}

json newest_transaction(const context& ctx) {
  const table& all = std::as_const(ctx.state).of(kind::customer_balance_transaction);
  return all.at(all.size() - 1).document;
}

}  // namespace

void change_balance(context& ctx, const std::string& customer, std::int64_t amount,
                    const std::string& currency, const std::string& type,
                    const std::string& invoice) {
  json changed = ctx.state.live(kind::customer, customer);
  const std::int64_t balance = number_of(changed, "balance") + amount;
  changed["balance"] = balance;
  if (changed["currency"].is_null()) changed["currency"] = currency;
  ctx.state.replace(kind::customer, std::move(changed));
  json transaction = ctx.make(kind::customer_balance_transaction);
  transaction["amount"] = amount;
  transaction["currency"] = currency;
  transaction["customer"] = customer;
  transaction["ending_balance"] = balance;
  if (!invoice.empty()) transaction["invoice"] = invoice;
  transaction["type"] = type;
  ctx.state.insert(kind::customer_balance_transaction, std::move(transaction));
}

std::string credit(context& ctx, const std::string& customer, std::int64_t amount,
                   const std::string& currency, const json& credit_note) {
  change_balance(ctx, customer, -amount, currency, "credit_note", text_of(credit_note, "invoice"));
  json transaction = newest_transaction(ctx);
  transaction["credit_note"] = credit_note["id"];
  std::string id = text_of(transaction, "id");
  ctx.state.replace(kind::customer_balance_transaction, std::move(transaction));
  return id;
}

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::text("payment_method"));
    fields.push_back(tax_ids::data_field());
    fields.push_back(params::text("test_clock"));
    return fields;
  }();
  return takes;
}

const params::schema& update_takes() {
  static const params::schema takes = shared_fields();
  return takes;
}

answer<json> create(context& ctx) {
  if (ctx.given("test_clock")) {
    if (auto room = test_clocks::check_room(ctx, ctx.text("test_clock")); !room) {
      return std::unexpected(room.error());
    }
  }
  json customer = ctx.make(kind::customer);
  const std::string id = text_of(customer, "id");
  customer["balance"] = 0;
  customer["delinquent"] = false;
  customer["invoice_prefix"] = ctx.state.ids.capitals(id, 8);
  customer["invoice_settings"] = invoice_settings();
  customer["next_invoice_sequence"] = 1;
  customer["preferred_locales"] = json::array();
  customer["tax_exempt"] = "none";
  if (auto taken = take_shared(ctx, customer); !taken) return std::unexpected(taken.error());
  ctx.state.insert(kind::customer, customer);
  if (const std::int64_t balance = ctx.number("balance"); balance != 0) {
    change_balance(ctx, id, balance, ctx.facts.currency, "adjustment", "");
  }
  if (auto taken = take_first_method(ctx, customer); !taken) return std::unexpected(taken.error());
  customer = ctx.state.live(kind::customer, id);
  if (auto taken = take_default_method(ctx, customer); !taken) {
    return std::unexpected(taken.error());
  }
  ctx.state.replace(kind::customer, std::move(customer));
  ctx.emit("customer.created", kind::customer, id);
  if (auto added = tax_ids::add(ctx, id, ctx.param("tax_id_data")); !added) {
    return std::unexpected(added.error());
  }
  return ctx.shown(kind::customer, id);
}

answer<json> retrieve(context& ctx) {
  const std::string& id = ctx.arguments.front();
  json customer = ctx.shown(kind::customer, id);
  if (customer.is_null()) return missing(kind::customer, id, "id", 404);
  return customer;
}

answer<json> update(context& ctx) {
  auto customer = ctx.object();
  if (!customer) return customer;
  const std::string id = text_of(*customer, "id");
  const json before = ctx.shown(kind::customer, id);
  if (auto taken = take_shared(ctx, *customer); !taken) return std::unexpected(taken.error());
  if (auto taken = take_default_method(ctx, *customer); !taken) {
    return std::unexpected(taken.error());
  }
  const std::int64_t balance = number_of(*customer, "balance");
  ctx.state.replace(kind::customer, std::move(*customer));
  if (ctx.given("balance") && ctx.number("balance") != balance) {
    const std::string theirs = text_of(before, "currency");
    change_balance(ctx, id, ctx.number("balance") - balance,
                   theirs.empty() ? ctx.facts.currency : theirs, "adjustment", "");
  }
  ctx.emit_updated("customer.updated", kind::customer, id, before);
  return ctx.shown(kind::customer, id);
}

void end(context& ctx, const std::string& id) {
  subscriptions::cancel_all_of(ctx, id);
  for (const json* method : ctx.state.with(kind::payment_method, "customer", id)) {
    payment_methods::detach_from_customer(ctx, *method);
  }
  json last = ctx.shown(kind::customer, id);
  ctx.state.leave_stub(kind::customer, id);
  ctx.emit_object("customer.deleted", std::move(last));
}

answer<json> remove(context& ctx) {
  auto customer = ctx.object();
  if (!customer) return customer;
  const std::string id = text_of(*customer, "id");
  end(ctx, id);
  return ctx.shown(kind::customer, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created"), params::text("email"),
                                       params::text("test_clock")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "email", "email");
  shown.equal(ctx, "test_clock", "test_clock");
  if (!ctx.given("test_clock")) {
    shown.also.push_back([](const json& customer) { return is_null(customer, "test_clock"); });
  }
  return list_page(ctx, kind::customer, shown);
}

const params::schema& adjust_takes() {
  static const params::schema takes = {params::integer("amount").needed(),
                                       params::currency("currency").needed(),
                                       params::text("description"), params::metadata()};
  return takes;
}

answer<json> adjust(context& ctx) {
  auto customer = ctx.object(kind::customer, ctx.arguments.front());
  if (!customer) return customer;
  const std::string id = text_of(*customer, "id");
  const std::string theirs = text_of(*customer, "currency");
  if (!theirs.empty() && theirs != ctx.text("currency")) {
    return refuse("You passed in a currency of `" + ctx.text("currency") +
                      "`, but the customer's currency is `" + theirs + "`.",
                  "currency");
  }
  ctx.watch_customer(id);
  change_balance(ctx, id, ctx.number("amount"), ctx.text("currency"), "adjustment", "");
  json transaction = newest_transaction(ctx);
  ctx.copy_given(transaction, {"description"});
  if (auto merged = merge_metadata(transaction, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  ctx.state.replace(kind::customer_balance_transaction, transaction);
  return transaction;
}

const params::schema& transactions_takes() {
  static const params::schema takes = {params::range("created"), params::text("invoice")};
  return takes;
}

answer<json> transactions(context& ctx) {
  if (auto known = ctx.object(kind::customer, ctx.arguments.front()); !known) return known;
  filter shown;
  shown.where.push_back({"customer", {ctx.arguments.front()}});
  shown.equal(ctx, "invoice", "invoice");
  return list_page(ctx, kind::customer_balance_transaction, shown);
}

answer<json> transaction(context& ctx) {
  auto found = ctx.object(kind::customer_balance_transaction, ctx.arguments.back());
  if (found && text_of(*found, "customer") != ctx.arguments.front()) {
    return missing(kind::customer_balance_transaction, ctx.arguments.back(), "id", 404);
  }
  return found;
}

}  // namespace tilld::sandbox::customers
