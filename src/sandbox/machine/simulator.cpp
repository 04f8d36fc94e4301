#include "sandbox/simulator.hpp"

#include <exception>
#include <map>

#include "base/bytes.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/machine/accounts.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/context.hpp"
#include "sandbox/machine/expand.hpp"
#include "sandbox/machine/front.hpp"
#include "sandbox/machine/routes.hpp"
#include "sandbox/pages/checkout.hpp"
#include "sandbox/pages/pages.hpp"
#include "sandbox/payments/payment_intents.hpp"
#include "sandbox/payments/setup_intents.hpp"
#include "sandbox/time/clock.hpp"
#include "sandbox/time/test_clocks.hpp"

namespace tilld::sandbox {

namespace {

constexpr std::int64_t events_kept_s = 30 * day_s;
constexpr std::size_t longest_key = 255;

struct result {
  int status = 200;
  std::string body;   // compact
  bool kept = false;  // under the request's idempotency key
};

}  // namespace

struct simulator::machine {
  explicit machine(options o) : options_(std::move(o)), all(options_.account_id, options_.seed) {}

  response answer_to(const request& r);

  options options_;
  accounts all;
};

namespace {

// A request on one account.
class account_desk {
 public:
  account_desk(books& on, const request& r, std::string request_id)
      : facts(on.facts), state(on.state), request_(r), request_id_(std::move(request_id)) {}

  result refused(const failure& f) const {
    return {f.error.status, error_body(f, request_id_, state.now_s), f.kept};
  }
  result answer_once(const target& asked, response& out);
  result run(const target& asked);

 private:
  answer<json> act(context& ctx, const route& row, const target& asked);
  answer<const kept_result*> replayed(const std::string& fingerprint) const;

