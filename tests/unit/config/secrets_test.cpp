#include "config/secrets.hpp"

#include <sys/stat.h>

#include "config/settings.hpp"
#include "support.hpp"

using namespace tilld;
using namespace tilld::config;

namespace {

const std::string test_key = "sk_test_51Habcdefghijklmnopqrstuvwxyz";
const std::string live_key = "rk_live_51Habcdefghijklmnopqrstuvwxyz";
const std::string hook = "whsec_abcdefghijklmnopqrstuvwxyz012345";
const std::string key_variable = "TILLD_ACCOUNT_MAIN_SECRET_KEY";
const std::string hooks_variable = "TILLD_ACCOUNT_MAIN_WEBHOOK_SECRETS";

std::vector<std::string> revealed(const std::vector<secret>& secrets) {
  std::vector<std::string> out;
  for (const auto& s : secrets)
    out.push_back(s.reveal());
  return out;
}

const account_settings& main_of(const result<settings>& s) {
  REQUIRE(s);
  return s->accounts.at("main");
}

}  // namespace

TEST_CASE("secrets come from variables") {
  const auto s =
      load_text("", {{key_variable, test_key}, {hooks_variable, hook + "," + hook + "2"}});
  CHECK(main_of(s).key.reveal() == test_key);
  CHECK(revealed(main_of(s).webhook_secrets) == std::vector{hook, hook + "2"});
}

TEST_CASE("secrets come from private files, and a line break at the end does not count") {
  folder here;
  const auto key = here.file("key", test_key + "\n");
  const auto first = here.file("first", hook + "\r\n", 0400);
  const auto second = here.file("second", hook + "2");
  const auto s = load({here.file("tilld.toml", "[account.main]\nsecret_key_file = \"" + key +
                                                   "\"\nwebhook_secret_files = [\"" + first +
                                                   "\", \"" + second + "\"]\n"),
                       {},
                       {}});
  CHECK(main_of(s).key.reveal() == test_key);
  CHECK(revealed(main_of(s).webhook_secrets) == std::vector{hook, hook + "2"});
}

TEST_CASE("secrets come from systemd credentials, whatever the mode of their files") {
  folder here;
  here.file("stripe_key", test_key + "\n", 0444);
  here.file("webhook_secret", hook, 0440);
  here.file("webhook_secret_2", hook + "2");
  here.file("webhook_secret_8", hook + "8");
  here.file("account.shop.stripe_key", test_key + "shop");
  here.file("account.shop.webhook_secret_2", hook + "shop");
  const words environment = {{"CREDENTIALS_DIRECTORY", here.path}};

  const auto s = load_text("", environment);
  CHECK(main_of(s).key.reveal() == test_key);
  CHECK(revealed(main_of(s).webhook_secrets) == std::vector{hook, hook + "2", hook + "8"});

  const auto other = load_text("[account.shop]\n", environment);
  REQUIRE(other);
  CHECK(other->accounts.at("shop").key.reveal() == test_key + "shop");
  CHECK(revealed(other->accounts.at("shop").webhook_secrets) == std::vector{hook + "shop"});
}

TEST_CASE("a variable goes before a file, a file before a credential") {
  folder here;
  here.file("stripe_key", test_key + "credential");
  here.file("webhook_secret", hook + "credential");
  words environment = {{"CREDENTIALS_DIRECTORY", here.path}};
  const std::string toml = "[account.main]\nsecret_key_file = \"" +
                           here.file("key", test_key + "file") + "\"\nwebhook_secret_files = [\"" +
                           here.file("hook", hook + "file") + "\"]\n";
  auto s = load_text(toml, environment);
  CHECK(main_of(s).key.reveal() == test_key + "file");
  CHECK(revealed(main_of(s).webhook_secrets) == std::vector{hook + "file"});
  environment[key_variable] = test_key + "variable";
  environment[hooks_variable] = hook + "variable";
  s = load_text(toml, environment);
  CHECK(main_of(s).key.reveal() == test_key + "variable");
  CHECK(revealed(main_of(s).webhook_secrets) == std::vector{hook + "variable"});
}

TEST_CASE("a credentials directory without our credentials means that there is no secret") {
  CHECK(main_of(load_text("", {{"CREDENTIALS_DIRECTORY", "/nonexistent"}})).key.empty());
  CHECK(main_of(load_text("", {{"CREDENTIALS_DIRECTORY", ""}})).key.empty());
}

