#include "http/api/ordering.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "http/v1_answers.hpp"
#include "store/records.hpp"

namespace tilld::http::api {

using nlohmann::json;
using store::family;
namespace key = store::key;

namespace {

constexpr std::size_t longest_key = 255;
constexpr std::int64_t longest_wait_s = 60;

json or_null(const std::string& text) {
  return text.empty() ? json() : json(text);
}

json shown(const store::order_record& r) {
  json out = {{"id", r.id},
              {"object", "order"},
              {"status", store::to_string(r.status)},
              {"verb", r.call.verb},
              {"path", r.call.target.substr(0, r.call.target.find('?'))},
              {"customer", or_null(r.owner)},
              {"idempotency_key", or_null(r.call.idempotency_key)},
              {"created", r.created_ms / 1000},
              {"finished", r.finished_ms == 0 ? json() : json(r.finished_ms / 1000)},
              {"attempts", r.attempts},
              {"why", or_null(r.why)},
              {"answer", nullptr}};
  if (r.status == store::order_status::open) return out;
  json body = json::parse(r.answer_body, nullptr, false);
  if (body.is_discarded()) body = r.answer_body;
  out["answer"] = {{"status", r.answer_status},
                   {"request_id", or_null(r.answer_request_id)},
                   {"body", std::move(body)}};
  return out;
}

result<std::optional<store::order_record>> load(const asked& a, const std::string& id) {
  if (!store::valid_id(id)) return std::nullopt;
  auto row = a.of.till.read().get(family::outbox, key::order(a.scope, id));
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  auto record = store::decode_order(**row);
  if (!record) return std::unexpected(record.error());
  return std::move(*record);
}

// 202 with the order as it is; what cannot be read is left to whoever answers next.
void tell_accepted(const asked_ptr& asked, const responder& answer, const std::string& id) {
  auto record = load(*asked, id);
  if (!record || !*record) return;
  response accepted = found(shown(**record), 202);
  accepted.headers.emplace_back("Location", "/api/orders/" + id);
  if (asked->respond_async) {
    accepted.headers.emplace_back("Preference-Applied", "respond-async");
  }
  answer(std::move(accepted));
}

std::string key_of_step(const std::string& key, const std::string& step) {
  if (key.empty() || step.empty()) return key;
  std::string whole = key + ":" + step;
  return whole.size() <= longest_key ? whole : to_hex(sha256(whole));
}

void show_order(const asked_ptr& asked, const responder& answer) {
  const std::string id = asked->argument();
  auto record = load(*asked, id);
  if (!record) return void(answer(unavailable(record.error())));
  if (!*record) return void(answer(refuse(404, "order_unknown", "There is no order " + id + ".")));
  answer(found(shown(**record)));
}

void one(const asked_ptr& asked, const responder& answer) {
  const std::int64_t wait_s = asked->number("wait");
  const std::string& id = asked->argument();
  if (wait_s == 0) return show_order(asked, answer);
  asked->of.till.wait_for_order(id, wait_s * 1000,
                                [asked, answer](bool) { show_order(asked, answer); });
  auto record = load(*asked, id);
  const bool open = record && *record && (*record)->status == store::order_status::open;
  if (!open) show_order(asked, answer);
}

// Where the orders of a status are: all of them, or the few that are still to end or to be looked
// at.
struct source {
  std::string prefix;
  std::string from;
};
source source_of(const store::scope& scope, const std::string& status, const std::string& after) {
  if (status == "open") {
    return {key::open_orders(scope), after.empty() ? "" : key::open_order(scope, after)};
  }
  if (status == "parked") {
    return {key::parked_orders(scope), after.empty() ? "" : key::parked_order(scope, after)};
  }
  return {key::orders(scope), after.empty() ? "" : key::order(scope, after)};
}

// Newest first, as ids are made of time.
void list(const asked_ptr& asked, const responder& answer) {
  const auto limit = static_cast<std::size_t>(asked->number("limit", 10));
  const std::string status = asked->text("status");
  const source in = source_of(asked->scope, status, asked->text("after"));
  json data = json::array();
  bool more = false;
  std::optional<error> failed;
  auto scanned = asked->of.till.read().scan(
      {family::outbox, in.prefix, in.from, true}, [&](std::string_view row_key, std::string_view) {
        const auto id = key::last_text(family::outbox, row_key);
        auto record = load(*asked, std::string(id.value_or("")));
        if (!record) {
          failed = record.error();
          return false;
        }
        const bool wanted =
            *record && (status.empty() || store::to_string((*record)->status) == status);
        if (!wanted) return true;
        if (data.size() == limit) {
          more = true;
          return false;
        }
        data.push_back(shown(**record));
        return true;
      });
  if (!scanned) return void(answer(unavailable(scanned.error())));
  if (failed) return void(answer(unavailable(*failed)));
  answer(found({{"data", std::move(data)}, {"has_more", more}}));
}

}  // namespace

shape order_shape() {
  return object({needed("id", text("")), needed("object", choice({"order"}, "")),
                 needed("status", choice({"open", "done", "refused", "parked"},
                                         "open: durable, its end not known yet. done: Stripe did "
                                         "it. refused: it has no effect. parked: it is not known, "
                                         "and it is not sent again; `why` says what to look at.")),
                 needed("verb", text("Of the request to Stripe.")),
                 needed("path", text("Of the request to Stripe.")),
                 needed("customer", text("Whom it is about, by Stripe's id.").or_null()),
                 needed("idempotency_key", text("The one that Stripe is sent.").or_null()),
                 needed("created", moment("")), needed("finished", moment("").or_null()),
                 needed("attempts", integer("How often it was sent.")),
                 needed("why", text("For people.").or_null()),
                 needed("answer", object({needed("status", integer("HTTP, of Stripe.")),
                                          needed("request_id", text("Stripe's.").or_null()),
                                          needed("body", anything("As Stripe sent it."))})
                                      .with_more()
                                      .or_null())},
                "What was ordered from Stripe.")
      .with_more()
      .called("Order");
}

void order(const asked_ptr& asked, const responder& answer, wanted_order wanted, order_done done,
           try_again claimed) {
  actors::order_request request;
  request.scope = asked->scope;
  request.owner = std::move(wanted.owner);
  request.call.verb = std::move(wanted.verb);
  request.call.target = std::move(wanted.path);
  request.call.body = stripe::encode_form(wanted.form);
  request.call.stripe_account = asked->scope.connected();
  request.caller_key = key_of_step(asked->idempotency_key, wanted.step);
  request.claim = std::move(wanted.claim);
  actors::till& till = asked->of.till;
  if (asked->respond_async || asked->wait_s >= 0) {
    request.durable = {[asked, answer](const std::string& id) {
                         if (id.empty()) return;
                         if (asked->respond_async || asked->wait_s == 0) {
                           return tell_accepted(asked, answer, id);
                         }
                         const std::int64_t wait_s = std::min(asked->wait_s, longest_wait_s);
                         asked->of.till.wait_for_order(id, wait_s * 1000,
                                                       [asked, answer, id](bool ended) {
                                                         if (!ended)
                                                           tell_accepted(asked, answer, id);
                                                       });
                       },
                       ""};
  }
  const std::int64_t claim_wait_ms = wanted.claim_wait_ms;
  till.take_order(
      std::move(request),
      {[asked, answer, claim_wait_ms, done = std::move(done),
        claimed = std::move(claimed)](const actors::order_answer& end) mutable {
         const bool held = end.status == 409 && end.body.find("order_in_progress") != end.body.npos;
         if (held && claimed) {
           auto again = std::make_shared<try_again>(std::move(claimed));
           auto once_only = std::make_shared<std::atomic<bool>>(false);
           const auto go_on = [again, once_only] {
             if (!once_only->exchange(true)) (*again)();
           };
           asked->of.till.wait_for_order(end.order_id, claim_wait_ms,
                                         [answer, end, go_on](bool ended) {
                                           if (ended) return go_on();
                                           answer(answered(end));
                                         });
           auto record = load(*asked, end.order_id);
           const bool ended = record && *record && (*record)->status != store::order_status::open;
           if (ended) go_on();
           return;
         }
         if (end.status >= 300) return void(answer(answered(end)));
         done(end);
       },
       {}});
}

std::vector<endpoint> order_endpoints() {
  std::vector<endpoint> all;
  endpoint list_them{"GET", "/api/orders", "listOrders", "Orders",
                     "What was ordered from Stripe, newest first."};
  list_them.query = {maybe("status", choice({"open", "done", "refused", "parked"}, "")),
                     maybe("limit", integer("").within(1, 100)),
                     maybe("after", text("The id of the last one of the page before."))};
  list_them.gives = object({needed("data", list_of(order_shape())),
                            needed("has_more", truth("Whether there are more behind."))})
                        .with_more();
  list_them.run = list;
  all.push_back(std::move(list_them));
  endpoint show{"GET", "/api/orders/{order}", "getOrder", "Orders", "One order."};
  show.in_path = {needed("order", text("Its id."))};
  show.query = {maybe("wait", integer("So many seconds for its end.").within(0, longest_wait_s))};
  show.gives = order_shape();
  show.refuses = {{404, "order_unknown", "There is no such order."}};
  show.run = one;
  all.push_back(std::move(show));
  return all;
}

}  // namespace tilld::http::api
