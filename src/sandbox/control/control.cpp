#include "sandbox/control/control.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sandbox/control/moment.hpp"
#include "sandbox/machine/document.hpp"

namespace tilld::sandbox {

namespace {

constexpr std::size_t most_snapshots = 20;
constexpr std::int64_t most_seeded = 200'000;

// What a call has to work with.
struct call {
  simulator& stripe;
  std::map<std::string, std::string>& snapshots;
  faults& mishaps;
  const json& given;
  std::int64_t real_s;
};

control_answer shown(const json& body) {
  return {200, pretty(compact(body))};
}

control_answer wrong(const std::string& message) {
  const json error = {{"message", message}, {"type", "invalid_request_error"}};
  return {400, pretty(compact({{"error", error}}))};
}

// Members that the call does not have are refused, not ignored.
std::string stranger(const json& given, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : given.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return "There is no member " + name + " here.";
    }
  }
  return {};
}

control_answer clock_shown(call& c) {
  return shown({{"now", c.stripe.time(c.real_s)}, {"frozen", c.stripe.frozen()}});
}

control_answer clock_set(call& c) {
  if (auto what = stranger(c.given, {"freeze", "advance", "release"}); !what.empty()) {
    return wrong(what);
  }
  if (c.given.size() != 1) {
    return wrong(
        "Give one of freeze (true, or a time), advance (a time, or a span such as \"1 month\") "
        "and release (true).");
  }
  const std::int64_t now = c.stripe.time(c.real_s);
  const std::string member = c.given.begin().key();
  const json& value = c.given.begin().value();
  if (value == true && member != "advance") {
    if (member == "freeze") c.stripe.freeze(now);
    if (member == "release") c.stripe.release(c.real_s);
    return clock_shown(c);
  }
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  const auto at = moment_of(text, now);
  if (!at || member == "release") return wrong(member + " cannot be " + text + ".");
  if (*at < now) return wrong("The clock goes forward only; it is at " + std::to_string(now) + ".");
  c.stripe.advance(*at, c.real_s);
  if (member == "freeze") c.stripe.freeze(*at);
  return clock_shown(c);
}

control_answer rules_shown(call& c) {
  return {200, pretty(c.stripe.rules())};
}

control_answer rules_set(call& c) {
  const std::string what = c.stripe.change_rules(compact(c.given));
  return what.empty() ? rules_shown(c) : wrong(what);
}

control_answer authenticate(call& c) {
  if (auto what = stranger(c.given, {"intent", "result"}); !what.empty()) return wrong(what);
  const std::string result = text_of(c.given, "result");
  if (result != "pass" && result != "fail") return wrong("result is pass or fail.");
  const std::string intent = text_of(c.given, "intent");
  if (!c.stripe.authenticate(intent, result == "pass", c.real_s)) {
    return wrong("No payment intent or setup intent '" + intent + "' waits for authentication.");
  }
  return shown({{"intent", intent}, {"result", result}});
}

control_answer reset(call& c) {
  if (auto what = stranger(c.given, {}); !what.empty()) return wrong(what);
  c.stripe.reset();
  return shown({{"reset", true}});
}

control_answer take_snapshot(call& c) {
  if (auto what = stranger(c.given, {"name"}); !what.empty()) return wrong(what);
  const std::string name = text_of(c.given, "name");
  if (name.empty()) return wrong("A snapshot needs a name.");
  if (!c.snapshots.contains(name) && c.snapshots.size() >= most_snapshots) {
    return wrong("20 snapshots are kept at most; take one under a name that is there.");
  }
  c.snapshots[name] = c.stripe.save();
  return shown({{"name", name}});
}

control_answer restore(call& c) {
  if (auto what = stranger(c.given, {"name"}); !what.empty()) return wrong(what);
  const std::string name = text_of(c.given, "name");
  const auto it = c.snapshots.find(name);
  if (it == c.snapshots.end()) return wrong("There is no snapshot '" + name + "'.");
  c.stripe.load(it->second);
  return shown({{"name", name}});
}

control_answer roll(call& c) {
  if (auto what = stranger(c.given, {"endpoint"}); !what.empty()) return wrong(what);
  const std::string endpoint = text_of(c.given, "endpoint");
  const std::string secret = c.stripe.roll_secret(endpoint);
  if (secret.empty()) return wrong("There is no webhook endpoint '" + endpoint + "'.");
  return shown({{"endpoint", endpoint}, {"secret", secret}});
}

control_answer faults_shown(call& c) {
  return {200, pretty(c.mishaps.shown())};
}

// All or nothing: a wrong one leaves the others as they were.
control_answer faults_set(call& c) {
  faults changed = c.mishaps;
  for (const auto& [name, value] : c.given.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (const std::string what = changed.set(name, text); !what.empty()) return wrong(what);
  }
  c.mishaps = changed;
  return faults_shown(c);
}

control_answer faults_cleared(call& c) {
  c.mishaps.clear();
  return faults_shown(c);
}

control_answer seed(call& c) {
  if (auto what = stranger(c.given, {"customers"}); !what.empty()) return wrong(what);
  const std::int64_t count = number_of(c.given, "customers");
  if (count < 1 || count > most_seeded) {
    return wrong("customers is how many to make, each with a subscription: 1 to 200000.");
  }
  c.stripe.seed(count, c.real_s);
  return shown({{"customers", count}});
}

control_answer ledger(call& c) {
  return {200, pretty(c.stripe.ledger())};
}

control_answer dump(call& c) {
  return {200, c.stripe.dump()};
}

struct row {
  std::string_view verb;
  std::string_view path;
  control_answer (*act)(call&);
};
constexpr std::array rows = {
    row{"GET", "/_sandbox/clock", clock_shown},
    row{"POST", "/_sandbox/clock", clock_set},
    row{"GET", "/_sandbox/settings", rules_shown},
    row{"POST", "/_sandbox/settings", rules_set},
    row{"POST", "/_sandbox/authenticate", authenticate},
    row{"POST", "/_sandbox/reset", reset},
    row{"POST", "/_sandbox/snapshot", take_snapshot},
    row{"POST", "/_sandbox/restore", restore},
    row{"POST", "/_sandbox/seed", seed},
    row{"POST", "/_sandbox/roll", roll},
    row{"GET", "/_sandbox/faults", faults_shown},
    row{"POST", "/_sandbox/faults", faults_set},
    row{"DELETE", "/_sandbox/faults", faults_cleared},
    row{"GET", "/_sandbox/ledger", ledger},
    row{"GET", "/_sandbox/dump", dump},
};

}  // namespace

std::optional<control_answer> control::handle(std::string_view verb, std::string_view path,
                                              std::string_view body, std::int64_t real_s) {
  const auto it = std::find_if(rows.begin(), rows.end(),
                               [&](const row& r) { return r.verb == verb && r.path == path; });
  if (it == rows.end()) return std::nullopt;
  json given = json::object();
  if (!body.empty()) {
    given = json::parse(body, nullptr, false);
    if (!given.is_object()) return wrong("The body is not a JSON object.");
  }
  stripe_.pass(real_s);
  call c{stripe_, snapshots_, faults_, given, real_s};
  return it->act(c);
}

}  // namespace tilld::sandbox
