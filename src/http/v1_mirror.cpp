#include "http/v1_mirror.hpp"

#include <utility>
#include <variant>

#include "http/v1_answers.hpp"
#include "http/v1_search.hpp"
#include "store/records.hpp"
#include "stripe/api_error.hpp"
#include "stripe/event.hpp"

namespace tilld::http {

using store::family;
namespace key = store::key;

std::optional<response> mirror_reads::answer(const mirror_question& asked) const {
  const auto& catalogue = stripe::catalogue::instance();
  if (asked.endpoint->returns.empty()) return std::nullopt;
  const std::string& name = asked.endpoint->returns.front();
  const auto expansion = stripe::read_expansion(*asked.endpoint, asked.expand);
  if (expansion.wrong) return answer_of(*expansion.wrong);
  const document_view shown = view_of(asked.scope, name, expansion.tree);
  const bool retrieve = asked.endpoint == catalogue.retrieve_of(name) && asked.query.empty() &&
                        asked.arguments.size() == 1;
  if (retrieve && name == "event") return event(asked.scope, asked.arguments.front());
  if (retrieve) return object(asked, name, shown);
  if (asked.endpoint->search) return search(asked, name, shown);
  if (const auto inside = read_nested(*asked.endpoint, asked.arguments, asked.query)) {
    return nested(asked, *inside, shown);
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
  const bool settling = !asked.settled && house_.till.anybody_settles();
  if (settling || !is_whole(asked.scope, name)) return std::nullopt;
  return search_page(house_.till.read(), asked.scope, name, asked.path,
                     std::get<search_request>(*query), shown);
}

// Without a key there is nobody else to ask.
bool mirror_reads::is_whole(const store::scope& scope, const std::string& name) const {
  if (!house_.till.can_order(scope) || house_.till.whole().is_complete(scope, name)) return true;
  house_.till.whole().want(scope, name);
  return false;
}

bool mirror_reads::settles(const mirror_question& asked, std::string_view document) const {
  if (asked.settled || !house_.till.anybody_settles()) return false;
  const auto head = stripe::parse_object(document);
  return !head || house_.till.settles(asked.scope, head->owner_customer);
}

// A list of one customer's by that customer; any other by everybody.
bool mirror_reads::list_settles(const mirror_question& asked) const {
  if (asked.settled || !house_.till.anybody_settles()) return false;
  for (const auto& [name, value] : asked.query) {
    if (name == "customer") return house_.till.settles(asked.scope, value);
  }
  return true;
}

// As it is where nothing is to be expanded.
document_view mirror_reads::view_of(const store::scope& scope, const std::string& name,
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
std::optional<std::string> mirror_reads::found(const store::scope& scope,
                                               const std::vector<std::string>& kinds,
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

std::optional<response> mirror_reads::object(const mirror_question& asked, const std::string& name,
                                             const document_view& shown) const {
  const std::string& id = asked.arguments.front();
  if (!store::valid_id(id)) return answer_of(stripe::resource_missing(name, id));
  auto row = house_.till.read().get(family::objects, key::object(asked.scope, name, id));
  if (!row) return unavailable(row.error());
  if (!*row) return std::nullopt;
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