  account_facts& facts;
  world& state;
  const request& request_;
  std::string request_id_;
};

answer<json> account_desk::act(context& ctx, const route& row, const target& asked) {
  auto params = params::check(*asked.endpoint, row.takes(), asked.params);
  if (!params) return params;
  const json expand = params->contains("expand") ? (*params)["expand"] : json(nullptr);
  if (auto fine = check_expand(*asked.endpoint, expand); !fine) {
    return std::unexpected(fine.error());
  }
  ctx.params = std::move(*params);
  time::go_by(ctx, time::clock_of_request(ctx));
  auto answered = row.act(ctx);
  if (answered || answered.error().kept) ctx.settle();
  if (answered) apply_expand(state, expand, *answered);
  return answered;
}

result account_desk::run(const target& asked) {
  const request& r = request_;
  const route* row = route_of(asked.endpoint);
  if (row == nullptr) {
    return refused(not_simulated("The sandbox does not simulate " + asked.endpoint->verb + " " +
                                 asked.endpoint->path + " yet.")
                       .error());
  }
  context ctx(state, facts, state.now_s);
  ctx.endpoint = asked.endpoint;
  ctx.path = r.path;
  ctx.arguments = asked.arguments;
  ctx.request_id = request_id_;
  ctx.idempotency_key = r.verb == "POST" ? r.idempotency_key : std::string();
  state.begin();
  try {
    const auto answered = act(ctx, *row, asked);
    if (answered) {
      state.commit();
      test_clocks::arrive(state, facts, state.now_s);
      return {200, compact(*answered), true};
    }
    if (answered.error().kept) {
      state.commit();
    } else {
      state.rollback();
    }
    return refused(answered.error());
  } catch (const std::exception& e) {
    state.rollback();
    failure broken;
    broken.error = {500, "api_error", "", "The sandbox has failed: " + std::string(e.what()), ""};
    return refused(broken);
  }
}

answer<const kept_result*> account_desk::replayed(const std::string& fingerprint) const {
  const request& r = request_;
  const kept_result* kept = state.kept.find(r.idempotency_key);
  if (kept == nullptr) return nullptr;
  const std::string hint = " Try using a key other than '" + r.idempotency_key +
                           "' if you meant to execute a different request.";
  const auto mismatch = [&](std::string message) {
    return refuse(stripe::api_error{400, "idempotency_error", "", message + hint, ""});
  };
  if (kept->path != r.path) {
    return mismatch(
        "Keys for idempotent requests can only be used for the same endpoint they were first used "
        "for ('" +
        r.path + "' vs '" + kept->path + "').");
  }
  if (kept->fingerprint != fingerprint) {
    return mismatch(
        "Keys for idempotent requests can only be used with the same parameters they were first "
        "used with.");
  }
  return kept;
}

// Under an idempotency key: done once, answered again.
result account_desk::answer_once(const target& asked, response& out) {
  const request& r = request_;
  out.headers.emplace_back("Idempotency-Key", r.idempotency_key);
  if (r.idempotency_key.size() > longest_key) {
    return refused(refuse("Idempotency keys can be at most 255 characters long.").error());
  }
  const std::string fingerprint = to_hex(sha256(asked.params.dump()));
  const auto before = replayed(fingerprint);
  if (!before) return refused(before.error());
  if (const kept_result* kept = *before) {
    out.headers.emplace_back("Idempotent-Replayed", "true");
    out.headers.emplace_back("Original-Request", kept->request_id);
    return {kept->status, kept->body, false};
  }
  result done = run(asked);
  if (done.kept) {
    out.headers.emplace_back("Original-Request", request_id_);
    state.kept.keep(r.idempotency_key,
                    {state.now_s, r.path, fingerprint, request_id_, done.status, done.body});
  }
  return done;
}

}  // namespace

response simulator::machine::answer_to(const request& r) {
  books* const named = all.of(r.stripe_account);
  books& on = named == nullptr ? all.own() : *named;
  const std::string request_id = on.state.ids.next_request();
  account_desk desk(on, r, request_id);
  response out;
  const auto finish = [&](const result& done) {
    out.status = done.status;
    out.body = pretty(done.body);
    return out;
  };
  out.date_s = on.state.now_s;
  out.headers.emplace_back("Request-Id", request_id);
  if (auto allowed = check_key(r.authorization, options_.secret_key); !allowed) {
    return finish(desk.refused(allowed.error()));
  }
  if (auto known = check_version(r.stripe_version); !known) {
    return finish(desk.refused(known.error()));
  }
  if (named == nullptr) {
    return finish(desk.refused(no_access(options_.secret_key, r.stripe_account).error()));
  }
  if (!r.stripe_account.empty()) out.headers.emplace_back("Stripe-Account", r.stripe_account);
  out.headers.emplace_back("Stripe-Version",
                           r.stripe_version.empty()
                               ? std::string(stripe::catalogue::instance().api_version())
                               : r.stripe_version);
  const auto asked = read_target(r);
  if (!asked) return finish(desk.refused(asked.error()));
  const bool keyed = r.verb == "POST" && !r.idempotency_key.empty();
  return finish(keyed ? desk.answer_once(*asked, out) : desk.run(*asked));
}

namespace {

destination destination_of(const json& document, const books& of) {
  destination d;
  d.id = text_of(document, "id");
  d.url = text_of(document, "url");
  d.secrets = {text_of(document, "_secret")};
  if (number_of(document, "_old_secret_until") > of.state.now_s) {
    d.secrets.push_back(text_of(document, "_old_secret"));
  }
  for (const auto& type : document["enabled_events"])
    d.enabled_events.push_back(type.get<std::string>());
  d.enabled = text_of(document, "status") == "enabled";
  d.connect = truth_of(document, "_connect");
  if (of.facts.connected()) d.account = of.facts.id;
  return d;
}

json dump_of(const world& state) {
  json all = json::object();
  for (const auto& row : all_kinds()) {
    const table& rows = state.of(row.of);
    json objects = json::object();
    json plans = json::object();
    for (row_number number = 0; number < rows.size(); ++number) {
      const json& document = rows.at(number).document;
      if (document.is_null()) continue;
      const std::string id = text_of(document, "id");
      if (row.of == kind::price && document["recurring"].is_object()) {
        plans.push_back({id, plan_of_price(document)});
      }
      objects.push_back({id, view_of(state, row.of, document)});
    }
    if (!objects.empty()) all[row.object] = std::move(objects);
    if (!plans.empty()) all["plan"] = std::move(plans);
  }
  json events = json::object();
  for (auto row = state.events.all().from(0); row; row = state.events.all().from(*row + 1)) {
    const auto& e = state.events.at(*row);
    events.push_back({e.id, json::parse(e.text)});
  }
  if (!events.empty()) all["event"] = std::move(events);
  return all;
}

}  // namespace

simulator::simulator(options o) : machine_(std::make_unique<machine>(std::move(o))) {}
simulator::~simulator() = default;

response simulator::handle(const request& r, std::int64_t now_s) {
  pass(now_s);
  machine_->all.each([](books& one) {
    world& state = one.state;
    state.kept.forget_before(state.now_s - state.rules.keys_kept_s);
    state.events.forget_before(state.now_s - events_kept_s);
  });
  return machine_->answer_to(r);
}

std::int64_t simulator::time(std::int64_t real_s) const {
  return machine_->all.own().state.clock.at(real_s);
}

bool simulator::frozen() const {
  return machine_->all.own().state.clock.frozen;
}

void simulator::pass(std::int64_t real_s) {
  const std::int64_t now_s = machine_->all.own().state.clock.at(real_s);
  machine_->all.each([now_s](books& one) {
    time::run(one.state, one.facts, {}, now_s);
    one.state.now_s = now_s;
  });
}

void simulator::freeze(std::int64_t at_s) {
  machine_->all.own().state.clock = {true, at_s};
  pass(at_s);
}

void simulator::release(std::int64_t real_s) {
  account_clock& clock = machine_->all.own().state.clock;
  clock = {false, clock.at(real_s) - real_s};
}

bool simulator::advance(std::int64_t to_s, std::int64_t real_s) {
  account_clock& clock = machine_->all.own().state.clock;
  if (to_s < clock.at(real_s)) return false;
  clock.s = clock.frozen ? to_s : to_s - real_s;
  pass(real_s);
  return true;
}

std::string simulator::change_rules(std::string_view members) {
  const json given = json::parse(members, nullptr, false);
  if (given.is_discarded()) return "Settings are a JSON object.";
  const auto changed = changed_rules(machine_->all.own().state.rules, given);
  if (!changed) return changed.error().error.message;
  machine_->all.each([&](books& one) { one.state.rules = *changed; });
  return {};
}

std::string simulator::rules() const {
  return compact(rules_text(machine_->all.own().state.rules));
}

bool simulator::authenticate(std::string_view intent_id, bool passes, std::int64_t real_s) {
  pass(real_s);
  books& on = machine_->all.holding(intent_id);
  world& state = on.state;
  const std::string id(intent_id);
  context ctx(state, on.facts, state.now_s);
  for (const kind k : {kind::payment_intent, kind::setup_intent}) {
    if (const json* intent = state.find_live(k, id)) time::go_by(ctx, clock_of(*intent));
  }
  state.begin();
  try {
    const bool waited = payment_intents::authenticated(ctx, id, passes) ||
                        setup_intents::authenticated(ctx, id, passes);
    checkout::follow(ctx, id);
    ctx.settle();
    state.commit();
    return waited;
  } catch (const std::exception&) {
    state.rollback();
    return false;
  }
}

void simulator::reset() {
  machine_->all.reset();
}

void simulator::seed(std::int64_t customers, std::int64_t real_s) {
  const auto post = [&](const std::string& path, const std::string& form) {
    request r;
    r.verb = "POST";
    r.path = path;
    r.body = form;
    r.authorization = "Bearer " + machine_->options_.secret_key;
    return text_of(json::parse(handle(r, real_s).body), "id");
  };
  const std::string price = post("/v1/prices",
                                 "unit_amount=2000&currency=usd&recurring[interval]=month&"
                                 "product_data[name]=Seeded");
  for (std::int64_t n = 1; n <= customers; ++n) {
    const std::string customer =
        post("/v1/customers", "email=seeded" + std::to_string(n) +
                                  "@example.com&payment_method=pm_card_visa&"
                                  "invoice_settings[default_payment_method]=pm_card_visa");
    post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price);
  }
}

