#include "actors/till.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
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
  mirror_rules rules = s.rules;
  rules.can_refetch = !s.api_key.empty();
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

core::gateway_limits limits_of(const till_settings& s) {
  core::gateway_limits limits;
  limits.read_per_s = s.read_rate;
  limits.write_per_s = s.write_rate;
  limits.endpoint_per_s = s.endpoint_rate;
  limits.most_in_flight = s.most_in_flight;
  return limits;
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
        board(std::make_shared<gateway_board>()),
        on_fatal(std::move(fatal)) {
    configure(config, settings.threads);
    actors = std::make_unique<caf::actor_system>(config);
    auto fail_once = [this](std::string why) {
      if (!fatal_told.exchange(true)) on_fatal(std::move(why));
    };
    commits = actors->spawn<caf::detached>(writer, &store, &shared, fail_once);
    if (!settings.api_key.empty()) {
      gateway_settings to_stripe{settings.api_url, settings.api_key, settings.rules.api_version,
                                 limits_of(settings)};
      stripe = actors->spawn(gateway, &shared, std::move(to_stripe), std::move(way_out), board);
    }
    syncer = actors->spawn(sync, &shared);
    entry = actors->spawn(ingress, &shared, commits, stripe, syncer);
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
    if (stripe) all.emplace_back("gateway", caf::actor_cast<caf::actor>(stripe));
    return all;
  }

  // What an earlier run left open: orders without a known end, objects marked for a refetch.
  void take_up_open_work() {
    if (!stripe) return;
    int orders = 0;
    auto scanned = store.scan({family::outbox, key::open_orders(settings.scope), "", false},
                              [&](std::string_view row_key, std::string_view) {
                                const auto id = key::last_text(row_key);
                                if (id) orders += resume(std::string(*id)) ? 1 : 0;
                                return true;
                              });
    if (!scanned) log::error("open_orders_unreadable", {{"why", scanned.error().message}});
    if (orders > 0) log::info("open_orders_resumed", {{"count", orders}});
    wish_for_marked();
  }

  bool resume(const std::string& id) {
    auto row = store.get(family::outbox, key::order(settings.scope, id));
    auto record = row && *row ? store::decode_order(**row)
                              : result<store::order_record>(fail(errc::corrupt, "row missing"));
    if (!record) {
      log::error("open_order_unreadable", {{"order", id}, {"why", record.error().message}});
      return false;
    }
    auto order = std::make_shared<order_in_hand>();
    order->scope = settings.scope;
    order->record = std::move(*record);
    order->record.call.give_up_after_ms = settings.order_wait_ms;
    caf::anon_send(entry, resume_order{std::move(order)});
    return true;
  }

  void wish_for_marked() {
    const std::string prefix = key::refetches(settings.scope);
    auto scanned = store.scan(
        {family::meta, prefix, "", false}, [&](std::string_view row_key, std::string_view) {
          const auto id = key::last_text(row_key);
          const auto name = key::last_text(row_key.substr(0, row_key.size() - id->size() - 1));
          if (id && name) {
            caf::anon_send(syncer, refetch_wanted{settings.scope, std::string(*name),
                                                  std::string(*id), shared.time.mono_ms()});
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
    if (stripe) caf::anon_send(stripe, drain{});
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
  std::shared_ptr<gateway_board> board;
  std::unique_ptr<collections> whole;  // outlives the actors, which answer it
  std::function<void(std::string)> on_fatal;
  std::atomic<bool> fatal_told{false};
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> actors;
  writer_actor commits;
  gateway_actor stripe;
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
  const bool keyed = !system_->settings.api_key.empty();
  std::string breaker;
  if (keyed) {
    const std::lock_guard lock(system_->board->mutex);
    breaker = system_->board->status.breaker_open ? "Stripe is not answering" : "";
  }
  // Reads and webhooks need no Stripe: an open breaker is told, not held against readiness.
  parts.push_back({"gateway", true, breaker});
  parts.push_back({"actors", !system_->stopped.load() && !system_->fatal_told.load(),
                   system_->stopped.load() ? "shutting down" : "a part of tilld has died"});
  return parts;
}

std::string till::gateway_status() const {
  const std::lock_guard lock(system_->board->mutex);
  return core::to_json(system_->board->status);
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

bool till::can_order() const {
  return !system_->settings.api_key.empty();
}

int till::stop(std::int64_t deadline_ms) {
  return system_ ? system_->stop(deadline_ms) : 0;
}

}  // namespace tilld::actors
