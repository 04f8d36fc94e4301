#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "actors/ownership.hpp"
#include "http/faces.hpp"
#include "http/v1_answers.hpp"
#include "http/v1_lists.hpp"
#include "http/v1_nested.hpp"
#include "http/v1_search.hpp"
#include "stripe/api_error.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/event.hpp"
#include "stripe/expand.hpp"
#include "stripe/form.hpp"

namespace tilld::http {

using store::family;
namespace key = store::key;

namespace {

void name_source(response& r, const char* source) {
  r.headers.emplace_back("Tilld-Source", source);
}

// An account id is used as part of keys.
bool sane_account(std::string_view account) {
  return account.empty() || (store::valid_id(account) && account.find('/') == account.npos);
}

// expand[]=a, expand[0]=a; and what else there is.
std::pair<std::vector<std::string>, stripe::form_pairs> without_expand(
    const stripe::form_pairs& query) {
  std::pair<std::vector<std::string>, stripe::form_pairs> parts;
  for (const auto& pair : query) {
    if (pair.first == "expand" || pair.first.starts_with("expand[")) {
      parts.first.push_back(pair.second);
    } else {
      parts.second.push_back(pair);
    }
  }
  return parts;
}

class v1_face {
 public:
  explicit v1_face(const house& h) : house_(h) {}

  void read(request& r, responder answer) const {
    if (!check(r, answer)) return;
    const auto& catalogue = stripe::catalogue::instance();
    const auto found = catalogue.find("GET", r.segments);
    if (found.endpoint == nullptr) {
      answer(answer_of(stripe::unrecognized_url("GET", r.path)));
      return;
    }
    auto query = stripe::decode_form(r.query);
    if (!query) {
      answer(
          error_response(400, "invalid_request_error", "query_unreadable", query.error().message));
      return;
    }
    if (auto local = from_mirror(r, *found.endpoint, found.arguments, *query)) {
      name_source(*local, "mirror");
      answer(std::move(*local));
      return;
    }
    ask_stripe(r, *found.endpoint, found.arguments, query->empty(), std::move(answer));
  }

  void order(request& r, responder answer) const {
    if (!check(r, answer)) return;
    const auto& catalogue = stripe::catalogue::instance();
    if (catalogue.find(r.verb, r.segments).endpoint == nullptr) {
      answer(answer_of(stripe::unrecognized_url(r.verb, r.path)));
      return;
    }
    const auto type = r.header("content-type");
    if (!r.body.empty() && !type.empty() &&
        !type.starts_with("application/x-www-form-urlencoded")) {
      answer(error_response(415, "invalid_request_error", "content_type_not_accepted",
                            "Send the parameters as application/x-www-form-urlencoded."));
      return;
    }
    auto form = stripe::decode_form(r.body);
    if (!form) {
      answer(error_response(400, "invalid_request_error", "body_unreadable", form.error().message));
      return;
    }
    actors::order_request wanted;
    wanted.scope = scope_of(r);
    wanted.call = call_of(r);
    wanted.caller_key = r.header("idempotency-key");
    if (wanted.caller_key.size() > 255) {
      answer(error_response(400, "idempotency_error", "",
                            "An Idempotency-Key has at most 255 characters."));
      return;
    }
    wanted.owner = actors::owner_of_order(house_.till.read(), wanted.scope, r.segments, *form);
    house_.till.take_order(
        std::move(wanted),
        {[answer](const actors::order_answer& end) { answer(answered(end)); }, {}});
  }

 private:
  store::scope scope_of(const request& r) const {
    store::scope scope = house_.scope;
    if (const auto account = r.header("stripe-account"); !account.empty()) {
      scope.account += "/" + std::string(account);
    }
    return scope;
  }

  static bool check(const request& r, const responder& answer) {
    if (sane_account(r.header("stripe-account"))) return true;
    answer(error_response(400, "invalid_request_error", "account_invalid",
                          "Stripe-Account is not an account id."));
    return false;
  }

  stripe::call call_of(const request& r) const {
    stripe::call call;
    call.verb = r.verb;
    call.target = r.target;
    call.body = r.body;
    call.api_version = r.header("stripe-version");
    call.stripe_account = r.header("stripe-account");
    return call;
  }

  bool in_our_version(const request& r) const {
    const auto version = r.header("stripe-version");
    return version.empty() || version == house_.api_version;
  }

