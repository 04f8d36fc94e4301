#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "http/faces.hpp"
#include "http/v1_answers.hpp"
#include "store/event_log.hpp"
#include "store/tokens.hpp"
#include "stripe/event.hpp"
#include "stripe/form.hpp"

namespace tilld::http {

namespace {

using nlohmann::json;

json shown(const store::listed_token& token) {
  return {{"id", token.id},
          {"name", token.record.name},
          {"scope", token.record.scope},
          {"account", token.record.account},
          {"ends_in", token.record.hint},
          {"created", token.record.created_s},
          {"expires", token.record.expires_s}};
}

json shown(const store::listed_event& e) {
  return {{"id", e.id},
          {"type", e.type},
          {"object", e.object_name},
          {"object_id", e.object_id},
          {"customer", e.customer},
          {"created", e.created_s},
          {"received_ms", e.received_ms},
          {"status", store::to_string(e.status)},
          {"reason", e.reason},
          {"tries", e.tries}};
}

response found(const json& value) {
  response ok;
  ok.body = value.dump();
  return ok;
}

response problem(const error& why) {
  switch (why.code) {
    case errc::not_found:
      return error_response(404, "invalid_request_error", "not_found", why.message);
    case errc::invalid:
      return error_response(400, "invalid_request_error", "invalid", why.message);
    case errc::denied:
      return error_response(403, "invalid_request_error", "denied", why.message);
    case errc::conflict:
      return error_response(409, "api_error", "conflict", why.message);
    case errc::unavailable:
    case errc::corrupt:
      break;
  }
  return unavailable(why);
}

class admin_face {
 public:
  explicit admin_face(const house& h) : house_(h) {}

  void tokens(request&, const responder& answer) const {
    auto all = store::list_tokens(house_.till.read());
    if (!all) return void(answer(problem(all.error())));
    json listed = json::array();
    for (const auto& token : *all)
      listed.push_back(shown(token));
    answer(found({{"data", listed}}));
  }

  void make_token(request& r, const responder& answer) const {
    const auto asked = json::parse(r.body, nullptr, false);
    if (!asked.is_object()) {
      return void(answer(problem({errc::invalid, "send a JSON object with name and scope"})));
    }
    store::token_request wanted{text(asked, "name"), text(asked, "scope"), text(asked, "account"),
                                number(asked, "expires")};
    std::vector<std::string> names;
    for (const auto& [name, account] : house_.accounts)
      names.push_back(name);
    if (auto ok = store::bind_to_account(wanted, names); !ok) {
      return void(answer(problem(ok.error())));
    }
    store::batch rows;
    auto made = store::make_token(rows, wanted, house_.time.wall_s());
    if (!made) return void(answer(problem(made.error())));
    commit(std::move(rows), answer, [this, made = *made] {
      house_.tokens.add(made.listed);
      log::info("token_made",
                {{"name", made.listed.record.name}, {"scope", made.listed.record.scope}});
      json shown_once = shown(made.listed);
      shown_once["token"] = made.plain;
      return found(shown_once);
    });
  }

  void revoke_token(request& r, const responder& answer) const {
    store::batch rows;
    auto revoked = store::revoke_token(rows, house_.till.read(), r.arguments.at(0));
    if (!revoked) return void(answer(problem(revoked.error())));
    commit(std::move(rows), answer, [this, revoked = *revoked] {
      house_.tokens.remove(revoked);
      log::info("token_revoked", {{"name", revoked.record.name}});
      return found(shown(revoked));
    });
  }

  void events(request& r, const responder& answer) const {
    store::event_filter filter;
    auto query = stripe::decode_form(r.query);
    if (!query) return void(answer(problem(query.error())));
    for (const auto& [name, value] : *query) {
      if (name == "limit") {
        std::from_chars(value.data(), value.data() + value.size(), filter.limit);
        filter.limit = std::min<std::size_t>(filter.limit, 1000);
      }
      if (name == "failed") filter.failed_only = value == "true";
      if (name == "type") filter.type = value;
      if (name == "customer") filter.customer = value;
    }
    auto listed = store::list_events(house_.till.read(), house_.account_of(r).scope, filter);
    if (!listed) return void(answer(problem(listed.error())));
    json data = json::array();
    for (const auto& e : *listed)
      data.push_back(shown(e));
    answer(found({{"data", data}}));
  }

  void event(request& r, const responder& answer) const {
    auto record =
        store::load_event(house_.till.read(), house_.account_of(r).scope, r.arguments.at(0));
    if (!record) return void(answer(problem(record.error())));
    json one = shown(store::summary_of(*record));
    one["endpoint"] = record->endpoint;
    one["event"] = json::parse(record->raw, nullptr, false);
    answer(found(one));
  }

  void replay(request& r, responder answer) const {
    auto record =
        store::load_event(house_.till.read(), house_.account_of(r).scope, r.arguments.at(0));
    if (!record) return void(answer(problem(record.error())));
    auto parsed = stripe::parse_event(record->raw);
    if (!parsed) return void(answer(problem(parsed.error())));
    actors::incoming_event incoming;
    incoming.scope = house_.account_of(r).scope;
    incoming.endpoint = record->endpoint;
    incoming.received_ms = record->received_ms;
    incoming.event = std::move(*parsed);
    incoming.again = true;
    house_.till.take_event(
        std::move(incoming),
        {[answer](const actors::event_answer& end) { answer(replayed(end)); }, {}});
  }

 private:
  static std::string text(const json& from, const char* name) {
    const auto at = from.find(name);
    return at != from.end() && at->is_string() ? at->get<std::string>() : "";
  }
  static std::int64_t number(const json& from, const char* name) {
    const auto at = from.find(name);
    return at != from.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
  }

  static response replayed(const actors::event_answer& end) {
    using enum actors::event_end;
    const char* name = "unavailable";
    switch (end.end) {
      case applied:
        name = "applied";
        break;
      case ignored:
        name = "ignored";
        break;
      case refetch:
        name = "refetch";
        break;
      case duplicate:
        name = "duplicate";
        break;
      case failed:
        name = "failed";
        break;
      case unavailable:
        break;
    }
    response r = found({{"result", name}, {"reason", end.why}});
    if (end.end == unavailable) r.status = 503;
    return r;
  }

  template <class Then>
  void commit(store::batch rows, const responder& answer, Then then) const {
    house_.till.commit(std::move(rows),
                       {[answer, then = std::move(then)](const result<void>& done) {
                          if (!done) return void(answer(problem(done.error())));
                          answer(then());
                        },
                        fail(errc::unavailable, "shutting down")});
  }

  const house& house_;
};

}  // namespace

void add_admin_routes(router& to, const house& h) {
  auto face = std::make_shared<admin_face>(h);
  to.add("GET", "/admin/api/tokens",
         [face](request& r, const responder& a) { face->tokens(r, a); });
  to.add("POST", "/admin/api/tokens",
         [face](request& r, const responder& a) { face->make_token(r, a); });
  to.add("DELETE", "/admin/api/tokens/{id}",
         [face](request& r, const responder& a) { face->revoke_token(r, a); });
  to.add("GET", "/admin/api/events",
         [face](request& r, const responder& a) { face->events(r, a); });
  to.add("GET", "/admin/api/events/{id}",
         [face](request& r, const responder& a) { face->event(r, a); });
  to.add("POST", "/admin/api/events/{id}/replay",
         [face](request& r, responder a) { face->replay(r, std::move(a)); });
}

}  // namespace tilld::http