TEST_CASE("a secret file that others may read is refused with the command that mends it") {
  for (const unsigned mode : {0640u, 0604u, 0644u, 0660u, 0601u}) {
    folder here;
    const auto key = here.file("key", test_key, mode);
    const auto s = load({here.file("t.toml", "account.main.secret_key_file = \"key\""), {}, {}});
    CHECK(error_of(s) ==
          "account.main.secret_key_file = key: other users can read this file; run: chmod 600 key");
    REQUIRE(::chmod(key.c_str(), 0600) == 0);
    CHECK(load({here.path + "/t.toml", {}, {}}));
  }
}

TEST_CASE("a secret file that cannot be read says why") {
  CHECK(error_of_text("account.main.secret_key_file = \"/nonexistent/key\"") ==
        "account.main.secret_key_file = /nonexistent/key: cannot read /nonexistent/key: No such "
        "file or directory");
  CHECK(error_of_text("account.main.webhook_secret_files = [\"/\"]") ==
        "account.main.webhook_secret_files: /: cannot read /: it is a directory; name the file in "
        "it");
  folder here;
  const auto big = here.file("big", std::string(5000, 'x'));
  CHECK_THAT(error_of_text("", {}, {{"account.main.secret_key_file", big}}),
             ContainsSubstring("it has more than 4096 bytes"));
}

TEST_CASE("empty and broken secrets are refused without being repeated") {
  const std::string broken[] = {"",
                                "\n",
                                "sk_test_a b",
                                " sk_test_ab",
                                "sk_test_a\nb",
                                "sk_test_ab\n\n",
                                "sk_test_a\tb",
                                "sk_test_é",
                                std::string("sk_test_a\0b", 11)};
  for (const auto& text : broken) {
    folder here;
    here.file("key", text);
    for (const auto& message :
         {error_of_text("", {{key_variable, text}}),
          error_of(load({here.file("t.toml", "account.main.secret_key_file = \"key\""), {}, {}})),
          error_of_text("", {{hooks_variable, text}})}) {
      CAPTURE(text, message);
      CHECK_THAT(message, ContainsSubstring("is empty") || ContainsSubstring("has a blank"));
      CHECK_THAT(message, !ContainsSubstring("sk_test"));
    }
  }
  CHECK_THAT(error_of_text("", {{hooks_variable, hook + ","}}), ContainsSubstring("is empty"));
}

TEST_CASE("a secret of the wrong kind is refused without being repeated") {
  for (const auto& text : {hook, std::string("pk_test_51Habc"), std::string("sk_test_"),
                           std::string("sk_51Habc"), std::string("hunter2")}) {
    const auto message = error_of_text("", {{key_variable, text}});
    CHECK(message ==
          "environment TILLD_ACCOUNT_MAIN_SECRET_KEY: this is no secret key of Stripe: "
          "it must begin with rk_live_, rk_test_, sk_test_ or sk_live_");
  }
  for (const auto& text : {test_key, std::string("whsec_"), std::string("hunter2")}) {
    CHECK(error_of_text("", {{hooks_variable, text}}) ==
          "environment TILLD_ACCOUNT_MAIN_WEBHOOK_SECRETS: this is no webhook signing secret: it "
          "must begin with whsec_ (Stripe's dashboard, Webhooks, Signing secret)");
  }
}

TEST_CASE("more webhook secrets than a rotation needs are refused") {
  std::string many = hook;
  for (int i = 0; i < 7; ++i)
    many += "," + hook;
  CHECK(main_of(load_text("", {{hooks_variable, many}})).webhook_secrets.size() == 8);
  CHECK_THAT(error_of_text("", {{hooks_variable, many + "," + hook}}),
             ContainsSubstring("more than 8 webhook secrets"));
}

TEST_CASE("a key for the other mode is refused") {
  CHECK(error_of_text("", {{key_variable, live_key}}) ==
        "environment TILLD_ACCOUNT_MAIN_SECRET_KEY: this is a key for live mode (rk_live_…), but "
        "account.main.mode is \"test\": give a key for test mode or set mode = \"live\"");
  CHECK(error_of_text("account.main.mode = \"live\"", {{key_variable, test_key}}) ==
        "environment TILLD_ACCOUNT_MAIN_SECRET_KEY: this is a key for test mode (sk_test_…), but "
        "account.main.mode is \"live\": give a key for live mode or set mode = \"test\"");
  CHECK(load_text("account.main.mode = \"live\"", {{key_variable, live_key}}));
  CHECK(load_text("", {{key_variable, "rk_test_51Habc"}}));
}

