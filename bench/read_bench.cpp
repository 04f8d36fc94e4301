// Reads of Stripe's API from a mirror of a given size, over HTTP, beside a bare cpp-httplib server
// that answers with as many bytes.
//
//   read_bench [seconds per run] [objects in the mirror] [only questions that say this]
//
// The objects are those of a small sandbox (customers with a card and a subscription, and all that
// comes with them), copied under other ids until there are as many as wanted, and stored as the
// mirror stores what Stripe answers. Ratios count; also the latency, the memory and the size on
// disk.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "actors/mirror.hpp"
#include "actors/working_set.hpp"
#include "bare.hpp"
#include "cli/daemon.hpp"
#include "load.hpp"
#include "sandbox/simulator.hpp"
#include "store/rocks_store.hpp"
#include "stripe/event.hpp"

namespace {

using namespace tilld;

const store::scope scope{"main", false};
constexpr int seeded_customers = 100;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

struct kept_object {
  std::string name;
  std::string text;
};

// Everything that belongs to somebody, and what is there once for all.
struct models {
  std::vector<kept_object> of_customers;
  std::vector<kept_object> shared;
};

models model_objects() {
  sandbox::simulator stripe({});
  stripe.seed(seeded_customers, 1'790'000'000);
  models found;
  const auto all = nlohmann::ordered_json::parse(stripe.dump());
  for (const auto& [name, objects] : all.items()) {
    if (name == "event" || name == "accounts") continue;
    const bool is_shared = name == "product" || name == "price" || name == "account";
    for (const auto& [id, object] : objects.items()) {
      (is_shared ? found.shared : found.of_customers).push_back({name, object.dump()});
    }
  }
  return found;
}

bool is_id_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

// The same object of other people: each id that belongs to somebody ends in the copy's number, and
// so does the name before the @ of an address; it was created earlier, a minute for each copy.
std::string copied(const std::string& text, int copy) {
  const std::string suffix = fmt::format("C{}", copy);
  std::string out;
  out.reserve(text.size() + 256);
  for (std::size_t i = 0; i < text.size();) {
    const bool begins = text[i] == '"' && i + 1 < text.size();
    const auto end = begins ? text.find('"', i + 1) : text.npos;
    if (!begins || end == text.npos) {
      out += text[i++];
      continue;
    }
    const std::string_view word(text.data() + i + 1, end - i - 1);
    i = end + 1;
    out.append("\"").append(word);
    const auto line = word.find('_');
    const bool is_id = line != word.npos && line <= 8 && word.size() > line + 10 &&
                       std::all_of(word.begin() + static_cast<std::ptrdiff_t>(line) + 1, word.end(),
                                   is_id_letter) &&
                       !word.starts_with("prod_") && !word.starts_with("price_") &&
                       !word.starts_with("acct_");
    if (is_id) out += suffix;
    if (const auto at = word.find('@'); at != word.npos) {
      out.resize(out.size() - (word.size() - at));
      out.append(suffix).append(word.substr(at));
    }
    out += '"';
    if (word == "created" && text.compare(i, 1, ":") == 0) {
      const long long created = std::strtoll(text.c_str() + i + 1, nullptr, 10);
      out += fmt::format(":{}", created - 60LL * copy);
      i = text.find_first_of(",}", i);
    }
  }
  return out;
}

struct names {
  std::vector<std::string> customers, invoices, emails, subscriptions;
};

class filler {
 public:
  explicit filler(store::store& to) : store_(to) {}

  void keep(const kept_object& object, const std::string& text) {
    const auto head = stripe::parse_object(text);
    if (!head || head->id.empty()) return;
    actors::snapshot snap;
    snap.object_name = object.name;
    snap.object_id = head->id;
    snap.json = head->json;
    snap.lo_s = snap.hi_s = 1'790'000'100;
    snap.cause = "fetch";
    const actors::mirror_context context{rules_, scope, 1'790'000'100'000};
    auto done = actors::mirror_snapshot(*set_, nullptr, context, snap);
    if (!done) give_up(done.error().message);
    ++count_;
    if (++waiting_ == 500) commit();
  }
  void commit() {
    if (auto ok = store_.commit(*set_->release()); !ok) give_up(ok.error().message);
    set_.emplace(store_);
    waiting_ = 0;
  }
  std::size_t count() const { return count_; }

 private:
  store::store& store_;
  std::optional<actors::working_set> set_{std::in_place, store_};
  const actors::mirror_rules rules_{"user_id", "", false};
  std::size_t count_ = 0;
  int waiting_ = 0;
};

void remember(names& all, const kept_object& object, const std::string& text) {
  if (all.customers.size() > 50'000 && object.name != "invoice") return;
  const auto head = stripe::parse_object(text);
  if (object.name == "customer") {
    all.customers.push_back(head->id);
    const auto document = nlohmann::json::parse(text);
    if (document["email"].is_string()) all.emails.push_back(document["email"]);
  }
  if (object.name == "subscription") all.subscriptions.push_back(head->id);
  if (object.name == "invoice" && all.invoices.size() < 50'000) all.invoices.push_back(head->id);
}

names fill(const std::string& path, std::size_t wanted) {
  const auto began = std::chrono::steady_clock::now();
  store::rocks_options options;
  options.path = path;
  auto store = store::open_rocks_store(options);
  if (!store) give_up(store.error().message);
  const models from = model_objects();
  filler to(**store);
  names all;
  for (const auto& object : from.shared)
    to.keep(object, object.text);
  for (int copy = 0; to.count() < wanted; ++copy) {
    for (const auto& object : from.of_customers) {
      const std::string text = copied(object.text, copy);
      to.keep(object, text);
      remember(all, object, text);
    }
  }
  to.commit();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%zu objects stored in %.0f s (%.0f/s)\n", to.count(), took.count(),
              static_cast<double>(to.count()) / took.count());
  return all;
}

// Answers each request with as many bytes as it is told to.
void answer_with_size(httplib::Server& server) {
  server.Get(R"(/(\d+))", [](const httplib::Request& in, httplib::Response& out) {
    static thread_local std::string body;
    const auto size = static_cast<std::size_t>(std::stoul(in.matches[1]));
    if (body.size() != size) body.assign(size, 'x');
    out.set_content(body, "application/json; charset=utf-8");
  });
}

bench::load_report drive(int port, int connections, double seconds,
                         std::vector<std::string> requests, double rate = 0) {
  bench::load_plan plan;
  plan.port = static_cast<std::uint16_t>(port);
  plan.connections = connections;
  plan.seconds = seconds;
  plan.rate = rate;
  plan.warm_up_seconds = 0;  // so that what is counted and what is used belong together
  plan.requests = std::move(requests);
  auto report = bench::drive(plan);
  if (!report) give_up(report.error().message);
  return *report;
}

class lab {
 public:
  explicit lab(const std::string& data) {
    config::settings s;
    s.data.directory = data;
    s.api.listen = s.webhooks.listen = "127.0.0.1:0";
    s.accounts = {{"main", {}}};
    daemon_.emplace(s, time_, counts_, [](const std::string& why) { give_up(why); });
    if (auto ok = daemon_->start(); !ok) give_up(ok.error().message);
    token_ = *daemon_->ensure_token("", "bench", "read");
    const std::string url = daemon_->api_url();
    port_ = std::atoi(url.c_str() + url.find(':', 7) + 1);
  }
  ~lab() { daemon_->stop(); }

  int port() const { return port_; }
  std::string get(const std::string& target) const {
    return "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token_ +
           "\r\n\r\n";
  }
  // Of one answer, which must be the mirror's.
  std::size_t size_of(const std::string& target) const {
    httplib::Client client("127.0.0.1", port_);
    const auto answer = client.Get(target, {{"Authorization", "Bearer " + token_}});
    if (!answer || answer->status != 200) give_up(target + ": " + (answer ? answer->body : "?"));
    if (answer->get_header_value("Tilld-Source") != "mirror") give_up(target + ": not the mirror");
    return answer->body.size();
  }

 private:
  system_clock time_;
  metrics counts_;
  std::optional<cli::daemon> daemon_;
  std::string token_;
  int port_ = 0;
};

struct question {
  std::string what;
  std::vector<std::string> targets;
};

std::vector<question> questions(const names& all) {
  const auto each = [](const std::vector<std::string>& ids,
                       const std::function<std::string(const std::string&)>& target) {
    std::vector<std::string> out;
    const std::size_t step = std::max<std::size_t>(1, ids.size() / 5'000);
    for (std::size_t i = 0; i < ids.size(); i += step)
      out.push_back(target(ids[i]));
    // In an order that is not the store's.
    std::ranges::sort(out, {}, [](const std::string& t) { return std::hash<std::string>{}(t); });
    return out;
  };
  return {
      {"retrieve a customer", each(all.customers, [](auto& id) { return "/v1/customers/" + id; })},
      {"retrieve an invoice", each(all.invoices, [](auto& id) { return "/v1/invoices/" + id; })},
      {"list 10 customers",
       each(all.customers, [](auto& id) { return "/v1/customers?limit=10&starting_after=" + id; })},
      {"list 10 paid invoices",
       each(all.invoices,
            [](auto& id) { return "/v1/invoices?limit=10&status=paid&starting_after=" + id; })},
      {"invoices of a customer",
       each(all.customers, [](auto& id) { return "/v1/invoices?limit=10&customer=" + id; })},
      {"expand two levels",
       each(all.subscriptions,
            [](auto& id) {
              return "/v1/subscriptions/" + id +
                     "?expand[]=latest_invoice.customer&expand[]=default_payment_method.customer";
            })},
      {"search by email",
       each(all.emails,
            [](auto& email) { return "/v1/customers/search?query=email%3A%27" + email + "%27"; })},
  };
}

long resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

// What the threads that serve the API have used of the processors: steadier than what they get
// done beside others.
double served_us() {
  double total = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (!name.starts_with("api-")) continue;
    std::int64_t ns = 0;
    std::ifstream(task.path() / "schedstat") >> ns;
    total += static_cast<double>(ns) / 1000;
  }
  return total;
}

std::uintmax_t bytes_in(const std::string& directory) {
  std::uintmax_t total = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    if (file.is_regular_file()) total += file.file_size();
  }
  return total;
}

void measure(const lab& ours, const bench::bare_server& bare, const question& q, double seconds) {
  std::vector<std::string> requests;
  for (const auto& target : q.targets)
    requests.push_back(ours.get(target));
  const std::size_t size = ours.size_of(q.targets[q.targets.size() / 2]);
  const std::vector<std::string> plain{
      fmt::format("GET /{} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n\r\n", size)};
  for (const int connections : {1, 16, 64}) {
    const double before = served_us();
    const auto mine = drive(ours.port(), connections, seconds, requests);
    const double cpu_us = (served_us() - before) / static_cast<double>(mine.answers);
    const auto theirs = drive(bare.port, connections, seconds, plain);
    std::printf("%-24s %6zu B  c=%-3d tilld %-44s cpu %3.0f us  bare %-40s ratio %.2f\n",
                q.what.c_str(), size, connections, bench::summary(mine).c_str(), cpu_us,
                bench::summary(theirs).c_str(), mine.per_second() / theirs.per_second());
    std::fflush(stdout);
    if (connections != 16) continue;
    // At a third of that, as many would come who do not wait for each other.
    const double rate = mine.per_second() / 3;
    const auto eased = drive(ours.port(), connections, seconds, requests, rate);
    std::printf("%-24s %6zu B  c=%-3d tilld %-44s at %.0f/s, whatever it takes\n", q.what.c_str(),
                size, connections, bench::summary(eased).c_str(), rate);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2;
  const auto objects = static_cast<std::size_t>(argc > 2 ? std::atoll(argv[2]) : 20'000);
  char name[] = "/var/tmp/tilld-bench-XXXXXX";
  const std::string directory = ::mkdtemp(name);
  const std::string only = argc > 3 ? argv[3] : "";
  std::filesystem::create_directories(directory + "/data");
  std::filesystem::permissions(directory + "/data", std::filesystem::perms::owner_all);
  const names all = fill(directory + "/data/store", objects);
  std::printf("%.0f MiB on disk, %ld MiB in memory after filling\n",
              static_cast<double>(bytes_in(directory)) / (1 << 20), resident_kib() / 1024);
  {
    const bench::bare_server bare(answer_with_size);
    const lab ours(directory + "/data");
    for (const auto& q : questions(all)) {
      if (q.what.find(only) != std::string::npos) measure(ours, bare, q, seconds);
    }
    std::printf("%ld MiB in memory after the reads\n", resident_kib() / 1024);
  }
  std::filesystem::remove_all(directory);
  return 0;
}
