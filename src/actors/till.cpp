#include "actors/till.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "actors/context.hpp"
#include "actors/gateway.hpp"
#include "actors/ingress.hpp"
#include "actors/messages.hpp"
#include "actors/outbox.hpp"
#include "actors/supervisor.hpp"
#include "actors/sync.hpp"
#include "actors/writer.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"

namespace tilld::actors {

using store::family;
namespace key = store::key;

namespace {

context context_of(const till_settings& s, const store::store& store, const clock& time,
                   metrics& counts) {
  rule_book rules;
  for (const auto& account : s.accounts) {
    rules.add(account.scope, {s.user_id_metadata, account.api_version, !account.api_key.empty()});
  }
  return {store,
          time,
          std::move(rules),
          s.node,
          s.order_wait_ms,
          s.order_give_up_ms,
          s.most_owners,
          s.owner_idle_ms,
          counters(counts)};
}

gateway_settings gateway_settings_of(const till_account& a) {
  core::gateway_limits limits;
  limits.read_per_s = a.read_rate;
  limits.write_per_s = a.write_rate;
  limits.endpoint_per_s = a.endpoint_rate;
  limits.most_in_flight = a.most_in_flight;
  return {a.api_url, a.api_key, a.api_version, limits};
}

// Only what we set here; CAF never sees a file, an argument or the environment.
void configure(caf::actor_system_config& config, int threads) {
  const int cores = static_cast<int>(std::max(2u, std::thread::hardware_concurrency()));
  config.set("scheduler.policy", caf::atom("sharing"));  // wakes 12 times faster than stealing
  config.set("scheduler.max-threads", static_cast<std::size_t>(threads > 0 ? threads : cores));
  config.set("scheduler.max-throughput", std::size_t{64});  // nobody drains a long mailbox alone
}

}  // namespace

struct till::system {
  system(till_settings s, store::store& st, const clock& time, metrics& counts, transport way_out,
         std::function<void(std::string)> fatal)
      : settings(std::move(s)),
        store(st),
        shared(context_of(settings, st, time, counts)),
        on_fatal(std::move(fatal)) {
    configure(config, settings.threads);
    actors = std::make_unique<caf::actor_system>(config);
    auto fail_once = [this](std::string why) {
      if (!fatal_told.exchange(true)) on_fatal(std::move(why));
    };
    commits = actors->spawn<caf::detached>(writer, &store, &shared, fail_once);
    for (const auto& account : settings.accounts) {
      if (account.api_key.empty()) continue;
      auto board = std::make_shared<gateway_board>();
      const std::string key = account.scope.bytes();
      boards.emplace(key, board);
      gateways.emplace(key, actors->spawn(gateway, &shared, gateway_settings_of(account), way_out,
                                          std::move(board)));
    }
    syncer = actors->spawn(sync, &shared);
    entry = actors->spawn(ingress, &shared, commits, gateways, syncer);
    caf::anon_send(syncer, meet_ingress{entry});
    guard = actors->spawn(supervisor, fail_once);
    for (const auto& one : watched())
      caf::anon_send(guard, watch{one.first, one.second});
    take_up_open_work();
  }

  std::vector<std::pair<std::string, caf::actor>> watched() const {
    std::vector<std::pair<std::string, caf::actor>> all{
        {"writer", caf::actor_cast<caf::actor>(commits)},
        {"sync", caf::actor_cast<caf::actor>(syncer)},
        {"ingress", caf::actor_cast<caf::actor>(entry)}};
    for (const auto& [account, actor] : gateways)
      all.emplace_back("gateway", caf::actor_cast<caf::actor>(actor));
    return all;
  }

  bool has_gateway(const store::scope& scope) const {
    return gateways.contains(scope.platform().bytes());
  }

  // What an earlier run left open: orders without a known end, objects marked for a refetch.
  void take_up_open_work() {
    auto scopes = store::scopes_in(store, family::outbox);
    if (!scopes) return log::error("open_orders_unreadable", {{"why", scopes.error().message}});
    for (const auto& scope : *scopes)
      resume_orders(scope);
    wish_for_marked();
  }

