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

}  // namespace

collections::collections(const store::reader& store, const clock& time, fetch ask, commit keep)
    : store_(store), time_(time), ask_(std::move(ask)), keep_(std::move(keep)) {}

bool collections::is_complete(const store::scope& scope, std::string_view object_name) const {
  auto row = store_.get(family::meta, key::complete(scope, object_name));
  return row && row->has_value();
}

void collections::want(const store::scope& scope, std::string_view object_name) {
  const auto& catalogue = stripe::catalogue::instance();
  if (!catalogue.can_be_whole(object_name)) return;
  walk w{scope, std::string(object_name), catalogue.list_of(object_name)->path, time_.wall_ms()};
  {
    const std::lock_guard lock(mutex_);
    auto [at, is_new] = walks_.try_emplace(key::complete(scope, object_name), 0);
    if (!is_new && (at->second == 0 || at->second > time_.mono_ms())) return;
    at->second = 0;
  }
  step(w, "");
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
  store::batch mark;
  mark.put(family::meta, key::complete(w.scope, w.object_name), std::to_string(w.since_ms));
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  keep_(std::move(mark), once<result<void>>(
                             [this, w](const result<void>& done) {
                               if (!done) return give_up(w, done.error().message);
                               log::info("collection_complete", {{"object", w.object_name}});
                             },
                             fail(errc::unavailable, "the writer is gone")));
}

void collections::give_up(const walk& w, const std::string& why) {
  log::warning("collection_not_complete", {{"object", w.object_name}, {"why", why}});
  const std::lock_guard lock(mutex_);
  walks_[key::complete(w.scope, w.object_name)] = time_.mono_ms() + again_after_ms;
}

}  // namespace tilld::actors
