// Each error is one line that says where, which key, which value, and what would be right.
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/settings.hpp"
#include "config/table.hpp"
#include "support.hpp"

using namespace tilld;
using namespace tilld::config;

TEST_CASE("a wrong value is answered with file, line, key, value and what would be right") {
  const struct {
    const char* toml;
    const char* message;
  } cases[] = {
      {"[api]\n\nworkers = 900",
       "tilld.toml:3: api.workers = 900: must be a whole number from 1 to 64"},
      {"[api]\nworkers = \"4\"",
       "tilld.toml:2: api.workers = \"4\": must be a whole number from 1 to 64"},
      {"[api]\nworkers = 1.5",
       "tilld.toml:2: api.workers = 1.5: must be a whole number from 1 to 64"},
      {"api.listen = \"localhost:80\"",
       "tilld.toml:1: api.listen = \"localhost:80\": must be an address and a port, like "
       "127.0.0.1:8455 or [::1]:8455 (no host names)"},
      {"[api]\nlisten = 8455",
       "tilld.toml:2: api.listen = 8455: must be a text in quotes: an address and a port, like "
       "127.0.0.1:8455 or [::1]:8455 (no host names)"},
      {"[api]\nlisten = 2020-01-01",
       "tilld.toml:2: api.listen = a date: must be a text in quotes: an address and a port, like "
       "127.0.0.1:8455 or [::1]:8455 (no host names)"},
      {"[api]\nhosts = \"localhost\"",
       "tilld.toml:2: api.hosts = \"localhost\": must be a list of host names or addresses without "
       "port, like [\"localhost\"], or [\"*\"] for any"},
      {"[api]\nhosts = [\"a:80\"]",
       "tilld.toml:2: api.hosts = [\"a:80\"]: must be a list of host names or addresses without "
       "port, like [\"localhost\"], or [\"*\"] for any"},
      {"[api]\nhosts = [1]",
       "tilld.toml:2: api.hosts = a list: must be a list of host names or addresses without port, "
       "like [\"localhost\"], or [\"*\"] for any"},
      {"[api]\nallow_remote = \"yes\"",
       "tilld.toml:2: api.allow_remote = \"yes\": must be true or false"},
      {"[api]\nallow_remote = {}",
       "tilld.toml:2: api.allow_remote = a table: must be true or false"},
      {"[log]\nlevel = \"loud\"",
       "tilld.toml:2: log.level = \"loud\": must be debug, info, warning or error"},
      {"[data]\ndirectory = \"\"", "tilld.toml:2: data.directory = \"\": must be a path"},
      {"[customers]\nuser_id_metadata = \"a[b]\"",
       "tilld.toml:2: customers.user_id_metadata = \"a[b]\": must be a metadata key of Stripe: 1 "
       "to "
       "40 characters, no blanks or brackets"},
      {"[account.main]\nmode = \"production\"",
       "tilld.toml:2: account.main.mode = \"production\": must be test or live"},
      {"[account.main]\nread_rate = inf",
       "tilld.toml:2: account.main.read_rate = inf: must be a number from 0 to 10000"},
      {"[account.main]\nread_rate = \"1\"",
       "tilld.toml:2: account.main.read_rate = \"1\": must be a number from 0 to 10000"},
      {"[account.main]\napi_version = \"latest\"",
       "tilld.toml:2: account.main.api_version = \"latest\": must be a version of Stripe's API, "
       "like 2025-03-31.basil, or nothing"},
      {"[account.main]\napi_url = \"http://api.stripe.com\"",
       "tilld.toml:2: account.main.api_url = \"http://api.stripe.com\": must be https://host or "
       "https://host:port without a slash at the end (http for this host only)"},
      {"api = 3", "tilld.toml:1: api = 3: must be a section, [api], given once"},
      {"[[api]]\nworkers = 3", "tilld.toml:1: api = a list: must be a section, [api], given once"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.toml);
    CHECK(error_of_text(c.toml) == c.message);
  }
}

TEST_CASE("a wrong value in a variable or a flag names the variable or the command line") {
  CHECK(error_of_text("", {{"TILLD_API_WORKERS", "many"}}) ==
        "environment TILLD_API_WORKERS: api.workers = \"many\": must be a whole number from 1 to "
        "64");
  CHECK(error_of_text("", {{"TILLD_API_WORKERS", ""}}) ==
        "environment TILLD_API_WORKERS: api.workers = \"\": must be a whole number from 1 to 64");
  CHECK(error_of_text("", {{"TILLD_API_WORKERS", "99999999999999999999"}}) ==
        "environment TILLD_API_WORKERS: api.workers = \"99999999999999999999\": must be a whole "
        "number from 1 to 64");
  CHECK(error_of_text("", {{"TILLD_API_ALLOW_REMOTE", "1"}}) ==
        "environment TILLD_API_ALLOW_REMOTE: api.allow_remote = \"1\": must be true or false");
  CHECK(error_of_text("", {}, {{"log.level", "x"}}) ==
        "command line: log.level = \"x\": must be debug, info, warning or error");
}