  void resume_orders(const store::scope& scope) {
    std::vector<std::string> ids;
    auto scanned = store.scan({family::outbox, key::open_orders(scope), "", false},
                              [&](std::string_view row_key, std::string_view) {
                                if (const auto id = key::last_text(row_key)) ids.emplace_back(*id);
                                return true;
                              });
    if (!scanned) log::error("open_orders_unreadable", {{"why", scanned.error().message}});
    if (ids.empty()) return;
    if (!has_gateway(scope)) {
      log::warning("open_orders_left", {{"account", scope.account},
                                        {"count", static_cast<std::int64_t>(ids.size())},
                                        {"why", "no key of this account and mode is configured"}});
      return;
    }
    for (const auto& id : ids)
      resume(scope, id);
    log::info("open_orders_resumed",
              {{"account", scope.account}, {"count", static_cast<std::int64_t>(ids.size())}});
  }

  void resume(const store::scope& scope, const std::string& id) {
    auto row = store.get(family::outbox, key::order(scope, id));
    auto record = row && *row ? store::decode_order(**row)
                              : result<store::order_record>(fail(errc::corrupt, "row missing"));
    if (!record) {
      log::error("open_order_unreadable", {{"order", id}, {"why", record.error().message}});
      return;
    }
    auto order = std::make_shared<order_in_hand>();
    order->scope = scope;
    order->record = std::move(*record);
    order->record.call.give_up_after_ms = settings.order_wait_ms;
    caf::anon_send(entry, resume_order{std::move(order)});
  }

  void wish_for_marked() {
    auto scanned = store.scan(
        {family::meta, key::refetches(), "", false},
        [&](std::string_view row_key, std::string_view) {
          auto marked = key::refetch_place(row_key);
          if (marked && has_gateway(marked->of)) {
            caf::anon_send(syncer,
                           refetch_wanted{std::move(marked->of), std::move(marked->object_name),
                                          std::move(marked->id), shared.time.mono_ms()});
          }
          return true;
        });
    if (!scanned) log::error("refetches_unreadable", {{"why", scanned.error().message}});
  }