TEST_CASE("a live key that may do everything has to be allowed") {
  const words environment = {{key_variable, "sk_live_51Habcdef"}};
  CHECK(error_of_text("account.main.mode = \"live\"", environment) ==
        "environment TILLD_ACCOUNT_MAIN_SECRET_KEY: a key sk_live_… may do everything with the "
        "account; make a restricted key (rk_live_…), or set account.main.allow_full_key = true");
  CHECK(load_text("[account.main]\nmode = \"live\"\nallow_full_key = true", environment));
}

TEST_CASE("a secret in the settings file is refused, and the line says where it belongs") {
  const struct {
    std::string toml;
    const char* place;
  } cases[] = {
      {"[account.main]\nsecret_key = \"" + test_key + "\"", "stripe_key"},
      {"[account.main]\nsecret_key = \"hunter2secret\"", "stripe_key"},
      {"[account.main]\nsecret_key_file = \"" + test_key + "\"", "stripe_key"},
      {"[account.main]\napi_version = \"" + test_key + "\"", "stripe_key"},
      {"[account.main]\nwebhook_secret = \"" + hook + "\"", "webhook_secret_files"},
      {"[account.main]\nwebhook_secret_files = [\"" + hook + "\"]", "webhook_secret_files"},
      {"[account.main]\nanything = \"" + hook + "\"", "webhook_secret_files"},
      {"[stripe]\nk = \"" + test_key + "\"", "section stripe"},
      {"stripe = \"" + test_key + "\"", "stripe_key"},
      {"[api]\nkey = \"" + test_key + "\"", "stripe_key"},
      {"[account.main]\nsecret_key = " + test_key, "secret_key_file"},
      {"[account.main]\nsecret_key = \"" + test_key, "secret_key_file"},
      {"[account.main]\nx = '''" + test_key, "secret_key_file"},
      {"[account.main]\n" + test_key + " = 1", "unknown setting account.main.sk_test_…"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.toml);
    const auto message = error_of_text(c.toml);
    CHECK_THAT(message, ContainsSubstring(c.place));
    CHECK_THAT(message, !ContainsSubstring("51Habc") && !ContainsSubstring("abcdefgh") &&
                            !ContainsSubstring("hunter2"));
  }
}

TEST_CASE("a secret on the command line or in another variable is refused without being repeated") {
  for (const auto& message : {error_of_text("", {}, {{"account.main.secret_key", test_key}}),
                              error_of_text("", {}, {{"account.main.webhook_secrets", hook}}),
                              error_of_text("", {}, {{"account.main.secret_key_file", test_key}}),
                              error_of_text("", {}, {{"data.directory", test_key}}),
                              error_of_text("", {{"TILLD_ACCOUNT_MAIN_SECRET_KEY_FILE", test_key}}),
                              error_of_text("", {{"TILLD_LOG_LEVEL", test_key}}),
                              error_of_text("", {{"TILLD_ACCOUNT_MAIN_KEY", test_key}})}) {
    CAPTURE(message);
    CHECK(message != "no error");
    CHECK_THAT(message, !ContainsSubstring("51Habc") && !ContainsSubstring("abcdefgh"));
  }
}

TEST_CASE("a secret does not print itself") {
  CHECK(secret().masked() == "(not set)");
  CHECK(secret("sk_test_51Habcdefghijklmnopwxyz").masked() == "sk_test_…wxyz");
  CHECK(secret(hook).masked() == "whsec_…2345");
  CHECK(secret("sk_test_sandbox").masked() == "sk_test_…");
  CHECK(secret("hunter2hunter2hunter2hunter2").masked() == "…");

  const auto s = load_text("", {{key_variable, test_key}, {hooks_variable, hook}});
  const auto text = show(*s);
  CHECK_THAT(text, ContainsSubstring("# secret key: sk_test_…wxyz\n") &&
                       ContainsSubstring("# webhook secret: whsec_…2345\n"));
  CHECK_THAT(text, !ContainsSubstring("51Habc") && !ContainsSubstring("abcdefgh"));
}

TEST_CASE("text for logs keeps no secret and no control character") {
  CHECK(presentable("a sk_live_abc, rk_test_x\"whsec_yy") == "a sk_live_…, rk_test_…\"whsec_…");
  CHECK(presentable("task_list risk_level") == "task_list risk_level");
  CHECK(presentable("a\nb\x01\x7f") == "a\\nb\\x01\\x7f");
  CHECK(presentable("é\xff") == "\\xc3\\xa9\\xff");
  CHECK(presentable("ééé", 3) == "éé…");
  CHECK(presentable("abc", 3) == "abc");
}