TEST_CASE("an unknown key is refused with the nearest known one") {
  CHECK(error_of_text("[api]\nlisen = \"127.0.0.1:1\"") ==
        "tilld.toml:2: unknown setting api.lisen; did you mean api.listen?");
  CHECK(error_of_text("[webhook]\nlisten = \"127.0.0.1:1\"") ==
        "tilld.toml:1: unknown section webhook; did you mean webhooks?");
  CHECK(error_of_text("[api]\ntolerance_s = 3") ==
        "tilld.toml:2: unknown setting api.tolerance_s; did you mean webhooks.tolerance_s?");
  CHECK(error_of_text("[api]\ncolour = 3") ==
        "tilld.toml:2: unknown setting api.colour; config/tilld.toml names all of them");
  CHECK(error_of_text("listen = 3") ==
        "tilld.toml:1: unknown setting listen; did you mean api.listen?");
  CHECK(error_of_text("[api.listen.more]\n\"we ird\\n\" = 1")
            .starts_with("tilld.toml:1: api.listen = a table: must be"));
  CHECK(error_of_text("[api]\n\"we ird\\n\" = 1")
            .starts_with("tilld.toml:2: unknown setting api.\"we ird\\n\";"));
  CHECK(error_of_text("[account.main]\napi_ulr = 3") ==
        "tilld.toml:2: unknown setting account.main.api_ulr; did you mean account.main.api_url?");
  CHECK(error_of_text("", {}, {{"api.port", "1"}})
            .starts_with("command line: unknown setting api.port; "));
}

TEST_CASE("an unknown variable that looks like a setting is refused with the nearest known one") {
  CHECK(error_of_text("", {{"TILLD_API_LISTN", "x"}}) ==
        "environment: unknown variable TILLD_API_LISTN; did you mean TILLD_API_LISTEN?");
  CHECK(error_of_text("", {{"TILLD_WEBHOOK_LISTEN", "x"}}) ==
        "environment: unknown variable TILLD_WEBHOOK_LISTEN; did you mean TILLD_WEBHOOKS_LISTEN?");
  CHECK(error_of_text("", {{"TILLD_ACCOUNT_MAIN_WEBHOOK_SECRET", "x"}}) ==
        "environment: unknown variable TILLD_ACCOUNT_MAIN_WEBHOOK_SECRET; did you mean "
        "TILLD_ACCOUNT_MAIN_WEBHOOK_SECRETS?");
  CHECK(error_of_text("", {{"TILLD_ACCOUNT_SHOP_MODE", "live"}}) ==
        "environment: unknown variable TILLD_ACCOUNT_SHOP_MODE: the account is \"main\", so its "
        "variables begin with TILLD_ACCOUNT_MAIN_");
}

TEST_CASE("what is wrong with accounts is told with their names") {
  CHECK(error_of_text("[account.main]\n[account.shop]\n",
                      {{"TILLD_ACCOUNT_MAIN_SECRET_KEY", "sk_test_0123456789"},
                       {"TILLD_ACCOUNT_SHOP_SECRET_KEY", "sk_test_0123456789"}}) ==
        "account.shop: has the same secret key as account.main; give each its own account of "
        "Stripe's, or take one away");
  CHECK(error_of_text("[account.main]\n[account.shop]\n",
                      {{"TILLD_ACCOUNT_WAREHOUSE_MODE", "live"}}) ==
        "environment: unknown variable TILLD_ACCOUNT_WAREHOUSE_MODE: the accounts are main, shop");
  CHECK(error_of_text("[account.main]\n[account.shop]\nmoed = \"live\"\n") ==
        "tilld.toml:3: unknown setting account.shop.moed; did you mean account.shop.mode?");
  CHECK(error_of_text("[account.\"Main Shop\"]\n") ==
        "tilld.toml:1: account \"Main Shop\": a name must be a-z, then a-z, 0-9 or _, 32 at most");
  CHECK(error_of_text("[account]\nmode = \"live\"\n") ==
        "tilld.toml:2: account.mode: settings of an account belong in [account.main]");
}