  // nullopt: the mirror cannot tell, ask Stripe.
  std::optional<response> from_mirror(const request& r, const stripe::endpoint_row& endpoint,
                                      const std::vector<std::string>& arguments,
                                      const stripe::form_pairs& query) const {
    if (!in_our_version(r) || endpoint.returns.empty()) return std::nullopt;
    const auto& catalogue = stripe::catalogue::instance();
    const std::string& name = endpoint.returns.front();
    const auto [expand, rest] = without_expand(query);
    const auto expansion = stripe::read_expansion(endpoint, expand);
    if (expansion.wrong) return answer_of(*expansion.wrong);
    const store::scope scope = scope_of(r);
    const document_view shown = view_of(scope, name, expansion.tree);
    if (&endpoint == catalogue.retrieve_of(name) && rest.empty() && arguments.size() == 1) {
      return name == "event" ? mirrored_event(scope, arguments.front())
                             : mirrored_object(scope, name, arguments.front(), shown);
    }
    if (endpoint.search) return mirrored_search(r, scope, name, rest, expand, shown);
    if (const auto nested = read_nested(endpoint, arguments, rest)) {
      return mirrored_list(scope, *nested, shown);
    }
    if (&endpoint != catalogue.list_of(name) || name == "event") return std::nullopt;
    auto asked = read_list_query(name, rest);
    if (!asked) return std::nullopt;
    if (auto* wrong = std::get_if<response>(&*asked)) return std::move(*wrong);
    if (house_.till.anybody_settles() && list_settles(scope, rest)) return std::nullopt;
    if (!is_whole(scope, name)) return std::nullopt;
    return list_page(house_.till.read(), scope, name, r.path, std::get<list_query>(*asked), shown);
  }

  // Without a key there is nobody else to ask.
  bool is_whole(const store::scope& scope, const std::string& name) const {
    if (!house_.till.can_order() || house_.till.whole().is_complete(scope, name)) return true;
    house_.till.whole().want(scope, name);
    return false;
  }

  std::optional<response> mirrored_search(const request& r, const store::scope& scope,
                                          const std::string& name, const stripe::form_pairs& query,
                                          const std::vector<std::string>& expand,
                                          const document_view& shown) const {
    auto asked = read_search(name, query, expand);
    if (!asked) return std::nullopt;
    if (auto* wrong = std::get_if<response>(&*asked)) return std::move(*wrong);
    if (house_.till.anybody_settles() || !is_whole(scope, name)) return std::nullopt;
    return search_page(house_.till.read(), scope, name, r.path, std::get<search_request>(*asked),
                       shown);
  }

  // A list of one customer's by that customer; any other by everybody.
  bool list_settles(const store::scope& scope, const stripe::form_pairs& query) const {
    for (const auto& [name, value] : query) {
      if (name == "customer") return house_.till.settles(scope, value);
    }
    return true;
  }

  // As it is where nothing is to be expanded.
  document_view view_of(const store::scope& scope, const std::string& name,
                        const stripe::expansion& tree) const {
    if (tree.empty()) return {};
    const stripe::find_object find = [this, scope](const std::vector<std::string>& kinds,
                                                   std::string_view id) {
      return found(scope, kinds, id);
    };
    return [name, tree, find](std::string_view document) {
      return stripe::expand(name, document, tree, find);
    };
  }

  // Of the deleted only customers can be shown.
  std::optional<std::string> found(const store::scope& scope, const std::vector<std::string>& kinds,
                                   std::string_view id) const {
    if (!store::valid_id(id)) return std::nullopt;
    for (const auto& kind : kinds) {
      auto row = house_.till.read().get(family::objects, key::object(scope, kind, id));
      const auto view = row && *row ? store::view_object(**row) : std::nullopt;
      if (!view || (view->at.deleted && kind != "customer")) continue;
      return std::string(view->document);
    }
    return std::nullopt;
  }

