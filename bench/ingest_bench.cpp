// Webhooks in and reads out, over HTTP, on a real store: beside a bare cpp-httplib server.
//
//   ingest_bench [seconds per run] [customers] [repetitions]
//
// An event is 4.1 KB of pretty-printed JSON with a signature of its own. A 200 means: verified, on
// disk (synced), applied to the document, its lists, the customer's state and the feed. The bare
// server reads the same request and answers 200. Ratios count.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>
#include <unistd.h>

#include "bare.hpp"
#include "base/bytes.hpp"
#include "cli/daemon.hpp"
#include "load.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/signature.hpp"

namespace {

using namespace tilld;

const std::string secret = "whsec_bench";

void answer_as_bare(httplib::Server& server) {
  const std::string document = "{\"data\":\"" + std::string(3000, 'x') + "\"}";
  server.Get("/doc", [document](const httplib::Request&, httplib::Response& out) {
    out.set_content(document, "application/json; charset=utf-8");
  });
  server.Post("/event", [](const httplib::Request&, httplib::Response& out) {
    out.set_content("{\"received\":true,\"result\":\"applied\"}",
                    "application/json; charset=utf-8");
  });
}

std::string event_body(const std::string& id, int customer, long version, std::int64_t created,
                       const std::string& api_version) {
  std::string metadata;
  for (int i = 0; i < 40; ++i) {
    metadata +=
        fmt::format("        \"key_{:02}\": \"a value of some length, number {:04}\",\n", i, i);
  }
  return fmt::format(R"({{
  "id": "{}",
  "object": "event",
  "api_version": "{}",
  "created": {},
  "data": {{
    "object": {{
      "id": "cus_bench{:06}",
      "object": "customer",
      "address": null,
      "balance": 0,
      "created": 1700000000,
      "currency": "usd",
      "default_source": null,
      "delinquent": false,
      "description": "a customer of the benchmark",
      "discount": null,
      "email": "bench{}@example.com",
      "invoice_prefix": "ABCD1234",
      "invoice_settings": {{
        "custom_fields": null,
        "default_payment_method": null,
        "footer": null,
        "rendering_options": null
      }},
      "livemode": false,
      "metadata": {{
{}        "version": "{}"
      }},
      "name": "Ada Lovelace",
      "phone": null,
      "preferred_locales": [],
      "shipping": null,
      "tax_exempt": "none",
      "test_clock": null
    }},
    "previous_attributes": {{
      "metadata": {{
        "version": "{}"
      }}
    }}
  }},
  "livemode": false,
  "pending_webhooks": 1,
  "request": {{
    "id": "req_bench",
    "idempotency_key": null
  }},
  "type": "customer.updated"
}})",
                     id, api_version, created, customer, customer, metadata, version, version - 1);
}

// Each event once: a repeated one would only be a duplicate.
std::vector<std::string> events(std::size_t count, int customers, long run, bool for_bare) {
  const std::string version(stripe::catalogue::instance().api_version());
  const std::vector<std::string> secrets{secret};
  std::vector<std::string> all;
  all.reserve(count);
  const std::int64_t now = std::time(nullptr);
  for (std::size_t i = 0; i < count; ++i) {
    const int customer = static_cast<int>(i % static_cast<std::size_t>(customers));
    const long order = static_cast<long>(i / static_cast<std::size_t>(customers)) + run * 1'000'000;
    const std::string body = event_body(fmt::format("evt_bench_{}_{}", run, i), customer, order,
                                        1'700'000'000 + order, version);
    all.push_back(
        fmt::format("POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                    "Stripe-Signature: {}\r\nContent-Length: {}\r\n\r\n{}",
                    for_bare ? "/event" : "/webhooks/stripe/main", stripe::sign(body, secrets, now),
                    body.size(), body));
  }
  return all;
}

bench::load_report drive(std::uint16_t port, int connections, double seconds,
                         std::vector<std::string> requests, bool repeat) {
  bench::load_plan plan;
  plan.port = port;
  plan.connections = connections;
  plan.seconds = seconds;
  plan.warm_up_seconds = repeat ? 0.3 : 0;
  plan.requests = std::move(requests);
  plan.repeat = repeat;
  auto report = bench::drive(plan);
  if (!report) {
    std::fprintf(stderr, "%s\n", report.error().message.c_str());
    std::exit(1);
  }
  return *report;
}

std::uint16_t port_of(const std::string& url) {
  const auto colon = url.find(':', 7);
  return static_cast<std::uint16_t>(std::atoi(url.c_str() + colon + 1));
}

struct lab {
  std::string directory;
  system_clock time;
  metrics counts;
  std::optional<cli::daemon> daemon;
  std::string token;

  lab() {
    char name[] = "/var/tmp/tilld-bench-XXXXXX";
    directory = ::mkdtemp(name);
    config::settings s;
    s.data.directory = directory + "/data";
    s.api.listen = s.webhooks.listen = "127.0.0.1:0";
    config::account_settings account;
    account.webhook_secrets = {config::secret(secret)};
    s.accounts = {{"main", account}};
    daemon.emplace(s, time, counts, [](const std::string& why) {
      std::fprintf(stderr, "fatal: %s\n", why.c_str());
      std::_Exit(1);
    });
    if (auto ok = daemon->start(); !ok) {
      std::fprintf(stderr, "%s\n", ok.error().message.c_str());
      std::exit(1);
    }
    token = *daemon->ensure_token("", "bench", "read");
  }
  ~lab() {
    daemon->stop();
    std::filesystem::remove_all(directory);
  }
  std::string get(const std::string& path) const {
    return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token +
           "\r\n\r\n";
  }
};

void row(const std::string& what, int connections, const bench::load_report& ours,
         const bench::load_report& bare) {
  std::printf("%-24s c=%-3d  tilld %-46s bare %-40s ratio %.2f\n", what.c_str(), connections,
              bench::summary(ours).c_str(), bench::summary(bare).c_str(),
              ours.per_second() / bare.per_second());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  const int customers = argc > 2 ? std::atoi(argv[2]) : 1000;
  const int repetitions = argc > 3 ? std::atoi(argv[3]) : 1;
  bench::bare_server bare(answer_as_bare);
  lab ours;
  const auto webhooks = port_of(ours.daemon->webhooks_url());
  const auto api = port_of(ours.daemon->api_url());
  const auto bare_port = static_cast<std::uint16_t>(bare.port);
  long run = 0;
  for (int r = 0; r < repetitions; ++r) {
    for (const int connections : {1, 8, 16, 64}) {
      const double expected = connections == 1 ? 6'000 : 20'000;
      const auto count = static_cast<std::size_t>(expected * seconds);
      const auto report =
          drive(webhooks, connections, seconds, events(count, customers, run++, false), false);
      const auto plain =
          drive(bare_port, connections, seconds, events(1'000, customers, run, true), true);
      row("event, durable, applied", connections, report, plain);
    }
    std::vector<std::string> documents, entitlements;
    for (int i = 0; i < customers; ++i) {
      documents.push_back(ours.get(fmt::format("/v1/customers/cus_bench{:06}", i)));
      entitlements.push_back(
          ours.get(fmt::format("/api/customers/cus_bench{:06}/entitlements", i)));
    }
    const std::vector<std::string> plain_get{
        "GET /doc HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n\r\n"};
    for (const int connections : {1, 16, 64}) {
      const auto plain = drive(bare_port, connections, seconds, plain_get, true);
      row("document by id", connections, drive(api, connections, seconds, documents, true), plain);
      row("entitlements", connections, drive(api, connections, seconds, entitlements, true), plain);
    }
  }
  return 0;
}