TEST_CASE("to be reached from other hosts has to be allowed") {
  CHECK(error_of_text("[api]\nlisten = \"0.0.0.0:8455\"") ==
        "tilld.toml:2: api.listen = \"0.0.0.0:8455\": is open to other hosts: listen on 127.0.0.1, "
        "or set api.allow_remote = true if that is meant");
  CHECK(error_of_text("", {{"TILLD_WEBHOOKS_LISTEN", "[::]:8456"}}) ==
        "environment TILLD_WEBHOOKS_LISTEN: webhooks.listen = \"[::]:8456\": is open to other "
        "hosts: listen on 127.0.0.1, or set webhooks.allow_remote = true if that is meant");
  CHECK(error_of_text("[api]\nlisten = \"0.0.0.0:8455\"\nallow_remote = true") == "no error");
  CHECK(error_of_text("[api]\nlisten = \"127.8.8.8:8455\"") == "no error");
  CHECK(error_of_text("[api]\nlisten = \"[::1]:8455\"") == "no error");
}

TEST_CASE("two listeners cannot have one address") {
  CHECK(error_of_text("[webhooks]\nlisten = \"127.0.0.1:8455\"") ==
        "tilld.toml:2: webhooks.listen = \"127.0.0.1:8455\": is the address of api.listen too; "
        "give each its own port");
  CHECK(error_of_text("[api]\nlisten = \"127.0.0.1:8456\"") ==
        "tilld.toml:2: api.listen = \"127.0.0.1:8456\": is the address of webhooks.listen too; "
        "give each its own port");
  CHECK(error_of_text("[webhooks]\nlisten = \"0.0.0.0:8455\"\nallow_remote = true") != "no error");
  CHECK(error_of_text("[webhooks]\nlisten = \"127.0.0.2:8455\"") == "no error");
  // Port 0: the kernel gives each its own.
  CHECK(error_of_text("[webhooks]\nlisten = \"127.0.0.1:0\"\n[api]\nlisten = \"127.0.0.1:0\"") ==
        "no error");
}

TEST_CASE("a settings file that cannot be read says why") {
  folder here;
  const auto from = [](const std::string& file) { return error_of(load({file, {}, {}})); };
  CHECK(from(here.path + "/none.toml") ==
        "settings: cannot read none.toml: No such file or directory");
  CHECK_THAT(load({here.path, {}, {}}).error().message,
             ContainsSubstring("it is a directory; name the file in it"));
  CHECK(from("~/tilld.toml") ==
        "settings: cannot read ~/tilld.toml: No such file or directory (~ "
        "is not expanded: write the whole path)");
  CHECK(from("/dev/null") == "settings: cannot read /dev/null: it is not a regular file");
  CHECK(from(here.file("big.toml", std::string((1 << 20) + 1, '\n'))) ==
        "settings: cannot read big.toml: it has more than 1048576 bytes");

  const std::string pipe = here.path + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(from(pipe) == "settings: cannot read pipe: it is not a regular file");
}

TEST_CASE("a settings file without permission says so") {
  folder here;
  REQUIRE(::chmod(here.path.c_str(), 0755) == 0);
  const auto file = here.file("tilld.toml", "", 0000);
  // Root may read anything; for the file system this thread is then somebody else for a moment.
  const bool root = ::geteuid() == 0;
  if (root) ::setfsuid(65534);
  const auto message = error_of(load({file, {}, {}}));
  if (root) ::setfsuid(0);
  CHECK(message == "settings: cannot read tilld.toml: Permission denied");
}

TEST_CASE("what is not TOML is refused with line and column") {
  CHECK_THAT(error_of_text("[api]\nlisten = \n"),
             ContainsSubstring("tilld.toml:2:") && ContainsSubstring("this is not TOML: "));
  CHECK_THAT(error_of_text("[api]\nworkers = 1\nworkers = 2\n"),
             ContainsSubstring("tilld.toml:3:") && ContainsSubstring("this is not TOML: "));
  CHECK_THAT(error_of_text("[api\n"), ContainsSubstring("tilld.toml:1:"));
  CHECK_THAT(error_of_text(std::string(2000, '[')), ContainsSubstring("tilld.toml:1:"));
}

TEST_CASE("what is not UTF-8 is refused with line and column") {
  const char* broken[] = {"\xff",     "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xe2\x82", "\x80"};
  for (const char* bytes : broken) {
    CHECK(error_of_text("[api]\n# é" + std::string(bytes)) ==
          "tilld.toml:2:4: this is not UTF-8 text");
  }
  CHECK(error_of_text("# é € 😀\n") == "no error");
  CHECK(error_of_text("\xef\xbb\xbf[api]\nworkers = 2\n") == "no error");
}