std::string simulator::ledger() const {
  const world& state = machine_->all.own().state;
  std::map<std::string, std::map<std::string, std::int64_t>> sums;
  const auto add = [&](kind k, const char* member, const char* name, const auto& counts) {
    const table& rows = state.of(k);
    for (row_number row = 0; row < rows.size(); ++row) {
      const json& document = rows.at(row).document;
      if (rows.at(row).deleted || !counts(document)) continue;
      sums[text_of(document, "currency")][name] += number_of(document, member);
    }
  };
  const auto all = [](const json&) { return true; };
  add(kind::invoice, "amount_paid", "invoices", all);
  add(kind::charge, "amount_captured", "charges",
      [](const json& charge) { return text_of(charge, "status") == "succeeded"; });
  add(kind::refund, "amount", "refunds",
      [](const json& refund) { return text_of(refund, "status") == "succeeded"; });
  add(kind::balance_transaction, "amount", "balance_transactions", all);
  json text = json::object();
  for (const auto& [currency, names] : sums) {
    json& place = text[currency] = json::object();
    for (const char* name : {"invoices", "charges", "refunds", "balance_transactions"}) {
      const auto it = names.find(name);
      place[name] = it == names.end() ? 0 : it->second;
    }
  }
  return compact(text);
}

void simulator::set_base_url(std::string url) {
  machine_->all.set_base_url(url);
}

