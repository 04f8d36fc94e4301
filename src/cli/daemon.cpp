#include "cli/daemon.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "actors/till.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"
#include "cli/common.hpp"
#include "http/faces.hpp"
#include "http/server.hpp"
#include "net/client.hpp"
#include "store/rocks_store.hpp"
#include "stripe/catalogue.hpp"

namespace tilld::cli {

namespace {

constexpr std::int64_t local_commit_deadline_ms = 10'000;

template <class Section>
result<http::listener_settings> listener_of(const char* name, const Section& s) {
  auto at = config::parse_endpoint(s.listen);
  if (!at) return std::unexpected(at.error());
  http::listener_settings l;
  l.name = name;
  l.address = at->address;
  l.port = at->port;
  l.workers = static_cast<int>(s.workers);
  l.alone_at_door = true;  // no handler of ours waits for anything
  l.hosts = s.hosts;
  l.most_connections = static_cast<int>(s.most_connections);
  l.most_in_flight = static_cast<int>(s.most_in_flight);
  l.limits.body_bytes = static_cast<std::uint64_t>(s.body_limit_bytes);
  return l;
}

std::string url_of(const std::string& listen, std::uint16_t port) {
  const auto at = config::parse_endpoint(listen);
  const bool six = at && at->address.find(':') != std::string::npos;
  return six ? fmt::format("http://[{}]:{}", at->address, port)
             : fmt::format("http://{}:{}", at ? at->address : "127.0.0.1", port);
}

std::string version_of(const config::account_settings& account) {
  return account.api_version.empty() ? std::string(stripe::catalogue::instance().api_version())
                                     : account.api_version;
}

actors::till_account till_account_of(const config::account_settings& account) {
  actors::till_account a;
  a.scope = {account.name, account.live};
  a.api_url = account.api_url;
  a.api_key = account.key.reveal();
  a.api_version = version_of(account);
  const double by_mode = account.live ? 100 : 25;  // Stripe's documented limits
  a.read_rate = account.read_rate > 0 ? account.read_rate : by_mode;
  a.write_rate = account.write_rate > 0 ? account.write_rate : by_mode;
  // Who sets a rate of their own knows their limits; otherwise Stripe's documented 25/s.
  a.endpoint_rate = std::max({25.0, account.read_rate, account.write_rate});
  a.most_in_flight = static_cast<int>(account.most_in_flight);
  return a;
}

actors::till_settings till_settings_of(const config::settings& s, const std::string& node) {
  actors::till_settings t;
  for (const auto& [name, account] : s.accounts)
    t.accounts.push_back(till_account_of(account));
  t.user_id_metadata = s.customers.user_id_metadata;
  t.node = node;
  t.order_wait_ms = s.orders.order_wait_ms;
  t.order_give_up_ms = s.orders.order_give_up_hours * 3'600'000;
  t.most_owners = static_cast<std::size_t>(s.customers.active_customers);
  t.owner_idle_ms = s.customers.idle_s * 1'000;
  return t;
}

http::served_account served(const config::settings& s, const config::account_settings& account) {
  http::served_account a;
  a.scope = {account.name, account.live};
  a.api_version = version_of(account);
  for (const auto& secret : account.webhook_secrets)
    a.secrets.push_back(secret.reveal());
  a.tolerance_s = s.webhooks.tolerance_s;
  return a;
}

}  // namespace

struct daemon::parts {
  parts(config::settings s, const clock& t, metrics& m, std::function<void(std::string)> fatal)
      : settings(std::move(s)), time(t), counts(m), on_fatal(std::move(fatal)) {}

  result<void> open_store() {
    if (auto ok = make_private_directory(settings.data.directory); !ok) return ok;
    store::rocks_options options;
    options.path = store_directory(settings);
    options.cache_bytes = static_cast<std::size_t>(settings.data.cache_mib) << 20;
    options.least_free_bytes = static_cast<std::uint64_t>(settings.data.least_free_mib) << 20;
    auto opened = store::open_rocks_store(options);
    if (!opened) return std::unexpected(opened.error());
    store = std::move(*opened);
    return {};
  }

  result<void> start_till() {
    auto node = store->get(store::family::meta, store::key::node);
    if (!node) return std::unexpected(node.error());
    if (!*node) return fail(errc::corrupt, "the store has no name of its own");
    till.emplace(
        till_settings_of(settings, **node), *store, time, counts,
        [this](net::request r, std::move_only_function<void(net::outcome)> done) {
          client.send(std::move(r), std::move(done));
        },
        on_fatal);
    return {};
  }

  result<void> start_listeners() {
    if (auto ok = tokens.load(*store); !ok) return ok;
    house.emplace(http::house{*till, time, counts, tokens, {}});
    for (const auto& [name, account] : settings.accounts)
      house->accounts.emplace(name, served(settings, account));
    auto api_settings = listener_of("api", settings.api);
    if (!api_settings) return std::unexpected(api_settings.error());
    api_settings->answer_deadline_ms = settings.orders.order_wait_ms + 30'000;
    auto webhook_settings = listener_of("webhooks", settings.webhooks);
    if (!webhook_settings) return std::unexpected(webhook_settings.error());
    api.emplace(*api_settings, api_routes(), counts);
    webhooks.emplace(*webhook_settings, webhook_routes(), counts);
    if (auto ok = api->start(); !ok) return ok;
    return webhooks->start();
  }

