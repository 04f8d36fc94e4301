#include "sandbox/billing/credit_notes.hpp"

#include <algorithm>
#include <string>

#include "sandbox/account/customers.hpp"
#include "sandbox/billing/credit_lines.hpp"
#include "sandbox/billing/invoicing.hpp"
#include "sandbox/machine/money.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/payments/refunds.hpp"

namespace tilld::sandbox::credit_notes {

namespace {

// How the money of what has been paid goes back.
struct returns {
  std::int64_t by_refund = 0;
  std::int64_t to_balance = 0;
  std::int64_t out_of_band = 0;
  json linked = json::array();  // refunds that were made before: {refund, amount_refunded}
};

answer<json> invoice_of_request(const context& ctx) {
  auto invoice = ctx.referred(kind::invoice, ctx.text("invoice"), "invoice");
  if (!invoice) return invoice;
  const std::string status = text_of(*invoice, "status");
  if (status == "open" || status == "paid" || status == "uncollectible") return invoice;
  return refuse("You cannot create a credit note for an invoice that is " + status +
                    "; it must be open, paid or uncollectible.",
                "invoice");
}

answer<void> link_refunds(const context& ctx, const json& invoice, returns& r) {
  const json given = ctx.param("refunds");
  const json* intent = invoicing::intent_of(ctx, text_of(invoice, "id"));
  const std::string paid_by = intent == nullptr ? std::string() : text_of(*intent, "id");
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string at = "refunds[" + std::to_string(i) + "]";
    const std::string id = text_of(given[i], "refund");
    auto refund = ctx.referred(kind::refund, id, at + "[refund]");
    if (!refund) return std::unexpected(refund.error());
    if (paid_by.empty() || text_of(*refund, "payment_intent") != paid_by) {
      return refuse("The refund " + id + " is not of a payment of this invoice.", at + "[refund]");
    }
    const std::int64_t amount = given[i].contains("amount_refunded")
                                    ? number_of(given[i], "amount_refunded")
                                    : number_of(*refund, "amount");
    if (amount > number_of(*refund, "amount")) {
      return refuse("The amount is greater than the refund's.", at + "[amount_refunded]");
    }
    r.linked.push_back({{"amount_refunded", amount}, {"refund", id}, {"type", "refund"}});
  }
  return {};
}

// They must make up what the note takes of what has been paid.
answer<returns> read_returns(const context& ctx, const json& invoice, std::int64_t paid_part) {
  returns r;
  r.by_refund = ctx.number("refund_amount");
  r.to_balance = ctx.number("credit_amount");
  r.out_of_band = ctx.number("out_of_band_amount");
  if (auto linked = link_refunds(ctx, invoice, r); !linked) {
    return std::unexpected(linked.error());
  }
  std::int64_t sum = r.by_refund + r.to_balance + r.out_of_band;
  for (const auto& one : r.linked)
    sum += number_of(one, "amount_refunded");
  if (sum == paid_part) return r;
  const std::string currency = text_of(invoice, "currency");
  return refuse("The sum of credit amount, refund amount and out of band amount (" +
                amount_text(sum, currency) + ") must equal the credit note amount (" +
                amount_text(paid_part, currency) + ").");
}

std::int64_t credited_before(const json& invoice) {
  return number_of(invoice, "pre_payment_credit_notes_amount") +
         number_of(invoice, "post_payment_credit_notes_amount");
}

answer<void> check_total(const json& invoice, std::int64_t total) {
  const std::string currency = text_of(invoice, "currency");
  const std::int64_t left = number_of(invoice, "total") - credited_before(invoice);
  if (total > left) {
    return refuse("The credit note's amount (" + amount_text(total, currency) +
                      ") is greater than what is left of the invoice to be credited (" +
                      amount_text(left, currency) + ").",
                  "amount");
  }
  if (total <= 0) return refuse("A credit note must have an amount greater than zero.", "amount");
  return {};
}

// The invoice's number and which note of it this is.
std::string next_number(const context& ctx, const json& invoice) {
  const std::size_t n =
      ctx.state.with(kind::credit_note, "invoice", text_of(invoice, "id")).size() + 1;
  return text_of(invoice, "number") + "-CN-" + (n < 10 ? "0" : "") + std::to_string(n);
}

json written(context& ctx, const json& invoice, const credit_lines::read& what,
             std::int64_t due_part) {
  json note = ctx.make(kind::credit_note);
  const std::string id = text_of(note, "id");
  note["amount"] = what.total;
  note["amount_shipping"] = 0;
  note["currency"] = invoice["currency"];
  note["customer"] = invoice["customer"];
  note["discount_amount"] = what.discount;
  note["discount_amounts"] = what.discount_amounts;
  note["effective_at"] = ctx.given("effective_at") ? ctx.param("effective_at") : json(ctx.now);
  note["invoice"] = invoice["id"];
  note["memo"] = ctx.param("memo");
  note["number"] = next_number(ctx, invoice);
  note["pdf"] = "https://pay.stripe.com/credit_notes/" + ctx.facts.id + "/test_" +
                ctx.state.ids.letters("page" + id, 60) + "/pdf?s=ap";
  note["post_payment_amount"] = what.total - due_part;
  note["pre_payment_amount"] = due_part;
  note["pretax_credit_amounts"] = json::array();
  note["reason"] = ctx.param("reason");
  note["refunds"] = json::array();
  note["status"] = "issued";
  note["subtotal"] = what.subtotal;
  note["subtotal_excluding_tax"] = what.subtotal_excluding_tax;
  note["total"] = what.total;
  note["total_excluding_tax"] = what.total_excluding_tax;
  note["total_taxes"] = what.total_taxes;
  note["type"] = due_part == what.total ? "pre_payment" : due_part == 0 ? "post_payment" : "mixed";
  return note;
}

answer<void> give_back(context& ctx, json& note, const json& invoice, const returns& r) {
  note["refunds"] = r.linked;
  if (r.out_of_band > 0) note["out_of_band_amount"] = r.out_of_band;
  if (r.to_balance > 0) {
    const std::string customer = text_of(invoice, "customer");
    ctx.watch_customer(customer);
    note["customer_balance_transaction"] =
        customers::credit(ctx, customer, r.to_balance, text_of(invoice, "currency"), note);
  }
  if (r.by_refund == 0) return {};
  const json* intent = invoicing::intent_of(ctx, text_of(invoice, "id"));
  const std::string charge = intent == nullptr ? std::string() : text_of(*intent, "latest_charge");
  auto refund = refunds::give_back(ctx, charge, r.by_refund);
  if (!refund) return std::unexpected(refund.error());
  note["refunds"].push_back(
      {{"amount_refunded", r.by_refund}, {"refund", *refund}, {"type", "refund"}});
  return {};
}

// The whole of a request. A preview takes it back again.
answer<json> issue(context& ctx) {
  auto invoice = invoice_of_request(ctx);
  if (!invoice) return invoice;
  if (ctx.given("amount") == ctx.given("lines")) {
    return refuse(ctx.given("amount")
                      ? "You may only specify one of these parameters: amount, lines."
                      : "One of amount, lines, or shipping_cost must be provided.",
                  "amount");
  }
  auto what = credit_lines::take(ctx, *invoice);
  if (!what) return std::unexpected(what.error());
  if (auto fits = check_total(*invoice, what->total); !fits) return std::unexpected(fits.error());
  const std::int64_t due_part = std::min(what->total, number_of(*invoice, "amount_remaining"));
  const auto back = read_returns(ctx, *invoice, what->total - due_part);
  if (!back) return std::unexpected(back.error());
  json note = written(ctx, *invoice, *what, due_part);
  if (auto merged = merge_metadata(note, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  const std::string id = text_of(note, "id");
  for (json& line : what->lines) {
    line["_credit_note"] = id;
    ctx.state.insert(kind::credit_note_line_item, std::move(line));
  }
  if (auto given = give_back(ctx, note, *invoice, *back); !given) {
    return std::unexpected(given.error());
  }
  const std::int64_t paid_part = number_of(note, "post_payment_amount");
  ctx.state.insert(kind::credit_note, std::move(note));
  ctx.emit("credit_note.created", kind::credit_note, id);
  invoicing::credit(ctx, text_of(*invoice, "id"), due_part, paid_part);
  return ctx.shown(kind::credit_note, id);
}

filter lines_of(const std::string& note) {
  filter shown;
  shown.where.push_back({"_credit_note", {note}});
  return shown;
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = {
      params::text("invoice").needed(),
      params::integer("amount").at_least(0),
      params::integer("credit_amount").at_least(0),
      params::timestamp("effective_at"),
      params::choice("email_type", {"credit_note", "none"}),
      credit_lines::field(),
      params::text("memo"),
      params::metadata(),
      params::integer("out_of_band_amount").at_least(0),
      params::choice("reason",
                     {"duplicate", "fraudulent", "order_change", "product_unsatisfactory"}),
      params::integer("refund_amount").at_least(0),
      params::list(
          "refunds",
          {params::integer("amount_refunded").at_least(1), params::text("refund").needed(),
           params::unsimulated("payment_record_refund"), params::choice("type", {"refund"})})};
  return takes;
}

answer<json> create(context& ctx) {
  return issue(ctx);
}

answer<json> preview(context& ctx) {
  return ctx.as_if([&] { return issue(ctx); });
}

answer<json> preview_lines(context& ctx) {
  return ctx.as_if([&]() -> answer<json> {
    auto note = issue(ctx);
    if (!note) return note;
    return list_page(ctx, kind::credit_note_line_item, lines_of(text_of(*note, "id")),
                     list_order::oldest_first);
  });
}

answer<json> retrieve(context& ctx) {
  auto note = ctx.object();
  if (!note) return note;
  return view_of(ctx.state, kind::credit_note, *note);
}

const params::schema& update_takes() {
  static const params::schema takes = {params::text("memo").clearable(), params::metadata()};
  return takes;
}

answer<json> update(context& ctx) {
  auto note = ctx.object();
  if (!note) return note;
  const std::string id = text_of(*note, "id");
  ctx.copy_given(*note, {"memo"});
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*note, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  ctx.update("credit_note.updated", kind::credit_note, std::move(*note));
  return ctx.shown(kind::credit_note, id);
}

// Only while nothing of it has been given back.
answer<json> mark_void(context& ctx) {
  auto note = ctx.object();
  if (!note) return note;
  const std::string id = text_of(*note, "id");
  const std::string invoice = text_of(*note, "invoice");
  if (text_of(*note, "status") == "void") {
    return refuse("This credit note has already been voided.");
  }
  if (text_of(ctx.state.live(kind::invoice, invoice), "status") != "open") {
    return refuse("You can only void a credit note of an open invoice.");
  }
  if (number_of(*note, "post_payment_amount") > 0) {
    return refuse("You cannot void a credit note that has refunded or credited a payment.");
  }
  const std::int64_t due_part = number_of(*note, "pre_payment_amount");
  (*note)["status"] = "void";
  (*note)["voided_at"] = ctx.now;
  ctx.state.replace(kind::credit_note, std::move(*note));
  ctx.emit("credit_note.voided", kind::credit_note, id);
  invoicing::credit(ctx, invoice, -due_part, 0);
  return ctx.shown(kind::credit_note, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created"), params::text("customer"),
                                       params::text("invoice")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "customer", "customer");
  shown.equal(ctx, "invoice", "invoice");
  return list_page(ctx, kind::credit_note, shown);
}

answer<json> lines(context& ctx) {
  const std::string& id = ctx.arguments.front();
  if (auto known = ctx.object(kind::credit_note, id); !known) return known;
  return list_page(ctx, kind::credit_note_line_item, lines_of(id), list_order::oldest_first);
}

}  // namespace tilld::sandbox::credit_notes
