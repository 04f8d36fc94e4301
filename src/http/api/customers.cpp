#include "http/api/customers.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "http/api/lookup.hpp"
#include "http/api/ordering.hpp"
#include "http/v1_answers.hpp"
#include "store/lists.hpp"
#include "stripe/form.hpp"
#include "stripe/json_scan.hpp"
#include "stripe/list_filters.hpp"

namespace tilld::http::api {

using nlohmann::json;
using store::family;
namespace key = store::key;

namespace {

// Stripe's own bounds. Source: https://docs.stripe.com/api/customers/create
constexpr std::int64_t longest_name = 256;
constexpr std::int64_t most_metadata = 50;
constexpr std::array plain_fields = {"email", "name", "phone", "description"};

std::string customer_path(const std::string& id) {
  return "/v1/customers/" + stripe::percent_encode(id);
}

void tell(const asked_ptr& asked, const responder& answer, const std::string& customer,
          const char* outcome, const std::vector<std::string>& duplicates) {
  auto state = state_of(*asked, customer);
  if (!state) return void(answer(unavailable(state.error())));
  if (!*state) {
    return void(answer(unavailable(error{errc::unavailable, "the customer is not mirrored yet"})));
  }
  json body = shown(*asked, **state);
  body["outcome"] = outcome;
  body["duplicates"] = duplicates;
  response ok = found(body);
  answer(std::move(ok));
}

// PUT /api/customers/{user_id}: one request, through all the ways it may take.
class linking : public std::enable_shared_from_this<linking> {
 public:
  linking(asked_ptr asked, responder answer)
      : asked_(std::move(asked)), answer_(std::move(answer)), user_id_(asked_->argument()) {}

  void begin() {
    if (asked_->truth("find_by_email") && asked_->text("email").empty()) {
      return void(answer_(refuse(400, "request_invalid", "/email is needed to find by it.",
                                 {{"/email", "", "is needed to find by it"}})));
    }
    look();
  }

 private:
  // Who has the user id already; else who is to have it.
  void look() {
    auto linked = linked_to(*asked_, user_id_);
    if (!linked) return void(answer_(unavailable(linked.error())));
    std::erase_if(*linked, &core::customer_state::deleted);
    const std::string wanted = asked_->text("customer");
    if (!linked->empty()) {
      const auto& first = linked->front();
      for (std::size_t i = 1; i < linked->size(); ++i)
        duplicates_.push_back((*linked)[i].id);
      if (!wanted.empty() && wanted != first.id) {
        return void(answer_(refuse(409, "user_linked",
                                   "The user '" + user_id_ + "' is linked to customer " + first.id +
                                       "; unlink that one first.")));
      }
      return update(first.id, "updated");
    }
    if (!wanted.empty()) return check_and_link(wanted);
    if (asked_->truth("find_by_email")) return find_by_email();
    create();
  }

  void create() {
    wanted_order wanted{.path = "/v1/customers", .form = form_of(nullptr)};
    wanted.form.emplace_back(metadata_key(), user_id_);
    wanted.step = "create";
    wanted.claim = claim();
    order(
        asked_, answer_, std::move(wanted),
        [me = shared_from_this()](const actors::order_answer& end) {
          me->finish(id_in(end.body), "created");
        },
        [me = shared_from_this()] { me->look(); });
  }

  // What is given and differs; nothing is ordered when nothing does.
  void update(const std::string& customer, const char* outcome) {
    const auto document = document_of(*asked_, "customer", customer);
    const json now = document ? json::parse(*document, nullptr, false) : json();
    wanted_order wanted{.path = customer_path(customer), .form = form_of(&now)};
    if (std::string_view(outcome) == "linked") wanted.form.emplace_back(metadata_key(), user_id_);
    if (wanted.form.empty()) return finish(customer, "unchanged");
    wanted.owner = customer;
    wanted.step = outcome;
    wanted.claim = claim();
    order(
        asked_, answer_, std::move(wanted),
        [me = shared_from_this(), customer, outcome](const actors::order_answer&) {
          me->finish(customer, outcome);
        },
        [me = shared_from_this()] {
          me->duplicates_.clear();
          me->look();
        });
  }

