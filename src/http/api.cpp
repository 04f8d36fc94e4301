#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>

#include <nlohmann/json.hpp>

#include "core/customer_state.hpp"
#include "core/product.hpp"
#include "http/faces.hpp"

namespace tilld::http {

using store::family;
namespace key = store::key;

namespace {

class api_face {
 public:
  explicit api_face(const house& h) : house_(h) {}

  enum class question { customer, entitlements };

  void answer_about(question what, const request& r, const responder& answer) const {
    const store::scope& scope = house_.account_of(r).scope;
    auto state = find(scope, r.arguments.at(0));
    if (!state) {
      answer(problem(state.error(), r.arguments.at(0)));
      return;
    }
    const auto products = [&](std::string_view id) { return product(scope, id); };
    const std::int64_t now = house_.time.wall_s();
    response ok;
    ok.headers.emplace_back("Tilld-Source", "mirror");
    ok.body = (what == question::customer ? core::customer_answer(*state, products, now)
                                          : core::entitlements_answer(*state, products, now))
                  .dump();
    answer(std::move(ok));
  }

 private:
  // By Stripe's id, or by the application's own.
  result<core::customer_state> find(const store::scope& scope, const std::string& id) const {
    auto own = load(scope, id);
    if (own || own.error().code != errc::not_found) return own;
    std::optional<core::customer_state> best;
    std::optional<error> failed;
    auto scanned =
        house_.till.read().scan({family::customers, key::user_links(scope, id), "", false},
                                [&](std::string_view row_key, std::string_view) {
                                  const auto customer = key::last_text(row_key);
                                  if (!customer) return true;
                                  auto linked = load(scope, std::string(*customer));
                                  if (!linked) {
                                    failed = linked.error();
                                    return linked.error().code == errc::not_found;
                                  }
                                  if (!best || better(*linked, *best)) best = std::move(*linked);
                                  return true;
                                });
    if (!scanned) return std::unexpected(scanned.error());
    if (best) return std::move(*best);
    if (failed) return std::unexpected(*failed);
    return own;
  }

  // Of several customers with one user id: the living, then the one with access, then the newest.
  static bool better(const core::customer_state& a, const core::customer_state& b) {
    const auto rank = [](const core::customer_state& s) {
      const bool access = std::ranges::any_of(s.subscriptions, core::grants_access);
      return std::tuple(!s.deleted, access, s.created_s, std::string_view(s.id));
    };
    return rank(a) > rank(b);
  }

  result<core::customer_state> load(const store::scope& scope, const std::string& id) const {
    if (!store::valid_id(id)) return fail(errc::not_found, "");
    auto row = house_.till.read().get(family::customers, key::customer_state(scope, id));
    if (!row) return std::unexpected(row.error());
    if (!*row) return fail(errc::not_found, "");
    return core::customer_state_from_json(**row);
  }

  std::optional<core::product_facts> product(const store::scope& scope, std::string_view id) const {
    auto row = house_.till.read().get(family::objects, key::object(scope, "product", id));
    if (!row || !*row) return std::nullopt;
    const auto view = store::view_object(**row);
    if (!view) return std::nullopt;
    return core::product_facts_in(view->document);
  }

  static response problem(const error& why, const std::string& id) {
    if (why.code == errc::not_found) {
      return error_response(404, "invalid_request_error", "customer_unknown",
                            "No customer is known by '" + id +
                                "': neither as a Stripe id nor as a user id in the customer's "
                                "metadata.");
    }
    return error_response(503, "api_error", "store_unavailable", why.message);
  }

  const house& house_;
};

}  // namespace

void add_api_routes(router& to, const house& h) {
  auto face = std::make_shared<api_face>(h);
  to.add("GET", "/api/customers/{id}", [face](request& r, const responder& answer) {
    face->answer_about(api_face::question::customer, r, answer);
  });
  to.add("GET", "/api/customers/{id}/entitlements", [face](request& r, const responder& answer) {
    face->answer_about(api_face::question::entitlements, r, answer);
  });
  to.add("GET", "/api/gateway", [&h](request& r, const responder& answer) {
    response ok;
    ok.body = h.till.gateway_status(h.account_of(r).scope);
    answer(std::move(ok));
  });
}

}  // namespace tilld::http
