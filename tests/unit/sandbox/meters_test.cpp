// Meters, reports of usage, and what they add up to.
// Sources: https://docs.stripe.com/api/billing/meter
//          https://docs.stripe.com/api/billing/meter-event/create
//          https://docs.stripe.com/api/billing/meter-event-summary/list
#include <algorithm>
#include <string>
#include <vector>

#include "client.hpp"
#include "sandbox/usage/readings.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::new_year_s;
using tilld::test::reply;
using tilld::test::the_one;
namespace usage = tilld::sandbox::usage;

namespace {

constexpr std::int64_t hour_s = 3600;
constexpr std::int64_t day_s = 86'400;
constexpr const char* events_path = "/v1/billing/meter_events";
constexpr const char* cancels_path = "/v1/billing/meter_event_adjustments";

struct station {
  client c;
  std::string meter = make("calls", "sum");
  std::string customer = c.customer();

  std::string make(const std::string& event, const std::string& formula,
                   const std::string& more = {}) {
    return c
        .post("/v1/billing/meters", "display_name=Calls&event_name=" + event +
                                        "&default_aggregation[formula]=" + formula + more)
        .id();
  }
  reply report(const std::string& value, const std::string& more = {},
               const std::string& event = "calls") {
    return c.post(events_path, "event_name=" + event + "&payload[stripe_customer_id]=" + customer +
                                   "&payload[value]=" + value + more);
  }
  reply cancel(const std::string& identifier) {
    return c.post(cancels_path, "event_name=calls&type=cancel&cancel[identifier]=" + identifier);
  }
  reply summaries(std::int64_t from, std::int64_t to, const std::string& more = {},
                  const std::string& of = {}) {
    return c.get("/v1/billing/meters/" + (of.empty() ? meter : of) + "/event_summaries",
                 "customer=" + customer + "&start_time=" + std::to_string(from) +
                     "&end_time=" + std::to_string(to) + more);
  }
  std::int64_t total(std::int64_t from, std::int64_t to, const std::string& of = {}) {
    return summaries(from, to, {}, of).body["data"][0]["aggregated_value"];
  }
};

std::string at(std::int64_t s) {
  return "&timestamp=" + std::to_string(s);
}

struct aggregation {
  const char* formula;
  const char* window;
  std::vector<usage::reading> received;
  std::int64_t comes_to;
};

}  // namespace