  void check_and_link(const std::string& customer) {
    auto state = state_of(*asked_, customer);
    if (!state) return void(answer_(unavailable(state.error())));
    if (*state && (*state)->known) return link(**state);
    actors::fetch_request wanted;
    wanted.scope = asked_->scope;
    wanted.call.target = customer_path(customer);
    wanted.call.stripe_account = asked_->scope.connected();
    wanted.object_name = "customer";
    wanted.object_id = customer;
    asked_->of.till.take_fetch(
        std::move(wanted),
        {[me = shared_from_this(), customer](const actors::fetch_answer& end) {
           if (end.status >= 300) return void(me->answer_(fetched(end)));
           auto known = state_of(*me->asked_, customer);
           if (known && *known) return me->link(**known);
           me->answer_(unavailable(error{errc::unavailable, "the customer could not be kept"}));
         },
         {}});
  }

  void link(const core::customer_state& to) {
    if (to.deleted) {
      return void(answer_(refuse(409, "customer_deleted", "Customer " + to.id + " is deleted.")));
    }
    if (!to.user_id.empty() && to.user_id != user_id_) {
      return void(answer_(refuse(
          409, "customer_linked",
          "Customer " + to.id + " is linked to the user '" + to.user_id + "'; unlink it first.")));
    }
    update(to.id, "linked");
  }

  void find_by_email() {
    const std::string email = asked_->text("email");
    if (asked_->of.till.whole().is_complete(asked_->scope, "customer") ||
        !asked_->of.till.can_order(asked_->scope)) {
      store::list_walk walk;
      walk.of = asked_->scope;
      walk.object_name = "customer";
      walk.conditions = {{"email", {email}}};
      std::vector<std::string> ids;
      auto walked = store::walk(asked_->of.till.read(), walk, [&](const store::list_place& at) {
        ids.push_back(at.id);
        return true;
      });
      if (!walked) return void(answer_(unavailable(walked.error())));
      return choose(ids);
    }
    actors::fetch_request wanted;
    wanted.scope = asked_->scope;
    wanted.call.target = "/v1/customers?limit=100&email=" + stripe::percent_encode(email);
    wanted.call.stripe_account = asked_->scope.connected();
    wanted.keep = false;
    wanted.learn = true;
    asked_->of.till.take_fetch(std::move(wanted),
                               {[me = shared_from_this()](const actors::fetch_answer& end) {
                                  if (end.status >= 300) return void(me->answer_(fetched(end)));
                                  std::vector<std::string> ids;
                                  if (const auto list = stripe::read_list(end.body)) {
                                    for (const auto& one : list->objects)
                                      ids.push_back(id_in(one));
                                  }
                                  me->choose(ids);
                                },
                                {}});
  }

  // Of those that nobody else has: who has access, else the newest.
  void choose(const std::vector<std::string>& ids) {
    std::vector<core::customer_state> free;
    for (const auto& id : ids) {
      auto state = state_of(*asked_, id);
      if (!state) return void(answer_(unavailable(state.error())));
      if (!*state || (*state)->deleted || !(*state)->user_id.empty()) continue;
      free.push_back(std::move(**state));
    }
    if (free.empty()) return create();
    const auto best = std::ranges::max_element(free, [](const auto& x, const auto& y) {
      const auto rank = [](const core::customer_state& s) {
        return std::pair(std::ranges::any_of(s.subscriptions, core::grants_access), s.created_s);
      };
      return rank(x) < rank(y);
    });
    for (const auto& one : free) {
      if (one.id != best->id) duplicates_.push_back(one.id);
    }
    link(*best);
  }

  void finish(const std::string& customer, const char* outcome) {
    tell(asked_, answer_, customer, outcome, duplicates_);
  }

  // Two orders for one user never run side by side, whatever customer they are about.
  std::string claim() const { return "customer of " + user_id_; }

  std::string metadata_key() const {
    return "metadata[" + asked_->of.till.user_id_metadata() + "]";
  }