  std::optional<response> mirrored_object(const store::scope& scope, const std::string& name,
                                          const std::string& id, const document_view& shown) const {
    if (!store::valid_id(id)) return answer_of(stripe::resource_missing(name, id));
    auto row = house_.till.read().get(family::objects, key::object(scope, name, id));
    if (!row) return unavailable(row.error());
    if (!*row) return std::nullopt;
    const auto view = store::view_object(**row);
    if (!view) return unavailable(error{errc::corrupt, "the mirrored object is damaged"});
    // Of the deleted, Stripe still shows customers.
    if (view->at.deleted && name != "customer") {
      return answer_of(stripe::resource_missing(name, id));
    }
    if (house_.till.anybody_settles()) {
      const auto head = stripe::parse_object(view->document);
      if (head && house_.till.settles(scope, head->owner_customer)) return std::nullopt;
    }
    response ok;
    if (shown && !view->at.deleted) {
      auto whole = shown(view->document);
      if (!whole) return std::nullopt;
      ok.body = std::move(*whole);
    } else {
      ok.body = view->document;
    }
    if (view->at.suspect) ok.headers.emplace_back("Tilld-Stale", "true");
    return ok;
  }

  // Inside a document that is as it should be.
  std::optional<response> mirrored_list(const store::scope& scope, const nested_list& asked,
                                        const document_view& shown) const {
    if (!store::valid_id(asked.parent_id)) return std::nullopt;
    auto row =
        house_.till.read().get(family::objects, key::object(scope, asked.parent, asked.parent_id));
    if (!row) return unavailable(row.error());
    const auto view = *row ? store::view_object(**row) : std::nullopt;
    if (!view || view->at.deleted || view->at.suspect) return std::nullopt;
    if (house_.till.anybody_settles()) {
      const auto head = stripe::parse_object(view->document);
      if (!head || house_.till.settles(scope, head->owner_customer)) return std::nullopt;
    }
    return nested_page(asked, view->document, shown);
  }

  std::optional<response> mirrored_event(const store::scope& scope, const std::string& id) const {
    if (!store::valid_id(id)) return answer_of(stripe::resource_missing("event", id));
    auto row = house_.till.read().get(family::events, key::event(scope, id));
    if (!row) return unavailable(row.error());
    if (!*row) return std::nullopt;
    auto record = store::decode_event(**row);
    if (!record) return unavailable(record.error());
    response ok;
    ok.body = std::move(record->raw);
    return ok;
  }

  void ask_stripe(const request& r, const stripe::endpoint_row& endpoint,
                  const std::vector<std::string>& arguments, bool plain, responder answer) const {
    actors::fetch_request wanted;
    wanted.scope = scope_of(r);
    wanted.call = call_of(r);
    wanted.call.in = stripe::lane::check;
    const auto& catalogue = stripe::catalogue::instance();
    const std::string name = endpoint.returns.empty() ? "" : endpoint.returns.front();
    wanted.learn = endpoint.list && in_our_version(r) && name != "event" &&
                   r.query.find("expand") == std::string::npos;
    wanted.keep = plain && in_our_version(r) && !name.empty() && name != "event" &&
                  &endpoint == catalogue.retrieve_of(name) && arguments.size() == 1;
    if (wanted.keep) {
      wanted.object_name = name;
      wanted.object_id = arguments.front();
    }
    house_.till.take_fetch(std::move(wanted), {[answer](const actors::fetch_answer& end) {
                                                 response r2;
                                                 r2.status = end.status;
                                                 r2.body = end.body;
                                                 name_source(r2, "stripe");
                                                 if (!end.request_id.empty()) {
                                                   r2.headers.emplace_back("Request-Id",
                                                                           end.request_id);
                                                 }
                                                 answer(std::move(r2));
                                               },
                                               {}});
  }

  static response answered(const actors::order_answer& end) {
    response r;
    r.status = end.status;
    r.body = end.body;
    name_source(r, "stripe");
    if (!end.request_id.empty()) r.headers.emplace_back("Request-Id", end.request_id);
    if (!end.idempotency_key.empty()) {
      r.headers.emplace_back("Idempotency-Key", end.idempotency_key);
    }
    if (end.replayed) r.headers.emplace_back("Idempotent-Replayed", "true");
    if (!end.order_id.empty()) r.headers.emplace_back("Tilld-Order", end.order_id);
    return r;
  }

  const house& house_;
};

}  // namespace

void add_v1_routes(router& to, const house& h) {
  auto face = std::make_shared<v1_face>(h);
  to.add("GET", "/v1/{rest...}",
         [face](request& r, responder answer) { face->read(r, std::move(answer)); });
  for (const char* verb : {"POST", "DELETE"}) {
    to.add(verb, "/v1/{rest...}",
           [face](request& r, responder answer) { face->order(r, std::move(answer)); });
  }
}

}  // namespace tilld::http