TEST_CASE("Reports add up as the meter's formula says") {
  const std::vector<aggregation> rows = {
      {"sum", "", {}, 0},
      {"count", "", {}, 0},
      {"last", "", {}, 0},
      {"sum", "", {{10, 5}, {10, 7}, {20, -2}}, 10},
      {"count", "", {{10, 5}, {10, 7}, {20, -2}}, 3},
      {"last", "", {{10, 5}, {30, 7}, {20, 9}}, 7},
      {"last", "", {{10, 5}, {10, 7}}, 7},  // assumed: of one time, what came later
      {"sum", "", {{10, 5}, {20, -9}}, -4},
      // Of figures added up already the last of each window counts.
      {"sum", "hour", {{0, 5}, {3599, 7}, {3600, 2}}, 9},
      {"sum", "hour", {{3599, 7}, {0, 5}}, 5},
      {"sum", "day", {{0, 5}, {3600, 7}, {86'400, 2}}, 9},
      {"count", "day", {{0, 5}, {3600, 7}, {86'400, 2}}, 2},
  };
  for (const auto& row : rows) {
    CAPTURE(row.formula, row.window, row.received.size());
    CHECK(usage::aggregate(row.formula, usage::in_force(row.received, row.window)) == row.comes_to);
  }
}

TEST_CASE("A meter is made, renamed, put to rest and woken, and each is told") {
  station s;
  const json made = the_one(s.c.events(), "billing.meter.created")["data"]["object"];
  check_shapes(made);
  CHECK(made["id"].get<std::string>().starts_with("mtr_test_61"));
  CHECK(made["customer_mapping"] ==
        json{{"event_payload_key", "stripe_customer_id"}, {"type", "by_id"}});
  CHECK(made["value_settings"] == json{{"event_payload_key", "value"}});
  CHECK(made["event_time_window"].is_null());
  const std::string path = "/v1/billing/meters/" + s.meter;
  s.c.wait(10);
  CHECK(s.c.post(path, "display_name=Requests").body["updated"] == new_year_s + 10);
  const json renamed = the_one(s.c.events(), "billing.meter.updated");
  CHECK(renamed["data"]["previous_attributes"]["display_name"] == "Calls");
  const auto off = s.c.post(path + "/deactivate");
  CHECK(off.body["status"] == "inactive");
  CHECK(off.body["status_transitions"]["deactivated_at"] == new_year_s + 10);
  CHECK(s.c.told() == std::vector<std::string>{"billing.meter.deactivated"});
  CHECK(s.c.post(path + "/deactivate").status == 400);
  CHECK(s.c.get("/v1/billing/meters", "status=active").body["data"].empty());
  CHECK(s.c.get("/v1/billing/meters", "status=inactive").body["data"].size() == 1);
  CHECK(s.c.post(path + "/reactivate").body["status_transitions"]["deactivated_at"].is_null());
  CHECK(s.c.told() == std::vector<std::string>{"billing.meter.reactivated"});
  CHECK(s.c.post(path + "/reactivate").status == 400);
  CHECK(s.c.get("/v1/billing/meters/mtr_no").message() == "No such meter: 'mtr_no'");
}

TEST_CASE("An event name belongs to one active meter") {
  station s;
  const auto second = s.c.post("/v1/billing/meters",
                               "display_name=A&event_name=calls&default_aggregation[formula]=sum");
  CHECK(second.message() ==
        "An active meter already exists for event name 'calls'. To create a new meter with the "
        "same event name, first deactivate the currently active meter.");
  s.c.post("/v1/billing/meters/" + s.meter + "/deactivate");
  const std::string heir = s.make("calls", "count");
  CHECK_FALSE(heir.empty());
  CHECK(s.c.post("/v1/billing/meters/" + s.meter + "/reactivate").status == 400);
  s.report("5");
  CHECK(s.total(new_year_s, new_year_s + day_s) == 0);
  CHECK(s.total(new_year_s, new_year_s + day_s, heir) == 1);
}

TEST_CASE("A report is answered as it was sent") {
  station s;
  const auto sent = s.report("25", "&identifier=a-1");
  REQUIRE(sent.status == 200);
  check_shapes(sent.body);
  CHECK(sent.body["payload"] == json{{"stripe_customer_id", s.customer}, {"value", "25"}});
  CHECK(sent.body["identifier"] == "a-1");
  CHECK(sent.body["timestamp"] == new_year_s);
  const std::string own = s.report("25").body["identifier"];
  CHECK(own.size() == 32);
  CHECK(own != s.report("25").body["identifier"]);
  check_shapes(s.c.dump());
}

TEST_CASE("What is wrong with a report is said") {
  station s;
  s.make("old", "sum");
  const auto old = s.c.get("/v1/billing/meters").body["data"][0]["id"].get<std::string>();
  s.c.post("/v1/billing/meters/" + old + "/deactivate");
  struct row {
    std::string form;
    const char* param;
  };
  const std::string by = "&payload[stripe_customer_id]=" + s.customer;
  const std::vector<row> rows = {
      {"payload[value]=1" + by, "event_name"},
      {"event_name=calls", "payload"},
      {"event_name=none&payload[value]=1" + by, "event_name"},
      {"event_name=old&payload[value]=1" + by, "event_name"},
      {"event_name=calls&payload[value]=1", "payload"},
      {"event_name=calls" + by, "payload"},
      {"event_name=calls&payload[value]=1&payload[stripe_customer_id]=cus_no",
       "payload[stripe_customer_id]"},
      {"event_name=calls&payload[value]=1.5" + by, "payload[value]"},
      {"event_name=calls&payload[value]=many" + by, "payload[value]"},
      {"event_name=calls&payload[value]=1000000000000" + by, "payload[value]"},
      {"event_name=calls&payload[value]=1" + by + at(new_year_s - 35 * day_s - 1), "timestamp"},
      {"event_name=calls&payload[value]=1" + by + at(new_year_s + 301), "timestamp"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.form);
    const auto sent = s.c.post(events_path, r.form);
    CHECK(sent.status == 400);
    CHECK(sent.param() == r.param);
  }
  CHECK(s.report("1", at(new_year_s - 35 * day_s)).status == 200);
  CHECK(s.report("1", at(new_year_s + 300)).status == 200);
  CHECK(s.report("-3").status == 200);
}

TEST_CASE("What is counted needs no value, and names of keys are the meter's own") {
  station s;
  const std::string meter = s.make("visits", "count",
                                   "&customer_mapping[type]=by_id"
                                   "&customer_mapping[event_payload_key]=who");
  CHECK(s.c.post(events_path, "event_name=visits&payload[who]=" + s.customer).status == 200);
  CHECK(s.total(new_year_s, new_year_s + day_s, meter) == 1);
}

TEST_CASE("An identifier counts once a day") {
  station s;
  CHECK(s.report("5", "&identifier=one").status == 200);
  s.c.wait(day_s - 1);
  const auto again = s.report("5", "&identifier=one");
  CHECK(again.status == 400);
  CHECK(again.message() == "An event already exists with identifier one.");
  s.c.wait(1);
  CHECK(s.report("5", "&identifier=one").status == 200);
  CHECK(s.total(new_year_s, new_year_s + 2 * day_s) == 10);
}

TEST_CASE("A report can be taken back for a day, once") {
  station s;
  s.report("5", "&identifier=one");
  s.report("7", "&identifier=two");
  const auto canceled = s.cancel("one");
  REQUIRE(canceled.status == 200);
  check_shapes(canceled.body);
  CHECK(canceled.body["cancel"]["identifier"] == "one");
  CHECK(s.total(new_year_s, new_year_s + day_s) == 7);
  CHECK(s.cancel("one").status == 400);
  CHECK(s.cancel("none").param() == "cancel[identifier]");
  CHECK(s.c.post(cancels_path, "event_name=calls&type=cancel").param() == "cancel");
  CHECK(s.report("5", "&identifier=one").status == 400);
  s.c.wait(day_s);
  CHECK(s.cancel("two").status == 400);
  CHECK(s.total(new_year_s, new_year_s + day_s) == 7);
}

TEST_CASE("Usage is summed up from the start on and before the end") {
  station s;
  s.report("1", at(new_year_s - 61));
  s.report("2", at(new_year_s - 60));
  s.report("4", at(new_year_s - 1));
  s.report("8", at(new_year_s));
  CHECK(s.total(new_year_s - 60, new_year_s) == 6);
  CHECK(s.total(new_year_s - 120, new_year_s + 60) == 15);
  CHECK(s.total(new_year_s - 500 * day_s, new_year_s + day_s) == 15);
  const auto one = s.summaries(new_year_s - 60, new_year_s);
  check_shapes(one.body);
  CHECK(one.body["data"].size() == 1);
  CHECK(one.body["data"][0]["start_time"] == new_year_s - 60);
  CHECK(one.body["data"][0]["end_time"] == new_year_s);
  CHECK(s.summaries(new_year_s - 30, new_year_s).param() == "start_time");
  CHECK(s.summaries(new_year_s, new_year_s).param() == "start_time");
  CHECK(s.summaries(new_year_s, new_year_s + 60, "&value_grouping_window=hour").param() ==
        "end_time");
  CHECK(
      s.summaries(new_year_s + hour_s, new_year_s + day_s, "&value_grouping_window=day").param() ==
      "start_time");
}

TEST_CASE("Windows of usage are listed newest first, page by page; empty ones are left out") {
  station s;
  const std::int64_t from = new_year_s - 10 * day_s;
  for (int hour = 0; hour < 8; ++hour) {
    if (hour == 3) continue;
    s.report(std::to_string(hour + 1), at(from + hour * hour_s + 59));
    s.report("100", at(from + hour * hour_s + 3599));
  }
  const std::string hours = "&value_grouping_window=hour&limit=3";
  std::vector<std::int64_t> seen;
  std::vector<std::string> ids;
  std::string more;
  for (int page = 0; page < 3; ++page) {
    const auto listed = s.summaries(from, from + day_s, hours + more);
    REQUIRE(listed.status == 200);
    CHECK(listed.body["has_more"] == (page < 2));
    for (const auto& one : listed.body["data"]) {
      CHECK(one["end_time"].get<std::int64_t>() - one["start_time"].get<std::int64_t>() == hour_s);
      seen.push_back(one["aggregated_value"]);
      ids.push_back(one["id"]);
    }
    more = "&starting_after=" + ids.back();
  }
  CHECK(seen == std::vector<std::int64_t>{108, 107, 106, 105, 103, 102, 101});
  const auto before = s.summaries(from, from + day_s, hours + "&ending_before=" + ids.back()).body;
  CHECK(before["data"][0]["id"] == ids[3]);
  CHECK(before["data"].size() == 3);
  CHECK(before["has_more"] == true);
  const auto days = s.summaries(from, new_year_s, "&value_grouping_window=day").body["data"];
  CHECK(days.size() == 1);
  CHECK(days[0]["aggregated_value"] == 732);
  CHECK(s.summaries(from, from + day_s, hours + "&starting_after=x").param() == "starting_after");
}

TEST_CASE("Who lives by a test clock is metered by it") {
  client c;
  const std::int64_t may_s = new_year_s + 120 * day_s;
  const std::string clock =
      c.post("/v1/test_helpers/test_clocks", "frozen_time=" + std::to_string(may_s)).id();
  const std::string customer = c.post("/v1/customers", "test_clock=" + clock).id();
  c.post("/v1/billing/meters", "display_name=A&event_name=a&default_aggregation[formula]=sum");
  const std::string report =
      "event_name=a&payload[value]=1&payload[stripe_customer_id]=" + customer;
  CHECK(c.post(events_path, report).body["timestamp"] == may_s);
  CHECK(c.post(events_path, report + at(new_year_s)).param() == "timestamp");
  CHECK(c.post(events_path, report + at(may_s - day_s) + "&identifier=b").status == 200);
  c.wait(2 * day_s);
  const auto canceled = c.post(cancels_path, "event_name=a&type=cancel&cancel[identifier]=b");
  CHECK(canceled.status == 200);  // on that clock no time has passed
}

TEST_CASE("Meters and reports outlive the process") {
  station s;
  s.report("5", "&identifier=one");
  s.report("6");
  const std::string kept = s.c.stripe.save();
  station other;
  REQUIRE(other.c.stripe.load(kept));
  other.customer = s.customer;
  other.meter = s.meter;
  CHECK(other.total(new_year_s, new_year_s + day_s) == 11);
  CHECK(other.report("5", "&identifier=one").status == 400);
}