  // What is given and is not so in `now`; all of it when there is no document.
  stripe::form_pairs form_of(const json* now) const {
    stripe::form_pairs form;
    const auto differs = [](const json* in, const char* name, const json& value) {
      const auto at = in != nullptr && in->is_object() ? in->find(name) : json::const_iterator();
      const bool is_there = in != nullptr && in->is_object() && at != in->end();
      return is_there ? *at != value : !value.is_null();
    };
    for (const char* name : plain_fields) {
      const auto given = asked_->body.find(name);
      if (given == asked_->body.end() || !differs(now, name, *given)) continue;
      form.emplace_back(name, given->is_null() ? "" : given->get<std::string>());
    }
    const auto metadata = asked_->body.find("metadata");
    if (metadata == asked_->body.end()) return form;
    const json* has = now != nullptr && now->is_object() && now->contains("metadata")
                          ? &now->at("metadata")
                          : nullptr;
    for (const auto& [name, value] : metadata->items()) {
      if (name == asked_->of.till.user_id_metadata() || !differs(has, name.c_str(), value))
        continue;
      form.emplace_back("metadata[" + name + "]", value.is_null() ? "" : value.get<std::string>());
    }
    return form;
  }

  static std::string id_in(std::string_view document) { return stripe::text_at(document, "id"); }

