#include "sandbox/pages/pages.hpp"

#include <array>

#include "sandbox/account/files.hpp"
#include "sandbox/billing/invoices.hpp"
#include "sandbox/machine/asking.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/money.hpp"
#include "sandbox/pages/checkout.hpp"
#include "sandbox/pages/html.hpp"
#include "sandbox/pages/payment_links.hpp"
#include "sandbox/pages/portal.hpp"
#include "sandbox/pages/requests.hpp"
#include "sandbox/payments/payment_intents.hpp"
#include "sandbox/payments/payment_methods.hpp"
#include "sandbox/payments/setup_intents.hpp"
#include "stripe/form.hpp"

namespace tilld::sandbox::pages {

namespace {

using names_and_amounts = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view authentication = "/redirect/authenticate/";

tilld::sandbox::page html(std::string body, int status = 200) {
  tilld::sandbox::page p;
  p.status = status;
  p.body = std::move(body);
  return p;
}

tilld::sandbox::page go_to(std::string url) {
  tilld::sandbox::page p;
  p.status = 303;
  p.location = std::move(url);
  return p;
}

tilld::sandbox::page gone(const std::string& what) {
  return html(pages::page("Nothing here", "<section>" + escaped(what) + "</section>"), 404);
}

json form_of(std::string_view body) {
  json form = json::object();
  if (const auto pairs = stripe::decode_form(body)) {
    for (const auto& [name, value] : *pairs)
      form[name] = value;
  }
  return form;
}

std::string amount_of(const json& object, const char* member) {
  return amount_text(number_of(object, member), text_of(object, "currency"));
}

std::string success_url(const json& session) {
  std::string url = text_of(session, "success_url");
  constexpr std::string_view mark = "{CHECKOUT_SESSION_ID}";
  for (auto at = url.find(mark); at != url.npos; at = url.find(mark, at)) {
    url.replace(at, mark.size(), text_of(session, "id"));
  }
  return url;
}

std::string checkout_page(const context& ctx, const json& session, const json& typed,
                          const std::string& problem) {
  names_and_amounts items;
  for (const auto& item : checkout::items_of(ctx, text_of(session, "id"))) {
    const std::int64_t quantity = number_of(item, "quantity");
    const std::string count = quantity <= 1 ? "" : std::to_string(quantity) + " × ";
    items.emplace_back(count + text_of(item, "description"), amount_of(item, "amount_subtotal"));
  }
  const bool setup = text_of(session, "mode") == "setup";
  for (const char* part : {"amount_discount", "amount_tax"}) {
    const std::int64_t amount = setup ? 0 : number_of(session["total_details"], part);
    if (amount == 0) continue;
    const bool off = std::string_view(part) == "amount_discount";
    items.emplace_back(off ? "Discount" : "Tax",
                       (off ? "-" : "") + amount_text(amount, text_of(session, "currency")));
  }
  if (!setup) items.emplace_back("Total", amount_of(session, "amount_total"));
  std::vector<field> fields;
  if (is_null(session, "customer") && is_null(session, "customer_email")) {
    const std::string email =
        typed.contains("email") ? text_of(typed, "email") : text_of(session, "_typed_email");
    fields.push_back({"email", "Email", email, "email", "ada@example.com"});
  }
  const bool optional = checkout::may_go_without_card(session);
  for (auto& f : card_fields()) {
    f.required = !optional;
    fields.push_back(std::move(f));
  }
  fields.push_back({"name", "Name on the card", text_of(typed, "name"), "cc-name", ""});
  const std::string button = setup                                        ? "Save card"
                             : text_of(session, "mode") == "subscription" ? "Subscribe"
                                                                          : "Pay";
  std::string body = setup ? "" : "<section>" + rows(items) + "</section>";
  if (truth_of(session, "allow_promotion_codes")) {
    body += "<section>" + form({{"promotion_code", "Promotion code", "", "off", ""}}, "Apply") +
            "</section>";
  }
  body += "<section>" + form(fields, button) + "</section>";
  if (const std::string back = text_of(session, "cancel_url"); !back.empty()) {
    body += "<p><a href=\"" + escaped(back) + "\">Back</a></p>";
  }
  return pages::page(ctx.facts.name + ": checkout", body, problem);
}

tilld::sandbox::page visit_checkout(context& ctx, const page_visit& v, const std::string& id) {
  const json* found = ctx.state.find_live(kind::checkout_session, id);
  if (found == nullptr) return gone("There is no such checkout.");
  std::string problem;
  if (text_of(*found, "status") == "open" && v.verb == "POST") {
    const json typed = form_of(v.body);
    if (const std::string code = text_of(typed, "promotion_code"); !code.empty()) {
      auto applied = checkout::apply_code(ctx, id, code);
      const json session = ctx.state.live(kind::checkout_session, id);
      const std::string why = applied ? "" : applied.error().error.message;
      return html(checkout_page(ctx, session, json::object(), why), why.empty() ? 200 : 402);
    }
    const auto done = checkout::complete(ctx, id, typed);
    if (done && !done->authenticate.empty()) {
      return go_to(std::string(authentication) + done->authenticate + "?session=" + id);
    }
    if (!done) problem = done.error().error.message;
  } else if (text_of(*found, "status") == "open") {
    if (auto back = checkout::come_back(ctx, id); !back) problem = back.error().error.message;
  }
  const json session = ctx.state.live(kind::checkout_session, id);
  const std::string status = text_of(session, "status");
  if (status == "complete") return go_to(success_url(session));
  if (status == "expired") return gone("This checkout has expired.");
  return html(checkout_page(ctx, session, form_of(v.body), problem), problem.empty() ? 200 : 402);
}

// The thanks that a link has for whoever has paid by it.
tilld::sandbox::page thank(const context& ctx, const std::string& link, const std::string& id) {
  const json* session = ctx.state.find_live(kind::checkout_session, id);
  const bool paid = session != nullptr && text_of(*session, "payment_link") == link &&
                    text_of(*session, "status") == "complete";
  if (!paid) return gone("There is no such checkout.");
  const json* said = at_path(ctx.state.live(kind::payment_link, link),
                             "after_completion.hosted_confirmation.custom_message");
  const std::string message = said != nullptr && said->is_string() ? said->get<std::string>() : "";
  return html(pages::page("Thank you", "<section><p role=\"status\">" +
                                           escaped(message.empty() ? "It is done." : message) +
                                           "</p></section>"));
}

tilld::sandbox::page visit_link(context& ctx, const page_visit& v, const std::string& id) {
  if (ctx.state.find_live(kind::payment_link, id) == nullptr) {
    return gone("There is no such payment link.");
  }
  const json query = form_of(v.query);
  const std::string session = text_of(query, "session");
  if (!session.empty()) return thank(ctx, id, session);
  auto made = payment_links::open(ctx, id, query);
  if (!made) return gone(made.error().error.message);
  return go_to("/c/pay/" + text_of(*made, "id"));
}

// Where the customer goes back to: the page that sent them, or the return_url that they came with.
std::string way_back(const json& intent, const std::string& session) {
  if (!session.empty()) return "/c/pay/" + session;
  const json* url = at_path(intent, "next_action.redirect_to_url.return_url");
  return url != nullptr && url->is_string() ? url->get<std::string>() : std::string();
}

tilld::sandbox::page visit_bank(context& ctx, const page_visit& v, const std::string& id) {
  const json* found = ctx.state.find_live(kind::payment_intent, id);
  if (found == nullptr) found = ctx.state.find_live(kind::setup_intent, id);
  if (found == nullptr) return gone("There is no such payment.");
  const json intent = *found;
  const std::string session = text_of(form_of(v.query), "session");
  const std::string back = way_back(intent, session);
  if (text_of(intent, "status") != "requires_action") {
    return back.empty() ? gone("There is nothing to authenticate.") : go_to(back);
  }
  if (v.verb == "POST") {
    const bool passes = text_of(form_of(v.body), "result") == "pass";
    if (!payment_intents::authenticated(ctx, id, passes)) {
      setup_intents::authenticated(ctx, id, passes);
    }
    checkout::follow(ctx, id);
    if (!back.empty()) return go_to(back);
    return html(pages::page(passes ? "Authenticated" : "Not authenticated",
                            "<section>You may close this page.</section>"));
  }
  std::string body = "<section><p>Your bank wants to know that it is you.</p>";
  body += form({}, "Complete authentication", {{"result", "pass"}});
  body += form({}, "Fail authentication", {{"result", "fail"}}, true) + "</section>";
  return html(pages::page("3-D Secure", body));
}

std::string pay_invoice(context& ctx, const std::string& id, const json& form) {
  auto card = card_of(ctx, form);
  if (!card) return card.error().error.message;
  const json method = ctx.state.live(kind::payment_method, text_of(*card, "id"));
  const std::string customer = text_of(ctx.state.live(kind::invoice, id), "customer");
  auto attached = payment_methods::attach_to(ctx, method, customer);
  if (!attached) return attached.error().error.message;
  auto paid = ask(ctx, invoices::pay, {{"payment_method", text_of(*attached, "id")}}, {id},
                  "/v1/invoices/{id}/pay");
  return paid ? std::string() : paid.error().error.message;
}

tilld::sandbox::page visit_invoice(context& ctx, const page_visit& v, const std::string& id) {
  const json* found = ctx.state.find_live(kind::invoice, id);
  if (found == nullptr || text_of(*found, "status") == "draft") {
    return gone("There is no such invoice.");
  }
  std::string problem;
  if (v.verb == "POST" && text_of(*found, "status") == "open") {
    problem = pay_invoice(ctx, id, form_of(v.body));
  }
  const json invoice = ctx.shown(kind::invoice, id);
  names_and_amounts lines;
  for (const auto& line : invoice["lines"]["data"])
    lines.emplace_back(text_of(line, "description"), amount_of(line, "amount"));
  lines.emplace_back("Amount due", amount_of(invoice, "amount_due"));
  std::string body = "<section>" + rows(lines) + "</section><section>";
  if (text_of(invoice, "status") == "open") {
    body += form(card_fields(), "Pay " + amount_of(invoice, "amount_remaining"));
  } else {
    body += "<p role=\"status\">This invoice is " + escaped(text_of(invoice, "status")) + ".</p>";
  }
  return html(pages::page("Invoice " + text_of(invoice, "number"), body + "</section>", problem),
              problem.empty() ? 200 : 402);
}

std::string subscription_section(const context& ctx, const json& session, const json& s) {
  const json shown = view_of(ctx.state, kind::subscription, s);
  const std::string id = text_of(s, "id");
  std::string body = "<section><h2>";
  for (const auto& item : shown["items"]["data"]) {
    const json* product = ctx.state.find(kind::product, text_of(item["price"], "product"));
    if (product != nullptr) body += escaped(text_of(*product, "name")) + " ";
  }
  body += "</h2><p>" + escaped(text_of(s, "status"));
  const bool ends = !is_null(s, "cancel_at");
  if (ends) body += ", ends on " + escaped(date_text(number_of(s, "cancel_at")));
  body += "</p>";
  const std::string status = text_of(s, "status");
  if (status != "canceled" && portal::allows(ctx, session, "subscription_cancel")) {
    body += form({}, ends ? "Keep the subscription" : "Cancel the subscription",
                 {{"action", ends ? "keep" : "cancel"}, {"subscription", id}}, true);
  }
  const std::string current = text_of(shown["items"]["data"][0]["price"], "id");
  for (const auto& price_id : portal::prices_to_go_to(ctx, session)) {
    const json* price = ctx.state.find_live(kind::price, price_id);
    if (price == nullptr || price_id == current || status == "canceled") continue;
    const json& product = ctx.state.at(kind::product, text_of(*price, "product"));
    body +=
        form({}, "Switch to " + text_of(product, "name") + ", " + amount_of(*price, "unit_amount"),
             {{"action", "switch"}, {"subscription", id}, {"price", price_id}}, true);
  }
  return body + "</section>";
}

tilld::sandbox::page visit_portal(context& ctx, const page_visit& v, const std::string& id) {
  const json* found = ctx.state.find_live(kind::portal_session, id);
  if (found == nullptr) return gone("There is no such session.");
  const json session = *found;
  std::string problem;
  if (v.verb == "POST") {
    if (auto done = portal::act(ctx, session, form_of(v.body)); !done) {
      problem = done.error().error.message;
    }
  }
  const std::string customer = text_of(session, "customer");
  std::string body;
  for (const json* s : ctx.state.with(kind::subscription, "customer", customer))
    body += subscription_section(ctx, session, *s);
  if (portal::allows(ctx, session, "payment_method_update")) {
    body += "<section><h2>Card</h2>";
    const json* owner = ctx.state.find_live(kind::customer, customer);
    const json* card =
        owner == nullptr
            ? nullptr
            : ctx.state.find(kind::payment_method,
                             text_of((*owner)["invoice_settings"], "default_payment_method"));
    if (card != nullptr) {
      body += "<p>" + escaped(text_of((*card)["card"], "brand")) + " ending in " +
              escaped(text_of((*card)["card"], "last4")) + "</p>";
    }
    body += form(card_fields(), "Use this card", {{"action", "card"}}) + "</section>";
  }
  if (portal::allows(ctx, session, "invoice_history")) {
    names_and_amounts lines;
    for (const json* invoice : ctx.state.with(kind::invoice, "customer", customer)) {
      if (text_of(*invoice, "status") == "draft") continue;
      lines.emplace_back(date_text(created_of(*invoice)) + ", " + text_of(*invoice, "status"),
                         amount_of(*invoice, "total"));
    }
    body += "<section><h2>Invoices</h2>" + rows(lines) + "</section>";
  }
  if (const std::string back = text_of(session, "return_url"); !back.empty()) {
    body += "<p><a href=\"" + escaped(back) + "\">Back</a></p>";
  }
  return html(pages::page(ctx.facts.name + ": your billing", body, problem),
              problem.empty() ? 200 : 402);
}

tilld::sandbox::page visit_file(context& ctx, const page_visit&, const std::string& id) {
  auto file = files::behind(ctx, id);
  if (!file) return gone("There is no such file, or its link has expired.");
  return {200, std::move(file->bytes), {}, std::move(file->content_type)};
}

struct place {
  std::string_view prefix;
  tilld::sandbox::page (*visit)(context&, const page_visit&, const std::string&);
};
constexpr std::array places = {place{"/c/pay/", visit_checkout},   place{"/b/", visit_link},
                               place{"/p/session/", visit_portal}, place{"/i/", visit_invoice},
                               place{authentication, visit_bank},  place{"/links/", visit_file}};

}  // namespace

bool is_page(std::string_view path) {
  for (const auto& p : places) {
    if (path.starts_with(p.prefix)) return true;
  }
  return false;
}

tilld::sandbox::page visit(context& ctx, const page_visit& v) {
  for (const auto& p : places) {
    if (v.path.starts_with(p.prefix)) return p.visit(ctx, v, v.path.substr(p.prefix.size()));
  }
  return gone("There is no such page.");
}

}  // namespace tilld::sandbox::pages
