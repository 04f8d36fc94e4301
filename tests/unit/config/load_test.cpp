#include "config/settings.hpp"
#include "config/table.hpp"
#include "support.hpp"

using namespace tilld;
using namespace tilld::config;

TEST_CASE("without any settings everything has its default and there is an account main") {
  const auto s = load({});
  REQUIRE(s);
  CHECK(s->data.directory == "./data");
  CHECK(s->api.listen == "127.0.0.1:8455");
  CHECK(s->webhooks.listen == "127.0.0.1:8456");
  CHECK(s->webhooks.hosts == std::vector<std::string>{"*"});
  REQUIRE(s->accounts.size() == 1);
  const auto& main = s->accounts.at("main");
  CHECK(main.name == "main");
  CHECK_FALSE(main.live);
  CHECK(main.api_url == "https://api.stripe.com");
  CHECK(main.key.empty());
  CHECK(main.webhook_secrets.empty());
}

TEST_CASE("under systemd the data directory is the first state directory") {
  CHECK(load({"", {{"STATE_DIRECTORY", "/var/lib/tilld"}}, {}})->data.directory ==
        "/var/lib/tilld");
  CHECK(load({"", {{"STATE_DIRECTORY", "/a:/b"}}, {}})->data.directory == "/a");
  CHECK(load({"", {{"STATE_DIRECTORY", "/a"}}, {{"data.directory", "/c"}}})->data.directory ==
        "/c");
}

TEST_CASE(
    "a flag goes before a variable, a variable before the file, the file before the default") {
  const std::string file = "[api]\nlisten = \"127.0.0.1:1001\"\n";
  const words variable = {{"TILLD_API_LISTEN", "127.0.0.1:1002"}};
  const words flag = {{"api.listen", "127.0.0.1:1003"}};
  CHECK(load_text("")->api.listen == "127.0.0.1:8455");
  CHECK(load_text(file)->api.listen == "127.0.0.1:1001");
  CHECK(load_text(file, variable)->api.listen == "127.0.0.1:1002");
  CHECK(load_text(file, variable, flag)->api.listen == "127.0.0.1:1003");
  CHECK(load_text(file, {}, flag)->api.listen == "127.0.0.1:1003");
}

TEST_CASE("settings of the account come from its section, its variables and its flags") {
  const std::string file = "[account.shop]\nmode = \"live\"\nread_rate = 7\n";
  const auto s = load_text(file, {{"TILLD_ACCOUNT_SHOP_API_URL", "https://stripe.example:444"}},
                           {{"account.shop.most_in_flight", "5"}});
  REQUIRE(s);
  const auto& shop = s->accounts.at("shop");
  CHECK(shop.name == "shop");
  CHECK(shop.live);
  CHECK(shop.read_rate == 7.0);
  CHECK(shop.api_url == "https://stripe.example:444");
  CHECK(shop.most_in_flight == 5);
}

TEST_CASE("several accounts have each their own settings and secrets") {
  const std::string file = "[account.main]\nmode = \"live\"\n[account.shop]\nread_rate = 3\n";
  const auto s = load_text(file,
                           {{"TILLD_ACCOUNT_MAIN_READ_RATE", "9"},
                            {"TILLD_ACCOUNT_MAIN_SECRET_KEY", "rk_live_0123456789"},
                            {"TILLD_ACCOUNT_SHOP_SECRET_KEY", "sk_test_0123456789"}},
                           {{"account.third.most_in_flight", "2"}});
  REQUIRE(s);
  REQUIRE(s->accounts.size() == 3);
  CHECK(s->accounts.at("main").live);
  CHECK(s->accounts.at("main").read_rate == 9.0);
  CHECK(s->accounts.at("main").key.reveal() == "rk_live_0123456789");
  CHECK_FALSE(s->accounts.at("shop").live);
  CHECK(s->accounts.at("shop").read_rate == 3.0);
  CHECK(s->accounts.at("shop").key.reveal() == "sk_test_0123456789");
  CHECK(s->accounts.at("third").most_in_flight == 2);
  CHECK(s->accounts.at("third").name == "third");
  CHECK(s->accounts.at("third").key.empty());
}

