#include "http/v1_mirror.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "http/v1_answers.hpp"
#include "http/v1_search.hpp"
#include "store/records.hpp"
#include "stripe/api_error.hpp"
#include "stripe/event.hpp"
#include "stripe/json_scan.hpp"

namespace tilld::http {

using store::family;
namespace key = store::key;

namespace {

// Members that Stripe adds only on demand and that are lists of what is mirrored, ten at most.
struct added_list {
  std::string_view object;
  std::string_view member;
  std::string_view kind;
  std::string_view filter;
  std::string_view url;
  bool by_owner = false;
};
constexpr std::array added_lists = {
    added_list{"charge", "refunds", "refund", "charge", "/v1/charges/{id}/refunds"},
    added_list{"customer", "subscriptions", "subscription", "customer",
               "/v1/customers/{id}/subscriptions"},
    added_list{"customer", "tax_ids", "tax_id", "owner[customer]", "/v1/customers/{id}/tax_ids",
               true},
};

std::string with_id(std::string_view pattern, std::string_view id) {
  std::string text(pattern);
  return text.replace(text.find("{id}"), 4, id);
}

}  // namespace

std::optional<response> mirror_reads::answer(const mirror_question& asked,
                                             shortfall& lacking) const {
  const auto& catalogue = stripe::catalogue::instance();
  if (asked.endpoint->returns.empty()) return std::nullopt;
  const std::string& name = asked.endpoint->returns.front();
  const auto expansion = stripe::read_expansion(*asked.endpoint, asked.expand);
  if (expansion.wrong) {
    // The catalogue does not know all that Stripe adds on demand (a price's tiers).
    if (house_.till.can_order(asked.scope)) return std::nullopt;
    return answer_of(*expansion.wrong);
  }
  const stripe::expand_source source = {
      [&](const auto& kinds, std::string_view id) { return found(asked, lacking, kinds, id); },
      [&](std::string_view object_name, std::string_view document, std::string_view member) {
        return added(asked, lacking, object_name, document, member);
      }};
  document_view shown;
  if (!expansion.tree.empty()) {
    shown = [&](std::string_view document) {
      return stripe::expand(name, document, expansion.tree, source);
    };
  }
  const bool retrieve = asked.endpoint == catalogue.retrieve_of(name) && asked.query.empty() &&
                        asked.arguments.size() == 1;
  if (retrieve && name == "event") return event(asked.scope, asked.arguments.front());
  if (retrieve) return object(asked, name, shown);
  if (asked.endpoint->search) return search(asked, name, shown);
  if (const auto inside = read_nested(*asked.endpoint, asked.arguments, asked.query)) {
    return nested(asked, *inside, shown);
  }
  if (const auto wanted = read_owned(*asked.endpoint, asked.arguments, asked.query)) {
    return wanted->id.empty() ? owned_list(asked, *wanted, shown)
                              : owned_one(asked, *wanted, shown);
  }
  if (asked.endpoint != catalogue.list_of(name) || name == "event") return std::nullopt;
  return list(asked, name, shown);
}

std::optional<response> mirror_reads::list(const mirror_question& asked, const std::string& name,
                                           const document_view& shown) const {
  auto query = read_list_query(name, asked.query);
  if (!query) return std::nullopt;
  if (auto* wrong = std::get_if<response>(&*query)) return std::move(*wrong);
  if (list_settles(asked) || !is_whole(asked.scope, name)) return std::nullopt;
  return list_page(house_.till.read(), asked.scope, name, asked.path, std::get<list_query>(*query),
                   shown);
}

std::optional<response> mirror_reads::search(const mirror_question& asked, const std::string& name,
                                             const document_view& shown) const {
  auto query = read_search(name, asked.query, asked.expand);
  if (!query) return std::nullopt;
  if (auto* wrong = std::get_if<response>(&*query)) return std::move(*wrong);
  const bool settling = !asked.as_it_is && house_.till.anybody_settles();
  if (settling || !is_whole(asked.scope, name)) return std::nullopt;
  return search_page(house_.till.read(), asked.scope, name, asked.path,
                     std::get<search_request>(*query), shown);
}

// Without a key there is nobody else to ask.
bool mirror_reads::is_whole(const store::scope& scope, std::string_view name,
                            std::string_view owner) const {
  auto& whole = house_.till.whole();
  if (!house_.till.can_order(scope) || whole.is_complete(scope, name, owner)) return true;
  whole.want(scope, name, owner);
  return false;
}

bool mirror_reads::settles(const mirror_question& asked, std::string_view document) const {
  if (asked.as_it_is || !house_.till.anybody_settles()) return false;
  const auto head = stripe::parse_object(document);
  return !head || house_.till.settles(asked.scope, head->owner_customer);
}

// A list of one customer's by that customer; any other by everybody.
bool mirror_reads::list_settles(const mirror_question& asked) const {
  if (asked.as_it_is || !house_.till.anybody_settles()) return false;
  for (const auto& [name, value] : asked.query) {
    if (name == "customer") return house_.till.settles(asked.scope, value);
  }
  return true;
}

// Without a key there is nobody else to ask.
bool mirror_reads::is_told(const mirror_question& asked, const std::string& name) const {
  return asked.as_it_is || !house_.till.can_order(asked.scope) ||
         stripe::catalogue::instance().is_told(name);
}

// Of the deleted only customers can be shown.
std::optional<std::string> mirror_reads::found(const mirror_question& asked, shortfall& lacking,
                                               const std::vector<std::string>& kinds,
                                               std::string_view id) const {
  for (const auto& kind : kinds) {
    if (!store::valid_id(id)) break;
    auto row = house_.till.read().get(family::objects, key::object(asked.scope, kind, id));
    const auto view = row && *row ? store::view_object(**row) : std::nullopt;
    if (!view) continue;
    if (view->at.deleted && kind != "customer") break;
    const bool good = is_told(asked, kind) || asked.fetched.contains({kind, std::string(id)});
    if (good) return std::string(view->document);
  }
  object_id wanted{kinds.size() == 1 ? kinds.front() : "", std::string(id)};
  const bool can_be_asked = store::valid_id(id) && !asked.fetched.contains(wanted) &&
                            !stripe::retrieve_target(wanted.kind, id).empty();
  if (can_be_asked) {
    lacking.objects.insert(std::move(wanted));
  } else {
    lacking.more = true;
  }
  return std::nullopt;
}

std::optional<std::string> mirror_reads::added(const mirror_question& asked, shortfall& lacking,
                                               std::string_view object_name,
                                               std::string_view document,
                                               std::string_view member) const {
  const auto row = std::ranges::find_if(added_lists, [&](const added_list& l) {
    return l.object == object_name && l.member == member;
  });
  const std::string id(stripe::unquoted(stripe::member_of(document, "id")));
  // Refunds are nobody's.
  const bool settling =
      !asked.as_it_is && house_.till.anybody_settles() && house_.till.settles(asked.scope, "");
  if (row == added_lists.end() || settling ||
      !is_whole(asked.scope, row->kind, row->by_owner ? std::string_view(id) : "")) {
    lacking.more = true;
    return std::nullopt;
  }
  auto query = read_list_query(row->kind, {{std::string(row->filter), id}});
  if (!query || !std::holds_alternative<list_query>(*query)) {
    lacking.more = true;
    return std::nullopt;
  }
  auto page = list_page(house_.till.read(), asked.scope, row->kind, with_id(row->url, id),
                        std::get<list_query>(*query));
  if (!page || page->status != 200) {
    lacking.more = true;
    return std::nullopt;
  }
  return std::move(page->body);
}

std::optional<response> mirror_reads::object(const mirror_question& asked, const std::string& name,
                                             const document_view& shown) const {
  const std::string& id = asked.arguments.front();
  if (!store::valid_id(id)) return answer_of(stripe::resource_missing(name, id));
  auto row = house_.till.read().get(family::objects, key::object(asked.scope, name, id));
  if (!row) return unavailable(row.error());
  if (!*row || !is_told(asked, name)) return std::nullopt;
  const auto view = store::view_object(**row);
  if (!view) return unavailable(error{errc::corrupt, "the mirrored object is damaged"});
  // Of the deleted, Stripe still shows customers.
  if (view->at.deleted && name != "customer") {
    return answer_of(stripe::resource_missing(name, id));
  }
  if (settles(asked, view->document)) return std::nullopt;
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
std::optional<response> mirror_reads::nested(const mirror_question& asked,
                                             const nested_list& wanted,
                                             const document_view& shown) const {
  if (!store::valid_id(wanted.parent_id)) return std::nullopt;
  auto row = house_.till.read().get(family::objects,
                                    key::object(asked.scope, wanted.parent, wanted.parent_id));
  if (!row) return unavailable(row.error());
  const auto view = *row ? store::view_object(**row) : std::nullopt;
  if (!view || view->at.deleted || view->at.suspect) return std::nullopt;
  if (settles(asked, view->document)) return std::nullopt;
  return nested_page(wanted, view->document, shown);
}

// The document of an object that is there and not deleted.
std::optional<std::string> mirror_reads::live(const store::scope& scope, std::string_view kind,
                                              std::string_view id) const {
  if (!store::valid_id(id)) return std::nullopt;
  auto row = house_.till.read().get(family::objects, key::object(scope, kind, id));
  const auto view = row && *row ? store::view_object(**row) : std::nullopt;
  if (!view || view->at.deleted || view->at.suspect) return std::nullopt;
  return std::string(view->document);
}

std::optional<response> mirror_reads::owned_list(const mirror_question& asked, const owned& wanted,
                                                 const document_view& shown) const {
  const auto owner = live(asked.scope, wanted.owner_kind, wanted.owner);
  if (!owner || settles(asked, *owner)) return std::nullopt;
  auto query = read_list_query(wanted.kind, wanted.query);
  if (!query) return std::nullopt;
  if (auto* wrong = std::get_if<response>(&*query)) return std::move(*wrong);
  if (!is_whole(asked.scope, wanted.kind, wanted.owner)) return std::nullopt;
  return list_page(house_.till.read(), asked.scope, wanted.kind, asked.path,
                   std::get<list_query>(*query), shown);
}

// Where it is not this owner's, Stripe says so.
std::optional<response> mirror_reads::owned_one(const mirror_question& asked, const owned& wanted,
                                                const document_view& shown) const {
  const auto owner = live(asked.scope, wanted.owner_kind, wanted.owner);
  const auto document = live(asked.scope, wanted.kind, wanted.id);
  if (!owner || !document || stripe::text_at(*document, wanted.owner_path) != wanted.owner) {
    return std::nullopt;
  }
  if (settles(asked, *owner)) return std::nullopt;
  auto body = shown ? shown(*document) : document;
  if (!body) return std::nullopt;
  response ok;
  ok.body = std::move(*body);
  return ok;
}

std::optional<response> mirror_reads::event(const store::scope& scope,
                                            const std::string& id) const {
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

}  // namespace tilld::http
