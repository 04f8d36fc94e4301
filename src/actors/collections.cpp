#include "actors/collections.hpp"

#include <utility>

#include "base/log.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/form.hpp"

namespace tilld::actors {

using store::family;
namespace key = store::key;

namespace {

constexpr std::int64_t again_after_ms = 30'000;
constexpr std::string_view ended = "-";

// Where it is walked; empty where that would not make it whole.
std::string path_of(std::string_view object_name, std::string_view owner) {
  const auto& catalogue = stripe::catalogue::instance();
  if (owner.empty()) {
    return catalogue.can_be_whole(object_name) ? catalogue.list_of(object_name)->path : "";
  }
  const std::string below = "/v1/customers/" + stripe::percent_encode(owner);
  if (object_name == "payment_method") return below + "/payment_methods";
  if (object_name == "tax_id") return below + "/tax_ids";
  return "";
}

}  // namespace

collections::collections(const store::reader& store, const clock& time, fetch ask, commit keep)
    : store_(store), time_(time), ask_(std::move(ask)), keep_(std::move(keep)) {}

bool collections::is_complete(const store::scope& scope, std::string_view object_name,
                              std::string_view owner) const {
  auto row = store_.get(family::meta, key::complete(scope, object_name, owner));
  return row && *row && !(*row)->starts_with(ended);
}

void collections::want(const store::scope& scope, std::string_view object_name,
                       std::string_view owner) {
  const std::string path = path_of(object_name, owner);
  if (path.empty()) return;
  const walk w{scope, std::string(object_name), path, before_list(scope, object_name, owner)};
  {
    const std::lock_guard lock(mutex_);
    if (!owner.empty() && walks_.size() >= most_walks) {
      const std::int64_t now_ms = time_.mono_ms();
      std::erase_if(walks_,
                    [&](const auto& one) { return one.second > 0 && one.second <= now_ms; });
      if (walks_.size() >= most_walks) return;
    }
    auto [at, is_new] = walks_.try_emplace(w.before.key, 0);
    if (!is_new && (at->second == 0 || at->second > time_.mono_ms())) return;
    at->second = 0;
  }
  step(w, "");
}

collections::standing collections::before_list(const store::scope& scope,
                                               std::string_view object_name,
                                               std::string_view owner) const {
  standing now{key::complete(scope, object_name, owner), std::nullopt, time_.wall_ms()};
  if (auto row = store_.get(family::meta, now.key); row) now.mark = std::move(*row);
  return now;
}

void collections::was_listed(const standing& before) {
  if (before.mark && !before.mark->starts_with(ended)) return;  // it was whole already
  mark(before, {});
}

void collections::end_mark(store::batch& into, const store::scope& scope,
                           std::string_view object_name, std::string_view owner,
                           std::string_view why) {
  into.put(family::meta, key::complete(scope, object_name, owner), std::string(ended).append(why));
}

// Refused when the mark has changed since the list was asked: it may have ended meanwhile.
void collections::mark(const standing& before, once<result<void>> answer) {
  store::batch whole;
  if (before.mark) {
    whole.expect_prefix(family::meta, before.key, *before.mark);
  } else {
    whole.expect_absent(family::meta, before.key);
  }
  whole.put(family::meta, before.key, std::to_string(before.since_ms));
  const std::lock_guard lock(mutex_);
  if (!stopped_) keep_(std::move(whole), std::move(answer));
}

void collections::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

void collections::step(const walk& w, const std::string& after) {
  fetch_request wanted;
  wanted.scope = w.scope;
  wanted.call.target = w.path + "?limit=100";
  if (w.object_name == "subscription") wanted.call.target += "&status=all";
  if (!after.empty()) wanted.call.target += "&starting_after=" + stripe::percent_encode(after);
  wanted.call.in = stripe::lane::backfill;
  wanted.call.stripe_account = w.scope.connected();
  wanted.keep = false;
  wanted.learn = true;
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  ask_(std::move(wanted),
       once<fetch_answer>([this, w](const fetch_answer& answer) { page(w, answer); }, {}));
}

void collections::page(const walk& w, const fetch_answer& answer) {
  if (answer.status != 200 || !answer.kept) {
    return give_up(w, "a page was answered " + std::to_string(answer.status));
  }
  if (answer.has_more && !answer.last_id.empty()) return step(w, answer.last_id);
  finish(w);
}

void collections::finish(const walk& w) {
  mark(w.before, once<result<void>>(
                     [this, w](const result<void>& done) {
                       if (!done) return give_up(w, done.error().message);
                       log::info("collection_complete", {{"object", w.object_name}});
                       const std::lock_guard lock(mutex_);
                       walks_.erase(w.before.key);
                     },
                     fail(errc::unavailable, "the writer is gone")));
}

void collections::give_up(const walk& w, const std::string& why) {
  log::warning("collection_not_complete", {{"object", w.object_name}, {"why", why}});
  const std::lock_guard lock(mutex_);
  walks_[w.before.key] = time_.mono_ms() + again_after_ms;
}

}  // namespace tilld::actors
