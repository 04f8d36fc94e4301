// The door beside a bare cpp-httplib: the same handler, the same load, in turn.
//
//   http_bench [seconds per run] [repetitions]
//
// The bare server has a thread per connection (64), TCP_NODELAY and a long keep-alive: its best
// case. Ratios count; single numbers move by a tenth with the machine's mood.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <httplib.h>

#include "http/message.hpp"
#include "http/server.hpp"
#include "load.hpp"

namespace {

using namespace tilld;

const std::string answer_body(200, 'x');

std::string json_body() {
  return "{\"data\":\"" + answer_body.substr(11) + "\"}";
}

struct bare_server {
  httplib::Server server;
  std::thread thread;
  int port = 0;

  bare_server() {
    server.new_task_queue = [] { return new httplib::ThreadPool(64); };
    server.set_tcp_nodelay(true);
    server.set_keep_alive_max_count(1'000'000'000);
    const std::string body = json_body();
    const auto answer = [body](const httplib::Request&, httplib::Response& out) {
      out.set_content(body, "application/json; charset=utf-8");
    };
    server.Get("/ping", answer);
    server.Post("/ping", answer);
    port = server.bind_to_any_port("127.0.0.1");
    thread = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running())
      std::this_thread::yield();
  }
  ~bare_server() {
    server.stop();
    thread.join();
  }
};

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

bench::load_report measure(int port, const std::string& request, int connections, double seconds) {
  bench::load_plan plan;
  plan.port = static_cast<std::uint16_t>(port);
  plan.connections = connections;
  plan.seconds = seconds;
  plan.requests = {request};
  auto done = bench::drive(plan);
  if (!done) {
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
    std::exit(1);
  }
  return *done;
}

bench::load_report median(std::vector<bench::load_report> runs) {
  std::ranges::sort(runs, {}, &bench::load_report::per_second);
  return runs[runs.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2;
  const int repetitions = argc > 2 ? std::atoi(argv[2]) : 3;
  bare_server bare;
  our_server ours;
  for (const auto& [name, request] :
       {std::pair{"GET 200 B ", get_request()}, std::pair{"POST 4 KB ", post_request()}}) {
    for (int connections : {1, 16, 64}) {
      std::vector<bench::load_report> of_bare;
      std::vector<bench::load_report> of_ours;
      for (int i = 0; i < repetitions; ++i) {
        of_bare.push_back(measure(bare.port, request, connections, seconds));
        of_ours.push_back(measure(ours.server.port(), request, connections, seconds));
      }
      const auto b = median(of_bare);
      const auto o = median(of_ours);
      std::printf("%s c=%-3d bare %s\n", name, connections, bench::summary(b).c_str());
      std::printf("%s c=%-3d ours %s  ratio %.2f\n", name, connections, bench::summary(o).c_str(),
                  o.per_second() / b.per_second());
      std::fflush(stdout);
    }
  }
  return 0;
}
