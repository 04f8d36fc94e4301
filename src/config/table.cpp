#include "config/table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include "config/checks.hpp"

namespace tilld::config {

namespace {

// TILLD_SETTING(text, api.listen): a function from the settings to the member; the type given
// must be the member's own.
#define TILLD_SETTING(type, member)                                  \
  place<type> {                                                      \
    [](settings& s, account_settings&) -> type& { return s.member; } \
  }
#define TILLD_ACCOUNT_SETTING(type, member)                          \
  place<type> {                                                      \
    [](settings&, account_settings& a) -> type& { return a.member; } \
  }

using text = std::string;
using texts = std::vector<std::string>;
using whole = std::int64_t;

constexpr std::int64_t mib = 1 << 20;
constexpr std::string_view right_listen =
    "an address and a port, like 127.0.0.1:8455 or [::1]:8455 (no host names)";
constexpr std::string_view right_hosts =
    "a list of host names or addresses without port, like [\"localhost\"], or [\"*\"] for any";
constexpr std::string_view right_file = "the path of a file, or nothing";

// Bounds: connections of both listeners stay below the unit's LimitNOFILE=65536; an order waits
// less than the listener's answer deadline of 120 s; Stripe may forget an idempotency key after
// 24 h, so an order is given up before.
const std::array rows = {
    row{"data", "directory", TILLD_SETTING(text, data.directory), 0, 0, is_path, "a path",
        "Where everything is kept. Default: $STATE_DIRECTORY (systemd), else ./data."},
    row{"data", "cache_mib", TILLD_SETTING(whole, data.cache_mib), 8, 65'536, nullptr, "",
        "Memory for the cache of the store."},
    row{"data", "least_free_mib", TILLD_SETTING(whole, data.least_free_mib), 16, 1 << 20, nullptr,
        "", "Below this much free disk nothing is written any more; reads go on."},

    row{"api", "listen", TILLD_SETTING(text, api.listen), 0, 0, is_listen, right_listen,
        "Where the application's API, /v1, /admin and /metrics are served."},
    row{"api", "allow_remote", TILLD_SETTING(bool, api.allow_remote), 0, 0, nullptr, "",
        "Must be true for api.listen to be more than this host."},
    row{"api", "hosts", TILLD_SETTING(texts, api.hosts), 0, 0, is_host, right_hosts,
        "Names that requests may give as Host; others are refused (DNS rebinding)."},
    row{"api", "workers", TILLD_SETTING(whole, api.workers), 1, 64, nullptr, "",
        "Threads that answer."},
    row{"api", "most_connections", TILLD_SETTING(whole, api.most_connections), 1, 30'000, nullptr,
        "", "Connections at a time; past it the longest idle one is closed."},
    row{"api", "most_in_flight", TILLD_SETTING(whole, api.most_in_flight), 1, 65'536, nullptr, "",
        "Requests at a time; past it the answer is 503 with Retry-After."},
    row{"api", "body_limit_bytes", TILLD_SETTING(whole, api.body_limit_bytes), 1024, 64 * mib,
        nullptr, "", "The largest body of a request."},

    row{"webhooks", "listen", TILLD_SETTING(text, webhooks.listen), 0, 0, is_listen, right_listen,
        "Where Stripe's webhooks arrive, usually through a reverse proxy."},
    row{"webhooks", "allow_remote", TILLD_SETTING(bool, webhooks.allow_remote), 0, 0, nullptr, "",
        "Must be true for webhooks.listen to be more than this host."},
    row{"webhooks", "hosts", TILLD_SETTING(texts, webhooks.hosts), 0, 0, is_host, right_hosts,
        "Names that requests may give as Host; the signature is the guard here."},
    row{"webhooks", "workers", TILLD_SETTING(whole, webhooks.workers), 1, 64, nullptr, "",
        "Threads that verify and answer."},
    row{"webhooks", "most_connections", TILLD_SETTING(whole, webhooks.most_connections), 1, 30'000,
        nullptr, "", "Connections at a time; past it the longest idle one is closed."},
    row{"webhooks", "most_in_flight", TILLD_SETTING(whole, webhooks.most_in_flight), 1, 65'536,
        nullptr, "", "Requests at a time; past it Stripe is told to come again."},
    row{"webhooks", "body_limit_bytes", TILLD_SETTING(whole, webhooks.body_limit_bytes), 65'536,
        64 * mib, nullptr, "", "The largest event."},
    row{"webhooks", "tolerance_s", TILLD_SETTING(whole, webhooks.tolerance_s), 1, 3600, nullptr, "",
        "How old a signature may be."},

    row{"customers", "user_id_metadata", TILLD_SETTING(text, customers.user_id_metadata), 0, 0,
        is_metadata_key, "a metadata key of Stripe: 1 to 40 characters, no blanks or brackets",
        "The metadata key on Stripe's customer that holds the application's user id."},
    row{"customers", "active_customers", TILLD_SETTING(whole, customers.active_customers), 100,
        10'000'000, nullptr, "", "Customers kept in memory at a time."},
    row{"customers", "idle_s", TILLD_SETTING(whole, customers.idle_s), 1, 86'400, nullptr, "",
        "After this long without work a customer is put away."},

    row{"orders", "order_wait_ms", TILLD_SETTING(whole, orders.order_wait_ms), 1000, 110'000,
        nullptr, "",
        "How long a caller waits for Stripe before it is told that the order goes on."},
    row{"orders", "order_give_up_hours", TILLD_SETTING(whole, orders.order_give_up_hours), 1, 23,
        nullptr, "", "After this long an order of unknown outcome is parked, not sent again."},
    row{"orders", "shutdown_ms", TILLD_SETTING(whole, orders.shutdown_ms), 0, 300'000, nullptr, "",
        "How long a stop waits for what is in flight (the systemd unit allows 25 s)."},

    row{"log", "level", TILLD_SETTING(text, log.level), 0, 0, is_log_level,
        "debug, info, warning or error", "The least level that is written."},

    row{"account", "mode",
        mode_place{[](settings&, account_settings& a) -> bool& { return a.live; }}, 0, 0, nullptr,
        "test or live", "Which of the account's two worlds this is."},
    row{"account", "api_url", TILLD_ACCOUNT_SETTING(text, api_url), 0, 0, is_api_url,
        "https://host or https://host:port without a slash at the end (http for this host only)",
        "Where Stripe's API is."},
    row{"account", "api_version", TILLD_ACCOUNT_SETTING(text, api_version), 0, 0, is_api_version,
        "a version of Stripe's API, like 2025-03-31.basil, or nothing",
        "The API version the account is pinned to; empty: the one tilld was built with."},
    row{"account", "secret_key_file", TILLD_ACCOUNT_SETTING(text, secret_key_file), 0, 0,
        is_path_or_empty, right_file, "The file with the secret key; only tilld may read it."},
    row{"account", "webhook_secret_files", TILLD_ACCOUNT_SETTING(texts, webhook_secret_files), 0, 0,
        is_path, "a list of paths", "Files with webhook signing secrets; several while rotating."},
    row{"account", "allow_full_key", TILLD_ACCOUNT_SETTING(bool, allow_full_key), 0, 0, nullptr, "",
        "Must be true for a key sk_live_…; a restricted key rk_live_… is better."},
    row{"account", "read_rate", TILLD_ACCOUNT_SETTING(double, read_rate), 0, 10'000, nullptr, "",
        "Reads per second asked of Stripe at most; 0: 25 in test mode, 100 in live mode."},
    row{"account", "write_rate", TILLD_ACCOUNT_SETTING(double, write_rate), 0, 10'000, nullptr, "",
        "Writes per second asked of Stripe at most; 0: 25 in test mode, 100 in live mode."},
    row{"account", "most_in_flight", TILLD_ACCOUNT_SETTING(int, most_in_flight), 1, 1000, nullptr,
        "", "Requests to Stripe at a time."},
};

#undef TILLD_SETTING
#undef TILLD_ACCOUNT_SETTING

std::unexpected<error> must_be(const std::string& right) {
  return fail(errc::invalid, "must be " + right);
}

std::string range_of(const row& r) {
  return "from " + std::to_string(r.least) + " to " + std::to_string(r.most);
}

// Tells the one visitor of each kind of place apart.
template <class... F>
struct overloaded : F... {
  using F::operator()...;
};

result<void> write_text(const row& r, std::string& where, const value& v) {
  const auto* given = std::get_if<std::string>(&v);
  if (given == nullptr) return must_be("a text in quotes: " + std::string(r.right));
  if (!r.fits(*given)) return must_be(std::string(r.right));
  where = *given;
  return {};
}

result<void> write_texts(const row& r, std::vector<std::string>& where, const value& v) {
  const auto* given = std::get_if<std::vector<std::string>>(&v);
  if (given == nullptr || given->size() > 64) return must_be(std::string(r.right));
  if (!std::ranges::all_of(*given, [&](const std::string& one) { return r.fits(one); })) {
    return must_be(std::string(r.right));
  }
  where = *given;
  return {};
}

template <class T>
result<void> write_whole(const row& r, T& where, const value& v) {
  const auto* given = std::get_if<std::int64_t>(&v);
  if (given == nullptr || *given < r.least || *given > r.most) {
    return must_be("a whole number " + range_of(r));
  }
  where = static_cast<T>(*given);
  return {};
}

result<void> write_number(const row& r, double& where, const value& v) {
  double given = 0;
  if (const auto* whole_number = std::get_if<std::int64_t>(&v)) {
    given = static_cast<double>(*whole_number);
  } else if (const auto* number = std::get_if<double>(&v)) {
    given = *number;
  } else {
    return must_be("a number " + range_of(r));
  }
  const bool fits = std::isfinite(given) && given >= static_cast<double>(r.least) &&
                    given <= static_cast<double>(r.most);
  if (!fits) return must_be("a number " + range_of(r));
  where = given;
  return {};
}

result<void> write_flag(bool& where, const value& v) {
  const auto* given = std::get_if<bool>(&v);
  if (given == nullptr) return must_be("true or false");
  where = *given;
  return {};
}

result<void> write_mode(const row& r, bool& live, const value& v) {
  const auto* given = std::get_if<std::string>(&v);
  if (given == nullptr || (*given != "test" && *given != "live")) {
    return must_be(std::string(r.right));
  }
  live = *given == "live";
  return {};
}

}  // namespace

std::span<const row> table() {
  return rows;
}

std::string row::key(std::string_view account) const {
  std::string out(section);
  if (of_account()) out.append(".").append(account);
  return out.append(".").append(name);
}

std::string row::variable(std::string_view account) const {
  return as_variable("tilld." + key(account));
}

value read(const row& r, const settings& s, const account_settings& a) {
  // The places hand out references to change; nothing here does.
  auto& settings_ref = const_cast<settings&>(s);
  auto& account_ref = const_cast<account_settings&>(a);
  return std::visit(
      overloaded{
          [&](const place<int>& p) { return value(std::int64_t{p.at(settings_ref, account_ref)}); },
          [&](const mode_place& p) {
            return value(std::string(p.at(settings_ref, account_ref) ? "live" : "test"));
          },
          [&](const auto& p) { return value(p.at(settings_ref, account_ref)); }},
      r.where);
}

result<void> write(const row& r, settings& s, account_settings& a, const value& v) {
  return std::visit(
      overloaded{
          [&](const place<std::string>& p) { return write_text(r, p.at(s, a), v); },
          [&](const place<std::vector<std::string>>& p) { return write_texts(r, p.at(s, a), v); },
          [&](const place<std::int64_t>& p) { return write_whole(r, p.at(s, a), v); },
          [&](const place<int>& p) { return write_whole(r, p.at(s, a), v); },
          [&](const place<double>& p) { return write_number(r, p.at(s, a), v); },
          [&](const place<bool>& p) { return write_flag(p.at(s, a), v); },
          [&](const mode_place& p) { return write_mode(r, p.at(s, a), v); }},
      r.where);
}

std::string type_name(const row& r) {
  return std::visit(overloaded{[](const place<std::vector<std::string>>&) { return "texts"; },
                               [](const place<std::int64_t>&) { return "whole number"; },
                               [](const place<int>&) { return "whole number"; },
                               [](const place<double>&) { return "number"; },
                               [](const place<bool>&) { return "true or false"; },
                               [](const auto&) { return "text"; }},
                    r.where);
}

}  // namespace tilld::config
