#include "http/v1_reads.hpp"

#include <string>
#include <utility>

#include "http/v1_answers.hpp"
#include "http/v1_request.hpp"
#include "stripe/api_error.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/form.hpp"

namespace tilld::http {

namespace {

// expand[]=a, expand[0]=a; and what else there is.
void take_query(mirror_question& asked, const stripe::form_pairs& query) {
  for (const auto& pair : query) {
    if (pair.first == "expand" || pair.first.starts_with("expand[")) {
      asked.expand.push_back(pair.second);
    } else {
      asked.query.push_back(pair);
    }
  }
}

bool in_our_version(const house& h, const request& r) {
  const auto version = r.header("stripe-version");
  return version.empty() || version == h.account_of(r).api_version;
}

response no_consistency(std::string_view given) {
  return error_response(400, "invalid_request_error", "consistency_invalid",
                        "Tilld-Consistency is \"mirror\" or \"stripe\", not \"" +
                            std::string(given) + "\"; without it the mirror answers.");
}

response fetched(const actors::fetch_answer& end) {
  response r;
  r.status = end.status;
  r.body = end.body;
  name_source(r, "stripe");
  if (!end.request_id.empty()) r.headers.emplace_back("Request-Id", end.request_id);
  return r;
}

}  // namespace

std::optional<consistency> consistency_from(std::string_view header) noexcept {
  if (header.empty()) return consistency::settling;
  if (header == "mirror") return consistency::mirror;
  if (header == "stripe") return consistency::stripe;
  return std::nullopt;
}

void v1_reads::read(const request& r, responder answer) const {
  if (!sane_account(r, answer)) return;
  const auto wish = consistency_from(r.header("tilld-consistency"));
  if (!wish) return void(answer(no_consistency(r.header("tilld-consistency"))));
  const auto found = stripe::catalogue::instance().find("GET", r.segments);
  if (found.endpoint == nullptr) {
    return void(answer(answer_of(stripe::unrecognized_url("GET", r.path))));
  }
  const auto query = stripe::decode_form(r.query);
  if (!query) {
    return void(answer(
        error_response(400, "invalid_request_error", "query_unreadable", query.error().message)));
  }
  mirror_question asked;
  asked.scope = scope_of(house_, r);
  asked.path = r.path;
  asked.endpoint = found.endpoint;
  asked.arguments = found.arguments;
  asked.settled = *wish == consistency::mirror;
  take_query(asked, *query);
  const bool ours = in_our_version(house_, r);
  if (ours && *wish != consistency::stripe) {
    if (auto local = mirror_.answer(asked)) {
      name_source(*local, "mirror");
      return void(answer(std::move(*local)));
    }
  }
  ask_stripe(r, asked, ours, std::move(answer));
}

void v1_reads::ask_stripe(const request& r, const mirror_question& asked, bool ours,
                          responder answer) const {
  const auto& endpoint = *asked.endpoint;
  const std::string name = endpoint.returns.empty() ? "" : endpoint.returns.front();
  const bool kept = ours && name != "event" && asked.expand.empty();
  actors::fetch_request wanted;
  wanted.scope = asked.scope;
  wanted.call = call_of(r);
  wanted.call.in = stripe::lane::check;
  wanted.learn = kept && endpoint.list;
  wanted.keep = kept && asked.query.empty() && !name.empty() && asked.arguments.size() == 1 &&
                &endpoint == stripe::catalogue::instance().retrieve_of(name);
  if (wanted.keep) {
    wanted.object_name = name;
    wanted.object_id = asked.arguments.front();
  }
  house_.till.take_fetch(std::move(wanted),
                         {[answer](const actors::fetch_answer& end) { answer(fetched(end)); }, {}});
}

}  // namespace tilld::http