  const asked_ptr asked_;
  const responder answer_;
  const std::string user_id_;
  std::vector<std::string> duplicates_;
};

void show(const asked_ptr& asked, const responder& answer) {
  auto state = customer_named(*asked, asked->argument());
  if (!state) return void(answer(unknown_customer(state.error(), asked->argument())));
  response ok = found(shown(*asked, *state));
  ok.headers.emplace_back("Tilld-Source", "mirror");
  answer(std::move(ok));
}

void entitlements(const asked_ptr& asked, const responder& answer) {
  auto state = customer_named(*asked, asked->argument());
  if (!state) return void(answer(unknown_customer(state.error(), asked->argument())));
  response ok = found(core::entitlements_answer(
      *state, [&](std::string_view id) { return product_facts(*asked, id); },
      asked->of.time.wall_s()));
  ok.headers.emplace_back("Tilld-Source", "mirror");
  answer(std::move(ok));
}

// Why a feature is not granted: the customer has no access at all, or not to this.
std::string reason_of(const json& entitled, bool granted) {
  const std::string reason = entitled.at("reason").get<std::string>();
  const bool active = entitled.at("active").get<bool>();
  return granted || !active ? reason : "feature_not_included";
}

void check_feature(const asked_ptr& asked, const responder& answer) {
  auto state = customer_named(*asked, asked->argument());
  if (!state) return void(answer(unknown_customer(state.error(), asked->argument())));
  const json entitled = core::entitlements_answer(
      *state, [&](std::string_view id) { return product_facts(*asked, id); },
      asked->of.time.wall_s());
  const std::string& feature = asked->argument(1);
  const json& features = entitled.at("features");
  const bool granted = std::ranges::find(features, json(feature)) != features.end();
  response ok = found({{"customer", state->id},
                       {"user_id", entitled.at("user_id")},
                       {"feature", feature},
                       {"granted", granted},
                       {"reason", reason_of(entitled, granted)},
                       {"as_of", entitled.at("as_of")},
                       {"stale", entitled.at("stale")}});
  ok.headers.emplace_back("Tilld-Source", "mirror");
  answer(std::move(ok));
}

// The one living customer that an order is about. Of several nobody can say which is meant.
std::optional<core::customer_state> the_one(const asked_ptr& asked, const responder& answer) {
  const std::string& id = asked->argument();
  auto own = state_of(*asked, id);
  if (own && *own && !(*own)->deleted) return std::move(**own);
  auto linked = own ? linked_to(*asked, id)
                    : result<std::vector<core::customer_state>>(std::unexpected(own.error()));
  if (!linked) {
    answer(unavailable(linked.error()));
    return std::nullopt;
  }
  std::erase_if(*linked, &core::customer_state::deleted);
  if (linked->empty()) {
    answer(unknown_customer(error{errc::not_found, ""}, id));
    return std::nullopt;
  }
  if (linked->size() == 1) return std::move(linked->front());
  std::string all;
  for (const auto& one : *linked)
    all += (all.empty() ? "" : ", ") + one.id;
  answer(refuse(409, "customers_several",
                "The user '" + id + "' has several customers: " + all +
                    ". Name the one by its id at Stripe."));
  return std::nullopt;
}

void unlink(const asked_ptr& asked, const responder& answer) {
  auto customer = the_one(asked, answer);
  if (!customer) return;
  if (customer->user_id.empty()) return tell(asked, answer, customer->id, "unchanged", {});
  wanted_order wanted{.path = customer_path(customer->id),
                      .form = {{"metadata[" + asked->of.till.user_id_metadata() + "]", ""}},
                      .owner = customer->id};
  order(asked, answer, std::move(wanted),
        [asked, answer, id = customer->id](const actors::order_answer&) {
          tell(asked, answer, id, "unlinked", {});
        });
}

void erase(const asked_ptr& asked, const responder& answer) {
  auto customer = the_one(asked, answer);
  if (!customer) return;
  wanted_order wanted{.verb = "DELETE", .path = customer_path(customer->id), .owner = customer->id};
  order(asked, answer, std::move(wanted),
        [asked, answer, id = customer->id](const actors::order_answer&) {
          tell(asked, answer, id, "deleted", {});
        });
}

json brief(const core::customer_state& s) {
  return {{"customer", s.id},
          {"user_id", s.user_id.empty() ? json() : json(s.user_id)},
          {"email", s.email.empty() ? json() : json(s.email)},
          {"created", s.created_s},
          {"active", std::ranges::any_of(s.subscriptions, core::grants_access)}};
}

// Goes through all links once; they stand sorted by user.
void duplicates(const asked_ptr& asked, const responder& answer) {
  const auto limit = static_cast<std::size_t>(asked->number("limit", 100));
  const std::string after = asked->text("after");
  json data = json::array();
  bool more = false;
  std::string user;
  json of_user = json::array();
  std::optional<error> failed;
  const auto close = [&] {
    if (of_user.size() < 2) return true;
    if (data.size() == limit) {
      more = true;
      return false;
    }
    data.push_back({{"user_id", user}, {"customers", std::exchange(of_user, json::array())}});
    return true;
  };
  std::string from = after.empty() ? "" : key::user_links(asked->scope, after);
  if (!from.empty()) ++from.back();  // behind all of its links
  auto scanned = asked->of.till.read().scan(
      {family::customers, key::all_user_links(asked->scope), from, false},
      [&](std::string_view row_key, std::string_view) {
        const auto at = key::user_link_place(row_key);
        if (!at) return true;
        if (at->user_id != user) {
          if (!close()) return false;
          user = at->user_id;
          of_user = json::array();
        }
        auto state = state_of(*asked, std::string(at->customer_id));
        if (!state) {
          failed = state.error();
          return false;
        }
        if (*state && !(*state)->deleted) of_user.push_back(brief(**state));
        return true;
      });
  if (!scanned) return void(answer(unavailable(scanned.error())));
  if (failed) return void(answer(unavailable(*failed)));
  if (!more) close();
  answer(found({{"data", std::move(data)}, {"has_more", more}}));
}

shape outcome_shape() {
  shape s = customer_shape();
  s.name = "CustomerOutcome";
  s.members.push_back(
      needed("outcome", choice({"created", "linked", "updated", "unchanged", "unlinked", "deleted"},
                               "What the request has done.")));
  s.members.push_back(needed(
      "duplicates", list_of(text("Stripe's ids."), "Other customers that could be the same.")));
  return s;
}

endpoint put_customer() {
  endpoint row{"PUT",
               "/api/customers/{user_id}",
               "putCustomer",
               "Customers",
               "Sees to it that the user has a customer with these facts.",
               "Finds the customer of the user, else links one (`customer`, `find_by_email`), else "
               "creates one. Two requests at once make one customer. What is not given stays as it "
               "is; null takes it away."};
  row.in_path = {user_in_path()};
  row.takes =
      object({maybe("email", email("").or_null()),
              maybe("name", text("").within(1, longest_name).or_null()),
              maybe("phone", text("").within(1, 20).or_null()),
              maybe("description", text("").or_null()),
              maybe("metadata", map_of(text("").within(0, 500).or_null(),
                                       "Fifty of the application's own facts at most.")),
              maybe("customer", text("Link this customer of Stripe's to the user.").within(1, 255)),
              maybe("find_by_email", truth("Link the customer with this email that belongs to no "
                                           "user yet, if there is one."))})
          .called("PutCustomer");
  row.orders = true;
  row.gives = outcome_shape();
  row.refuses = {{409, "user_linked", "The user has another customer than `customer`."},
                 {409, "customer_linked", "`customer` belongs to another user."},
                 {409, "customer_deleted", "`customer` is deleted."}};
  row.run = [](const asked_ptr& asked, const responder& answer) {
    std::make_shared<linking>(asked, answer)->begin();
  };
  return row;
}

}  // namespace

std::vector<endpoint> customer_endpoints() {
  std::vector<endpoint> all;
  all.push_back(put_customer());

  endpoint get{"GET", "/api/customers/{user_id}", "getCustomer", "Customers",
               "A customer, and what they have."};
  get.in_path = {user_in_path()};
  get.gives = customer_shape();
  get.refuses = {customer_unknown()};
  get.run = show;
  all.push_back(std::move(get));

  const refusal several{409, "customers_several", "The user has several; name one by Stripe's id."};
  endpoint remove{"DELETE", "/api/customers/{user_id}", "deleteCustomer", "Customers",
                  "Deletes the customer at Stripe, and ends their subscriptions at once."};
  remove.in_path = {user_in_path()};
  remove.orders = true;
  remove.gives = outcome_shape();
  remove.refuses = {customer_unknown(), several};
  remove.run = erase;
  all.push_back(std::move(remove));

  endpoint apart{"DELETE", "/api/customers/{user_id}/link", "unlinkCustomer", "Customers",
                 "Takes the user id from the customer; the customer stays at Stripe."};
  apart.in_path = {user_in_path()};
  apart.orders = true;
  apart.gives = outcome_shape();
  apart.refuses = {customer_unknown(), several};
  apart.run = unlink;
  all.push_back(std::move(apart));

  endpoint entitled{"GET", "/api/customers/{user_id}/entitlements", "getEntitlements",
                    "Entitlements", "What the customer may use, and why."};
  entitled.in_path = {user_in_path()};
  entitled.gives =
      object(
          {needed("customer", text("Stripe's id.")), needed("user_id", text("").or_null()),
           needed("active", truth("")), needed("status", text("")), needed("reason", text("")),
           needed("features", list_of(text(""))),
           needed("products", list_of(object({needed("id", text("").within(0, 255))}).with_more())),
           needed("as_of", moment("")), needed("age_s", integer("")), needed("stale", truth(""))})
          .with_more()
          .called("Entitlements");
  entitled.refuses = {customer_unknown()};
  entitled.run = entitlements;
  all.push_back(std::move(entitled));

  endpoint checked{"GET", "/api/customers/{user_id}/check/{feature}", "checkFeature",
                   "Entitlements", "Whether the customer may use a feature, and why."};
  checked.in_path = {user_in_path(), needed("feature", text("Its key.").within(1, 255))};
  checked.gives =
      object(
          {needed("customer", text("Stripe's id.")), needed("user_id", text("").or_null()),
           needed("feature", text("")), needed("granted", truth("")),
           needed("reason", choice({"subscription_live", "payment_past_due", "feature_not_included",
                                    "subscription_not_live", "no_subscription", "customer_deleted"},
                                   "The first two come with a grant.")),
           needed("as_of", moment("Of the newest that is known.")), needed("stale", truth(""))})
          .with_more()
          .called("Check");
  checked.refuses = {customer_unknown()};
  checked.run = check_feature;
  all.push_back(std::move(checked));

  endpoint twice{"GET", "/api/duplicates", "listDuplicates", "Customers",
                 "Users with more than one living customer, for merging."};
  twice.query = {maybe("limit", integer("").within(1, 1000)),
                 maybe("after", text("The user id of the last one of the page before."))};
  twice.gives =
      object(
          {needed(
               "data",
               list_of(object({needed("user_id", text("")),
                               needed("customers",
                                      list_of(object({needed("customer", text(""))}).with_more()))})
                           .with_more())),
           needed("has_more", truth(""))})
          .with_more();
  twice.run = duplicates;
  all.push_back(std::move(twice));
  return all;
}

}  // namespace tilld::http::api
