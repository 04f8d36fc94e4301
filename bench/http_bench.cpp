// The door beside a bare cpp-httplib: the same handler, the same load, in turn.
//
//   http_bench [seconds per run] [repetitions] [ours]
//
// With "ours" only the door is driven, for a profiler.
//
// The bare server has a thread per connection (64), TCP_NODELAY and a long keep-alive: its best
// case. Ratios count; single numbers move by a tenth with the machine's mood.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>

#include <httplib.h>

#include "bare.hpp"
#include "http/library.hpp"
#include "http/message.hpp"
#include "http/server.hpp"
#include "load.hpp"

namespace {

using namespace tilld;

const std::string answer_body(200, 'x');

std::string json_body() {
  return "{\"data\":\"" + answer_body.substr(11) + "\"}";
}

void answer_pings(httplib::Server& server) {
  const std::string body = json_body();
  const auto answer = [body](const httplib::Request&, httplib::Response& out) {
    out.set_content(body, "application/json; charset=utf-8");
  };
  server.Get("/ping", answer);
  server.Post("/ping", answer);
}

struct our_server {
  metrics counts;
  http::server server;

  our_server() : server(settings(), routes(), counts) {
    if (auto started = server.start(); !started) {
      std::fprintf(stderr, "%s\n", started.error().message.c_str());
      std::exit(1);
    }
  }
  static http::listener_settings settings() {
    http::listener_settings s;
    if (const char* workers = std::getenv("HTTP_BENCH_WORKERS")) s.workers = std::atoi(workers);
    return s;
  }
  static http::router routes() {
    http::router made;
    const auto answer = [body = json_body()](http::request&, http::responder reply) {
      http::response out;
      out.body = body;
      reply(std::move(out));
    };
    made.add("GET", "/ping", answer);
    made.add("POST", "/ping", answer);
    return made;
  }
};

std::string get_request() {
  return "GET /ping HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
}

std::string post_request() {
  return "POST /ping HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nContent-Type: "
         "application/json\r\nContent-Length: 4096\r\n\r\n" +
         std::string(4096, 'y');
}

struct measured {
  bench::load_report load;
  double server_cpu_us = 0;  // per request, of all threads but the one that drives
};

double cpu_seconds(clockid_t of) {
  timespec t{};
  ::clock_gettime(of, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

measured measure(int port, const std::string& request, int connections, double seconds) {
  bench::load_plan plan;
  plan.port = static_cast<std::uint16_t>(port);
  plan.connections = connections;
  plan.seconds = seconds;
  plan.warm_up_seconds = 0;  // so that the time and the answers are of the same span
  plan.requests = {request};
  const double all = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double driver = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  auto done = bench::drive(plan);
  const double servers =
      cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - all - (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - driver);
  if (!done) {
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
    std::exit(1);
  }
  const auto answers = static_cast<double>(std::max<std::uint64_t>(done->answers, 1));
  return {*done, servers * 1e6 / answers};
}

measured median(std::vector<measured> runs) {
  if (runs.empty()) return {};
  std::ranges::sort(runs, {}, [](const measured& m) { return m.load.per_second(); });
  return runs[runs.size() / 2];
}

// What passing through the library costs, beside asking the router alone.
void measure_library() {
  const http::router routes = our_server::routes();
  http::library library(routes);
  http::request asked;
  asked.verb = "GET";
  asked.path = "/ping";
  asked.segments = {"ping"};
  // The best of many short batches: what else runs on the machine falls out.
  const auto nanoseconds_each = [&](const auto& call) {
    constexpr int rounds = 2'000;
    double best = 1e12;
    for (int batch = 0; batch < 200; ++batch) {
      const auto began = std::chrono::steady_clock::now();
      for (int i = 0; i < rounds; ++i)
        call(http::responder([](http::response) {}, {}));
      const std::chrono::duration<double, std::nano> took =
          std::chrono::steady_clock::now() - began;
      best = std::min(best, took.count() / rounds);
    }
    return best;
  };
  const double with = nanoseconds_each([&](const http::responder& r) { library.run(asked, r); });
  const double without =
      nanoseconds_each([&](const http::responder& r) { routes.route(asked, r); });
  std::printf("through cpp-httplib and the router %.0f ns, the router alone %.0f ns\n", with,
              without);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2;
  const int repetitions = argc > 2 ? std::atoi(argv[2]) : 3;
  const bool only_ours = argc > 3;
  measure_library();
  bench::bare_server bare(answer_pings);
  our_server ours;
  for (const auto& [name, request] :
       {std::pair{"GET 200 B ", get_request()}, std::pair{"POST 4 KB ", post_request()}}) {
    for (int connections : {1, 16, 64}) {
      std::vector<measured> of_bare;
      std::vector<measured> of_ours;
      for (int i = 0; i < repetitions; ++i) {
        if (!only_ours) of_bare.push_back(measure(bare.port, request, connections, seconds));
        of_ours.push_back(measure(ours.server.port(), request, connections, seconds));
      }
      const auto b = median(of_bare);
      const auto o = median(of_ours);
      const auto print = [&](const char* who, const measured& m) {
        std::printf("%s c=%-3d %s %s  cpu %5.1f us", name, connections, who,
                    bench::summary(m.load).c_str(), m.server_cpu_us);
      };
      if (!only_ours) {
        print("bare", b);
        std::printf("\n");
      }
      print("ours", o);
      if (!only_ours) std::printf("  ratio %.2f", o.load.per_second() / b.load.per_second());
      std::printf("\n");
      std::fflush(stdout);
    }
  }
  return 0;
}