  int stop(std::int64_t deadline_ms) {
    if (stopped.exchange(true)) return 0;
    whole->stop();
    caf::anon_send(entry, drain{});
    caf::anon_send(syncer, drain{});
    for (const auto& [account, actor] : gateways)
      caf::anon_send(actor, drain{});
    const std::int64_t until = shared.time.mono_ms() + deadline_ms;
    while (shared.outstanding.load() > 0 && shared.time.mono_ms() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const int left = shared.outstanding.load();
    settle_commits(std::max<std::int64_t>(until - shared.time.mono_ms(), 1'000));
    for (const auto& [name, actor] : watched()) {
      caf::anon_send(guard, unwatch{});
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    }
    caf::anon_send_exit(guard, caf::exit_reason::user_shutdown);
    return left;
  }

  // An empty commit behind everything that is already on its way to the writer, twice: the first
  // round lets owners answer and send what follows from it.
  void settle_commits(std::int64_t deadline_ms) {
    for (int round = 0; round < 2; ++round) {
      caf::scoped_actor waiter(*actors);
      waiter
          ->request(commits, std::chrono::milliseconds(deadline_ms),
                    commit_batch{std::make_shared<const store::batch>()})
          .receive([](const commit_answer&) {}, [](const caf::error&) {});
    }
  }

  till_settings settings;
  store::store& store;
  context shared;
  std::map<std::string, std::shared_ptr<gateway_board>> boards;  // as the gateways
  std::unique_ptr<collections> whole;  // outlives the actors, which answer it
  std::function<void(std::string)> on_fatal;
  std::atomic<bool> fatal_told{false};
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> actors;
  writer_actor commits;
  gateway_table gateways;
  sync_actor syncer;
  ingress_actor entry;
  supervisor_actor guard;
  std::atomic<bool> stopped{false};
};

till::till(till_settings settings, store::store& store, const clock& time, metrics& counts,
           transport way_out, std::function<void(std::string why)> on_fatal)
    : system_(std::make_unique<system>(std::move(settings), store, time, counts, std::move(way_out),
                                       std::move(on_fatal))) {
  system_->whole = std::make_unique<collections>(
      store, time,
      [this](fetch_request f, once<fetch_answer> answer) {
        take_fetch(std::move(f), std::move(answer));
      },
      [this](store::batch b, once<result<void>> answer) {
        commit(std::move(b), std::move(answer));
      });
}

till::~till() {
  stop(0);
}

void till::take_event(incoming_event event, once<event_answer> answer) {
  caf::anon_send(system_->entry,
                 actors::take_event{std::make_shared<const incoming_event>(std::move(event)),
                                    std::move(answer)});
}

void till::take_order(order_request order, once<order_answer> answer) {
  caf::anon_send(
      system_->entry,
      actors::take_order{std::make_shared<order_request>(std::move(order)), std::move(answer)});
}

void till::take_fetch(fetch_request fetch, once<fetch_answer> answer) {
  fetch.call.give_up_after_ms = std::min<std::int64_t>(fetch.call.give_up_after_ms, 20'000);
  caf::anon_send(
      system_->entry,
      actors::take_fetch{std::make_shared<fetch_request>(std::move(fetch)), std::move(answer)});
}

void till::wait_for_order(const std::string& order_id, std::int64_t wait_ms,
                          std::move_only_function<void(bool ended)> then) {
  system_->shared.watch.wait(order_id, system_->shared.time.mono_ms() + wait_ms, std::move(then));
}

void till::commit(store::batch batch, once<result<void>> answer) {
  system_->actors->spawn([batch = std::make_shared<const store::batch>(std::move(batch)),
                          answer = std::move(answer),
                          to = system_->commits](caf::event_based_actor* self) {
    self->request(to, caf::infinite, commit_batch{batch})
        .then(
            [answer](const commit_answer& done) {
              answer(done.failed ? result<void>(std::unexpected(*done.failed)) : result<void>());
            },
            [answer](const caf::error&) { answer(fail(errc::unavailable, "the writer is gone")); });
  });
}

std::vector<part_state> till::state() const {
  const store::condition disk = system_->store.state();
  std::vector<part_state> parts{{"store", disk.writable && !disk.fatal, disk.why}};
  // Reads and webhooks need no Stripe: an open breaker is told, not held against readiness.
  std::string silent;
  for (const auto& account : system_->settings.accounts) {
    const auto board = system_->boards.find(account.scope.bytes());
    if (board == system_->boards.end()) continue;
    const std::lock_guard lock(board->second->mutex);
    if (!board->second->status.breaker_open) continue;
    silent += (silent.empty() ? "Stripe is not answering: " : ", ") + account.scope.account;
  }
  parts.push_back({"gateway", true, silent});
  parts.push_back({"actors", !system_->stopped.load() && !system_->fatal_told.load(),
                   system_->stopped.load() ? "shutting down" : "a part of tilld has died"});
  return parts;
}

std::string till::gateway_status(const store::scope& scope) const {
  const auto board = system_->boards.find(scope.platform().bytes());
  if (board == system_->boards.end()) return core::to_json(core::gateway_status{});
  const std::lock_guard lock(board->second->mutex);
  return core::to_json(board->second->status);
}

collections& till::whole() const {
  return *system_->whole;
}

bool till::anybody_settles() const {
  return system_->shared.unsettled.any(system_->shared.time.mono_ms());
}

bool till::settles(const store::scope& scope, std::string_view owner) const {
  return system_->shared.unsettled.is_settling(scope, owner, system_->shared.time.mono_ms());
}

const store::reader& till::read() const {
  return system_->store;
}

bool till::can_order(const store::scope& scope) const {
  return system_->has_gateway(scope);
}

const std::string& till::user_id_metadata() const {
  return system_->settings.user_id_metadata;
}

int till::stop(std::int64_t deadline_ms) {
  return system_ ? system_->stop(deadline_ms) : 0;
}

}  // namespace tilld::actors
