#include <algorithm>

#include <rapidcheck.h>

#include "config/files.hpp"
#include "config/secrets.hpp"
#include "config/settings.hpp"
#include "config/table.hpp"
#include "support.hpp"

using namespace tilld;
using namespace tilld::config;

namespace {

using texts = std::vector<std::string>;

rc::Gen<value> of_texts(texts choices) {
  return rc::gen::map(rc::gen::elementOf(std::move(choices)),
                      [](std::string s) { return value(std::move(s)); });
}

// Any value a row takes, as far as it needs no other setting to change with it.
rc::Gen<value> value_for(const row& r, const std::string& secret_file) {
  const settings defaults;
  const account_settings account;
  const value now = read(r, defaults, account);
  if (std::holds_alternative<bool>(now)) {
    return rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return value(b); });
  }
  if (std::holds_alternative<std::int64_t>(now)) {
    return rc::gen::map(rc::gen::inRange(r.least, r.most + 1),
                        [](std::int64_t n) { return value(n); });
  }
  if (std::holds_alternative<double>(now)) {
    return rc::gen::map(
        rc::gen::inRange<std::int64_t>(0, 10'000'000),
        [](std::int64_t thousandths) { return value(static_cast<double>(thousandths) / 1000.0); });
  }
  if (r.name == "listen") {
    const std::string host = r.section == "api" ? "127.0.0.1" : "[::1]";
    return rc::gen::map(rc::gen::inRange(0, 65536),
                        [host](int port) { return value(host + ":" + std::to_string(port)); });
  }
  if (r.name == "hosts") {
    return rc::gen::map(
        rc::gen::container<texts>(
            rc::gen::element<std::string>("localhost", "a.example", "*", "::1")),
        [](texts hosts) {
          return value(texts(hosts.begin(),
                             hosts.begin() + std::min<std::ptrdiff_t>(64, std::ssize(hosts))));
        });
  }
  if (r.name == "webhook_secret_files") return rc::gen::just(value(texts{}));
  if (r.name == "secret_key_file") return of_texts({"", secret_file});
  if (r.name == "directory") return of_texts({"./data", "/var/lib/t", "a \"quoted\\ é", "b\u0085"});
  if (r.name == "user_id_metadata") return of_texts({"user_id", "a\"b\\c", "x"});
  if (r.name == "level") return of_texts({"debug", "info", "warning", "error"});
  if (r.name == "mode") return of_texts({"test"});
  if (r.name == "api_url") return of_texts({"https://a.example:1", "http://localhost:12111"});
  return of_texts({"", "2020-08-27", "2025-03-31.basil"});  // api_version
}

bool same(const settings& a, const settings& b) {
  return std::ranges::all_of(table(), [&](const row& r) {
    return read(r, a, a.accounts.at("main")) == read(r, b, b.accounts.at("main"));
  });
}

}  // namespace

TEST_CASE("what show() writes loads again to the same settings") {
  folder here;
  const auto key = here.file("key", "sk_test_abcdefghijklmnopqrstuvwxyz");
  REQUIRE(rc::check([&] {
    settings s;
    account_settings account;
    for (const row& r : table()) {
      RC_ASSERT(write(r, s, account, *value_for(r, key)).has_value());
    }
    s.accounts.emplace("main", account);

    const auto loaded = load({here.file("tilld.toml", show(s)), {}, {}});
    if (!loaded) RC_FAIL(loaded.error().message);
    RC_ASSERT(same(s, *loaded));
    // Once more, now with the secrets that were loaded.
    RC_ASSERT(show(*loaded).find("abcdefgh") == std::string::npos);
    RC_ASSERT(show(*load({here.file("tilld.toml", show(*loaded)), {}, {}})) == show(*loaded));
  }));
}

TEST_CASE("a value means the same in the file, in a variable and in a flag") {
  REQUIRE(rc::check([] {
    const row& r = table()[*rc::gen::inRange<std::size_t>(0, table().size())];
    const value v = *value_for(r, "");
    std::string text = to_toml(v);
    if (const auto* s = std::get_if<std::string>(&v)) text = *s;
    if (const auto* list = std::get_if<texts>(&v)) {
      text.clear();
      for (const auto& one : *list)
        text += (text.empty() ? "" : ",") + one;
    }
    const auto parsed = parse(r, text);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == v);
  }));
}

TEST_CASE("no bytes in a settings file end the process or put a second line into the error") {
  folder here;
  const std::string seed =
      "[api]\nlisten = \"127.0.0.1:1\"\nhosts = [\"a\", 'b']\n[account.main]\n";
  REQUIRE(rc::check([&] {
    std::string text = seed;
    const int edits = *rc::gen::inRange(1, 8);
    for (int i = 0; i < edits; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
      const auto bytes = *rc::gen::container<std::string>(rc::gen::oneOf(
          rc::gen::arbitrary<char>(), rc::gen::elementOf(std::string("[]{}=\"'.#\n,"))));
      text.insert(at, bytes);
    }
    const auto loaded = load({here.file("tilld.toml", text), {}, {}});
    if (!loaded) {
      RC_ASSERT(loaded.error().message.find_first_of("\n\r\t") == std::string::npos);
      RC_ASSERT(loaded.error().message.size() < 5000);
    }
  }));
}

TEST_CASE("wherever a key stands in a settings file, no error repeats it") {
  folder here;
  const std::string key = "sk_live_51HabcdefghijklmnopqrstuvwXYZ";
  REQUIRE(rc::check([&] {
    const auto quote = *rc::gen::element<std::string>("\"", "'", "", "\"\"\"", "[\"", "\"\n");
    const auto name = *rc::gen::element<std::string>("secret_key", "secret_key_file", "mode",
                                                     "api_url", "webhook_secret_files", "x", "");
    const auto section = *rc::gen::element<std::string>("[account.main]", "[api]", "", "[stripe]");
    const auto file = section + "\n" + name + " = " + quote + key + quote + "\n";
    const auto loaded = load({here.file("tilld.toml", file), {}, {}});
    RC_ASSERT(!loaded.has_value());
    RC_ASSERT(loaded.error().message.find("51Habc") == std::string::npos);
  }));
}
