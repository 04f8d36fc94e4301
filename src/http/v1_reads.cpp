#include "http/v1_reads.hpp"

#include <atomic>
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

// The embedded list's own url, as the kind's list.
bool take_alias(mirror_question& asked, const std::vector<std::string>& segments) {
  auto alias = read_alias(segments, asked.query);
  if (!alias) return false;
  asked.endpoint = alias->endpoint;
  asked.query = std::move(alias->list.query);
  return true;
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

// Of the objects that an answer lacks; with more, the whole is Stripe's to answer.
constexpr std::size_t most_fetched = 20;

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
  auto found = stripe::catalogue::instance().find("GET", r.segments);
  const auto query = stripe::decode_form(r.query);
  if (!query) {
    return void(answer(
        error_response(400, "invalid_request_error", "query_unreadable", query.error().message)));
  }
  auto one = std::make_shared<asking>();
  one->asked.scope = scope_of(house_, r);
  one->asked.path = r.path;
  one->asked.endpoint = found.endpoint;
  one->asked.arguments = std::move(found.arguments);
  one->asked.as_it_is = *wish == consistency::mirror;
  take_query(one->asked, *query);
  if (one->asked.endpoint == nullptr && !take_alias(one->asked, r.segments)) {
    return void(answer(answer_of(stripe::unrecognized_url("GET", r.path))));
  }
  one->call = call_of(r);
  one->ours = in_our_version(house_, r);
  one->local = one->ours && *wish != consistency::stripe;
  one->answer = std::move(answer);
  this->answer(one);
}

void v1_reads::answer(const shared_asking& one) const {
  shortfall lacking;
  auto local = one->local ? mirror_.answer(one->asked, lacking) : std::nullopt;
  if (local) {
    name_source(*local, "mirror");
    one->answer(std::move(*local));
  } else if (!lacking.more && !lacking.objects.empty() &&
             one->asked.fetched.size() + lacking.objects.size() <= most_fetched) {
    fetch_lacking(one, lacking);
  } else {
    ask_stripe(*one);
  }
}

void v1_reads::fetch_lacking(const shared_asking& one, const shortfall& lacking) const {
  struct round {
    std::atomic<std::size_t> left;
    std::atomic<bool> all_kept{true};
    std::atomic<bool> dropped{false};
  };
  auto now = std::make_shared<round>();
  now->left = lacking.objects.size();
  one->asked.fetched.insert(lacking.objects.begin(), lacking.objects.end());
  for (const auto& object : lacking.objects) {
    actors::fetch_request wanted;
    wanted.scope = one->asked.scope;
    wanted.call.target = stripe::retrieve_target(object.kind, object.id);
    wanted.call.stripe_account = one->call.stripe_account;
    wanted.object_name = object.kind;
    wanted.object_id = object.id;
    house_.till.take_fetch(std::move(wanted),
                           {[self = shared_from_this(), one, now](const actors::fetch_answer& end) {
                              if (end.body.empty()) now->dropped = true;
                              if (!end.kept || end.status != 200) now->all_kept = false;
                              if (--now->left > 0) return;
                              if (now->dropped) return void(one->answer(fetched({})));
                              if (now->all_kept) return self->answer(one);
                              self->ask_stripe(*one);
                            },
                            {}});
  }
}

void v1_reads::ask_stripe(const asking& one) const {
  const auto& endpoint = *one.asked.endpoint;
  const std::string name = endpoint.returns.empty() ? "" : endpoint.returns.front();
  // What is added that the catalogue does not know could not be taken out again.
  const bool kept =
      one.ours && name != "event" && !stripe::read_expansion(endpoint, one.asked.expand).wrong;
  actors::fetch_request wanted;
  wanted.scope = one.asked.scope;
  wanted.call = one.call;
  wanted.call.in = stripe::lane::check;
  wanted.learn = kept && endpoint.list;
  wanted.keep = kept && one.asked.query.empty() && !name.empty() &&
                one.asked.arguments.size() == 1 &&
                &endpoint == stripe::catalogue::instance().retrieve_of(name);
  if (wanted.keep) {
    wanted.object_name = name;
    wanted.object_id = one.asked.arguments.front();
  }
  house_.till.take_fetch(
      std::move(wanted),
      {[answer = one.answer](const actors::fetch_answer& end) { answer(fetched(end)); }, {}});
}

}  // namespace tilld::http