TEST_CASE("a variable writes a list with commas and a flag as true or false") {
  const auto s = load_text("", {{"TILLD_API_HOSTS", "localhost, till.example.com,::1"},
                                {"TILLD_API_ALLOW_REMOTE", "true"},
                                {"TILLD_ACCOUNT_MAIN_WRITE_RATE", "2.5"}});
  REQUIRE(s);
  CHECK(s->api.hosts == std::vector<std::string>{"localhost", "till.example.com", "::1"});
  CHECK(s->api.allow_remote);
  CHECK(s->accounts.at("main").write_rate == 2.5);
}

TEST_CASE("variables of other programs and of the tests are not settings") {
  CHECK(load_text("", {{"TILLD_PROPERTY_FACTOR", "9"}, {"PATH", "/bin"}, {"TILLD_KILLS", "3"}}));
}

TEST_CASE("every setting can be given in the file, as a variable and as a flag") {
  for (const row& r : table()) {
    const settings defaults;
    const account_settings account;
    value v = read(r, defaults, account);
    if (r.name == "directory") v = std::string("/d");
    const std::string toml = to_toml(v);
    std::string text = toml;
    if (const auto* s = std::get_if<std::string>(&v)) text = *s;
    if (const auto* list = std::get_if<std::vector<std::string>>(&v)) {
      text.clear();
      for (const auto& one : *list)
        text += (text.empty() ? "" : ",") + one;
    }
    CAPTURE(r.key("main"), text);
    const auto key = r.key("main");
    const auto section = key.substr(0, key.rfind('.'));
    CHECK(error_of_text("[" + section + "]\n" + std::string(r.name) + " = " + toml + "\n") ==
          "no error");
    CHECK(error_of_text("", {{r.variable("main"), text}}) == "no error");
    CHECK(error_of_text("", {}, {{key, text}}) == "no error");
  }
}

TEST_CASE("numbers are taken at their bounds and refused one beyond") {
  for (const row& r : table()) {
    if (r.least == 0 && r.most == 0) continue;
    CAPTURE(r.key("main"));
    const auto with = [&](std::int64_t number) {
      return load_text("", {}, {{r.key("main"), std::to_string(number)}}).has_value();
    };
    CHECK(with(r.least));
    CHECK(with(r.most));
    CHECK_FALSE(with(r.least - 1));
    CHECK_FALSE(with(r.most + 1));
  }
}

TEST_CASE("the description of settings names each key once, with variable, default and a line") {
  std::map<std::string, int> seen;
  for (const setting& d : describe()) {
    CAPTURE(d.key);
    CHECK(++seen[d.key] == 1);
    CHECK(d.variable == as_variable("tilld." + d.key));
    CHECK_FALSE(d.type.empty());
    CHECK_FALSE(d.default_value.empty());
    CHECK(d.doc.size() > 10);
    CHECK(d.doc.ends_with('.'));
  }
  CHECK(seen.size() == table().size());
}

TEST_CASE("relative secret files lie beside the settings file that names them") {
  folder here;
  here.file("keys/stripe", "sk_test_abcdefgh\n");
  const auto file = here.file("tilld.toml", "[account.main]\nsecret_key_file = \"keys/stripe\"\n");
  const auto s = load({file, {}, {}});
  REQUIRE(s);
  CHECK(s->accounts.at("main").key.reveal() == "sk_test_abcdefgh");
  CHECK(s->accounts.at("main").secret_key_file == here.path + "/keys/stripe");
}

TEST_CASE("config check is told what will not do for long") {
  const auto has = [](const settings& s, const std::string& part) {
    for (const auto& line : warnings(s)) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  };
  auto s = *load({});
  CHECK(warnings(s).size() == 2);
  CHECK(has(s, "no secret key is set"));
  CHECK(has(s, "no webhook secret is set"));

  auto& main = s.accounts.at("main");
  main.key = secret("sk_test_abcdefgh");
  main.webhook_secrets = {secret("whsec_abcdefgh")};
  CHECK(warnings(s).empty());

  s.api.listen = "0.0.0.0:8455";
  s.api.allow_remote = true;
  CHECK(has(s, "tokens travel unencrypted"));
  CHECK(has(s, "api.hosts"));
  s.api.hosts.emplace_back("till.example.com");
  CHECK_FALSE(has(s, "api.hosts"));
  s.webhooks.listen = "[::]:8456";
  CHECK(has(s, "https only"));

  main.live = true;
  main.key = secret("sk_live_abcdefgh");
  CHECK(has(s, "restricted key"));
  main.api_url = "https://stripe.example.com";
  CHECK(has(s, "sent to stripe.example.com"));
}
