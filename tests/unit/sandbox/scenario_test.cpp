#include "sandbox/scenario/scenario.hpp"

#include "sandbox/scenario/words.hpp"
#include "support/catch.hpp"

using tilld::sandbox::comparison_of;
using tilld::sandbox::emitted;
using tilld::sandbox::run_scenario;
using tilld::sandbox::words_of;

namespace {

using strings = std::vector<std::string>;

// Line and reason of the first failure.
std::pair<int, std::string> run(const std::string& text) {
  const auto r = run_scenario(text, [](const std::vector<emitted>&) { return std::string(); });
  return {r.line, r.why};
}

}  // namespace

TEST_CASE("Words stand apart at blanks, quotes hold them together, # begins a comment") {
  CHECK(words_of("a  b=c # d") == strings{"a", "b=c"});
  CHECK(words_of("a=\"b c\" \"\"") == strings{"a=b c", ""});
  CHECK(words_of("a#b") == strings{"a#b"});
  CHECK(words_of("   # all") == strings{});
  CHECK_FALSE(words_of("a \"b"));
  CHECK(comparison_of("a.b>=3")->sign == ">=");
  CHECK(comparison_of("a==3")->value == "=3");
  CHECK_FALSE(comparison_of("a"));
  CHECK_FALSE(comparison_of("a!3"));
}

TEST_CASE("A scenario fails at the line that is wrong, and says why") {
  const std::string begin =
      "at 2026-01-01\n"
      "let ada = POST /v1/customers email=ada@example.com\n";
  CHECK(run(begin + "expect $ada email=ada@example.com delinquent=false\n").first == 0);
  CHECK(run(begin + "\nexpect $ada email=bob@example.com\n") ==
        std::pair<int, std::string>(4, "email is ada@example.com, not = bob@example.com"));
  CHECK(run(begin + "expect $bob email=x").second == "There is no $bob yet.");
  CHECK(run("jump 1 month").first == 1);
  CHECK(run("advance 1 moon").first == 1);
  CHECK(run(begin + "advance 2020-01-01").first == 3);
  CHECK(run(begin + "expect events customer.created").first == 0);
  CHECK(run(begin + "expect events customer.deleted").first == 3);
  CHECK(run(begin + "expect no event customer.created").first == 3);
  CHECK(run(begin + "expect count 2 /v1/customers").first == 3);
  CHECK(run("let ada = POST /v1/customers \"email").first == 1);
  CHECK(run("settings after_retries=shrug").first == 1);
  CHECK(run(begin + "authenticate $ada pass").first == 3);
  CHECK(run(begin + "deliver sideways").first == 3);
}

TEST_CASE("A refusal that nobody expects fails the scenario; one that does not come, too") {
  CHECK(run("GET /v1/customers/cus_no\n").first == 1);
  CHECK(run("GET /v1/customers/cus_no\nadvance 1 day").first == 2);
  CHECK(run("GET /v1/customers/cus_no\nexpect refused 404 code=resource_missing").first == 0);
  CHECK(run("GET /v1/customers/cus_no\nexpect refused 400").first == 2);
  CHECK(run("GET /v1/customers/cus_no\nexpect refused 404 code=other").first == 2);
  CHECK(run("GET /v1/customers\nexpect refused 404").first == 2);
}

TEST_CASE("What is told is delivered once, in order or shuffled, and a refusal of it fails") {
  strings seen;
  const auto take = [&](const std::vector<emitted>& events) {
    for (const auto& e : events)
      seen.push_back(e.type);
    return std::string();
  };
  const std::string story =
      "let a = POST /v1/products name=A\nlet b = POST /v1/customers\nPOST /v1/customers/$b "
      "name=B\n";
  CHECK(run_scenario(story + "deliver\ndeliver", take).line == 0);
  CHECK(seen == strings{"product.created", "customer.created", "customer.updated"});
  seen.clear();
  CHECK(run_scenario(story + "deliver twice shuffled 7", take).line == 0);
  CHECK(seen.size() == 6);
  const auto refuse = [](const std::vector<emitted>&) { return std::string("no"); };
  CHECK(run_scenario(story + "deliver", refuse).line == 4);
}
