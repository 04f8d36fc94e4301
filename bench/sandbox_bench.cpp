// Creates on the sandbox over HTTP, and whether they slow down as it fills.
//
//   sandbox_bench [seconds per run] [customers …]        default: 3 s; 1000, 100000
//
// For each size: that many customers with a subscription each are there already; then customers
// and subscriptions are created over 1 and 16 connections. A subscription is made with its item,
// invoice, line, payment intent, charge and some 12 events. Stripe's own fake is not measured here.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "cli/sandbox_service.hpp"
#include "load.hpp"
#include "net/client.hpp"

namespace {

using namespace tilld;

class lab {
 public:
  lab() : service_(settings(), time_, counts_) {
    if (auto ok = service_.start(); !ok) {
      std::fprintf(stderr, "%s\n", ok.error().message.c_str());
      std::exit(1);
    }
  }
  ~lab() { service_.stop(); }

  std::uint16_t port() const { return service_.port(); }

  std::string post(const std::string& path, const std::string& body) {
    net::request r;
    r.verb = "POST";
    r.url = fmt::format("http://127.0.0.1:{}{}", port(), path);
    r.headers = {{"Authorization", "Bearer sk_test_sandbox"}};
    r.body = body;
    r.deadline_ms = 600'000;
    const auto answer = client_.call(std::move(r));
    if (!answer || answer->status != 200) {
      std::fprintf(stderr, "%s: %s\n", path.c_str(),
                   answer ? answer->body.c_str() : answer.error().message.c_str());
      std::exit(1);
    }
    const auto at = answer->body.find("\"id\": \"");
    if (at == std::string::npos) return {};
    return answer->body.substr(at + 7, answer->body.find('"', at + 7) - at - 7);
  }

 private:
  static cli::sandbox_settings settings() {
    cli::sandbox_settings s;
    s.port = 0;
    return s;
  }
  system_clock time_;
  metrics counts_;
  net::client client_;
  cli::sandbox_service service_;
};

std::string request(const std::string& path, const std::string& body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk_test_sandbox\r\n"
      "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{}",
      path, body.size(), body);
}

void run(const lab& at, const char* what, int connections, double seconds,
         std::vector<std::string> requests, long objects) {
  bench::load_plan plan;
  plan.port = at.port();
  plan.connections = connections;
  plan.seconds = seconds;
  plan.requests = std::move(requests);
  const auto report = bench::drive(plan);
  if (!report) {
    std::fprintf(stderr, "%s\n", report.error().message.c_str());
    std::exit(1);
  }
  std::printf("%-14s c=%-3d at %7ld customers  %s\n", what, connections, objects,
              bench::summary(*report).c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  std::vector<long> sizes;
  for (int i = 2; i < argc; ++i)
    sizes.push_back(std::atol(argv[i]));
  if (sizes.empty()) sizes = {1'000, 100'000};
  for (const long size : sizes) {
    lab sandbox;
    const std::int64_t began = system_clock().mono_ms();
    for (long left = size; left > 0; left -= 10'000) {
      sandbox.post("/_sandbox/seed",
                   fmt::format(R"({{"customers": {}}})", std::min(left, 10'000L)));
    }
    const double took = static_cast<double>(system_clock().mono_ms() - began) / 1000;
    std::printf("%ld customers with subscriptions seeded in %.1f s\n", size, took);
    const std::string price = sandbox.post("/v1/prices",
                                           "currency=usd&unit_amount=2000&recurring[interval]=month"
                                           "&product_data[name]=Gold");
    std::vector<std::string> subscriptions;
    for (int i = 0; i < 200; ++i) {
      const std::string customer = sandbox.post(
          "/v1/customers",
          "payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa");
      subscriptions.push_back(
          request("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price));
    }
    for (const int connections : {1, 16}) {
      run(sandbox, "customers", connections, seconds,
          {request("/v1/customers", "email=ada@example.com&name=Ada")}, size);
      run(sandbox, "subscriptions", connections, seconds, subscriptions, size);
    }
  }
  return 0;
}