  std::function<std::vector<actors::part_state>()> part_states() {
    return [this] {
      auto states = till->state();
      std::string without;
      for (const auto& [name, account] : settings.accounts) {
        if (account.webhook_secrets.empty()) without += (without.empty() ? "" : ", ") + name;
      }
      states.push_back(
          {"webhooks", without.empty(), "no webhook secret is configured for account " + without});
      if (draining) states.push_back({"listeners", false, "shutting down"});
      return states;
    };
  }

  http::router api_routes() {
    http::router to;
    to.set_guard(http::token_guard(*house));
    http::add_v1_routes(to, *house);
    http::add_v2_routes(to, *house);
    http::add_api_routes(to, *house);
    http::add_admin_routes(to, *house);
    http::add_ops_routes(to, *house, part_states());
    return to;
  }

  // What a reverse proxy may show to the world: one path, and that we are alive.
  http::router webhook_routes() {
    http::router to;
    http::add_webhook_routes(to, *house);
    to.add("GET", "/healthz", [](http::request&, const http::responder& answer) {
      http::response alive;
      alive.body = R"({"status":"ok"})";
      answer(std::move(alive));
    });
    return to;
  }

  // Commands on this machine, run by whoever may read the data directory, need no token of their
  // own.
  result<void> announce_self() {
    store::listed_token local;
    const std::string plain = "tilld_local_" + random_token(24);
    local.hash = sha256(plain);
    local.record.name = "local";
    local.record.scope = "admin";
    tokens.add(local);
    return announce(settings.data.directory,
                    {url_of(settings.api.listen, api->port()), plain, ::getpid()});
  }

  result<void> commit(store::batch rows) {
    std::promise<result<void>> done;
    auto outcome = done.get_future();
    till->commit(std::move(rows), {[&done](result<void> r) { done.set_value(std::move(r)); },
                                   fail(errc::unavailable, "shutting down")});
    return outcome.get();
  }

  config::settings settings;
  const clock& time;
  metrics& counts;
  std::function<void(std::string)> on_fatal;
  std::atomic<bool> draining{false};
  bool stopped = false;
  // In the order of construction; taken down in the opposite one.
  std::unique_ptr<store::store> store;
  net::client client;
  std::optional<actors::till> till;
  http::token_table tokens;
  std::optional<http::house> house;
  std::optional<http::server> api;
  std::optional<http::server> webhooks;
};

daemon::daemon(config::settings settings, const clock& time, metrics& counts,
               std::function<void(std::string why)> on_fatal)
    : parts_(std::make_unique<parts>(std::move(settings), time, counts, std::move(on_fatal))) {}

daemon::~daemon() {
  stop();
}

result<void> daemon::start() {
  if (auto ok = parts_->open_store(); !ok) return ok;
  if (auto ok = parts_->start_till(); !ok) return ok;
  if (auto ok = parts_->start_listeners(); !ok) return ok;
  return parts_->announce_self();
}

std::string daemon::api_url() const {
  return url_of(parts_->settings.api.listen, parts_->api->port());
}

std::string daemon::webhooks_url() const {
  return url_of(parts_->settings.webhooks.listen, parts_->webhooks->port()) + "/webhooks/stripe/" +
         parts_->settings.accounts.begin()->first;
}

result<std::string> daemon::ensure_token(const std::string& plain, const std::string& name,
                                         const std::string& scope) {
  if (!plain.empty() && parts_->tokens.find(plain, parts_->time.wall_s())) return plain;
  store::batch rows;
  auto made = store::make_token(rows, {name, scope, "", 0}, parts_->time.wall_s());
  if (!made) return std::unexpected(made.error());
  if (auto done = parts_->commit(std::move(rows)); !done) return std::unexpected(done.error());
  parts_->tokens.add(made->listed);
  return made->plain;
}

bool daemon::probe(std::int64_t deadline_ms) {
  auto done = std::make_shared<std::promise<bool>>();
  auto outcome = done->get_future();
  parts_->till->commit({}, {[done](const result<void>& r) { done->set_value(r.has_value()); },
                            fail(errc::unavailable, "")});
  // A full disk is not a dead daemon: reads go on, so only silence counts.
  return outcome.wait_for(std::chrono::milliseconds(deadline_ms)) == std::future_status::ready;
}

void daemon::stop() {
  if (std::exchange(parts_->stopped, true)) return;
  const std::int64_t until = parts_->time.mono_ms() + parts_->settings.orders.shutdown_ms;
  const auto left = [&] { return std::max<std::int64_t>(until - parts_->time.mono_ms(), 0); };
  parts_->draining = true;
  ::unlink(run_file(parts_->settings.data.directory).c_str());
  int unanswered = 0;
  if (parts_->webhooks) unanswered += parts_->webhooks->drain(left());
  if (parts_->api) unanswered += parts_->api->drain(left());
  const int open = parts_->till ? parts_->till->stop(left()) : 0;
  log::info("stopped", {{"requests_unanswered", unanswered}, {"orders_left_open", open}});
  parts_->webhooks.reset();
  parts_->api.reset();
  parts_->till.reset();
  parts_->store.reset();
}

}  // namespace tilld::cli