bool simulator::is_page(std::string_view path) {
  return pages::is_page(path);
}

page simulator::visit(const page_visit& v, std::int64_t real_s) {
  pass(real_s);
  const std::string id = v.path.substr(v.path.rfind('/') + 1);
  books& on = machine_->all.holding(id);
  world& state = on.state;
  context ctx(state, on.facts, state.now_s);
  ctx.arguments = {id};
  time::go_by(ctx, time::clock_of_request(ctx));
  state.begin();
  try {
    page seen = pages::visit(ctx, v);
    ctx.settle();
    state.commit();
    return seen;
  } catch (const std::exception& e) {
    state.rollback();
    return {500, "The sandbox has failed: " + std::string(e.what()), {}};
  }
}

std::vector<emitted> simulator::take_events() {
  std::vector<emitted> fresh;
  machine_->all.each([&](books& one) {
    for (const logged_event* e : one.state.events.take())
      fresh.push_back({e->id, e->type, e->account, e->created_s, pretty(e->text)});
  });
  return fresh;
}

void simulator::note_delivered(std::string_view event_id) {
  machine_->all.each([&](books& one) { one.state.events.note_delivered(event_id); });
}

std::string simulator::roll_secret(std::string_view endpoint_id) {
  world& state = machine_->all.holding(endpoint_id).state;
  const json* found = state.find_live(kind::webhook_endpoint, endpoint_id);
  if (found == nullptr) return {};
  json endpoint = *found;
  const std::string old = text_of(endpoint, "_secret");
  endpoint["_old_secret"] = old;
  endpoint["_old_secret_until"] = state.now_s + day_s;
  std::string secret = "whsec_" + state.ids.letters("rolled" + old, 32);
  endpoint["_secret"] = secret;
  state.begin();
  state.replace(kind::webhook_endpoint, std::move(endpoint));
  state.commit();
  return secret;
}

std::vector<destination> simulator::destinations() const {
  std::vector<destination> all;
  machine_->all.each([&](const books& one) {
    const table& rows = one.state.of(kind::webhook_endpoint);
    for (row_number row = 0; row < rows.size(); ++row) {
      if (!rows.at(row).deleted) all.push_back(destination_of(rows.at(row).document, one));
    }
  });
  return all;
}

std::string simulator::object(std::string_view id) const {
  const world& state = machine_->all.holding(id).state;
  for (const auto& row : all_kinds()) {
    const json shown = view(state, row.of, id);
    if (!shown.is_null()) return compact(shown);
  }
  return {};
}

std::string simulator::dump() const {
  json all = json::object();
  machine_->all.each([&](const books& one) {
    json its = dump_of(one.state);
    if (one.facts.connected()) {
      all["accounts"][one.facts.id] = std::move(its);
    } else {
      all = std::move(its);
    }
  });
  return pretty(compact(all));
}

std::string simulator::save() const {
  return machine_->all.save();
}

bool simulator::load(std::string_view bytes) {
  return machine_->all.load(bytes);
}

}  // namespace tilld::sandbox
