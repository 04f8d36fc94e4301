// Over twenty thousand damaged events, headers and forms from one seed: nothing crashes, and what
// is accepted means to us what it means to an independent reader.
#include <array>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <openssl/hmac.h>

#include "samples.hpp"
#include "stripe/event.hpp"
#include "stripe/form.hpp"
#include "stripe/ids.hpp"
#include "stripe/signature.hpp"
#include "support/catch.hpp"

using namespace tilld;
using namespace tilld::stripe;
using nlohmann::json;

namespace {

constexpr std::uint64_t seed = 20'260'927;

class mutator {
 public:
  explicit mutator(std::uint64_t from) : random_(from) {}

  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  template <class List>
  const auto& one_of(const List& list) {
    return list[below(std::size(list))];
  }

  // One to four small damages.
  std::string damaged(std::string text, const std::vector<std::string>& dictionary) {
    for (std::size_t n = 1 + below(4); n > 0; --n)
      damage(text, dictionary);
    return text;
  }

 private:
  void damage(std::string& text, const std::vector<std::string>& dictionary) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = std::min(text.size() - at, below(24));
    switch (below(6)) {
      case 0:  // a bit
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      case 3:
        text.insert(at, one_of(dictionary));
        break;
      case 4:
        text.replace(at, length, one_of(dictionary));
        break;
      case 5:  // a piece of it, elsewhere
        text.insert(below(text.size() + 1), text.substr(at, length));
        break;
    }
  }

  std::mt19937_64 random_;
};

const std::vector<std::string> json_pieces{"{",
                                           "}",
                                           "[",
                                           "]",
                                           ",",
                                           ":",
                                           "\"",
                                           "\\",
                                           "null",
                                           "true",
                                           "-",
                                           "0",
                                           "1e400",
                                           "18446744073709551616",
                                           "\"id\":\"x\",",
                                           "\"object\":{},",
                                           "\"data\":{\"object\":{}},",
                                           "\"previous_attributes\":null,",
                                           "\\u0000",
                                           "\\ud800",
                                           "\\udc00",
                                           "\xff",
                                           "\xc3\xb6",
                                           "\xef\xbb\xbf",
                                           " ",
                                           "\t\r\n",
                                           "1.50",
                                           "\"customer\":{\"id\":\"cus_2\"},",
                                           std::string(70, '['),
                                           std::string(1, '\0')};

json random_value(mutator& m, int depth) {
  switch (m.below(depth > 0 ? 8 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return m.below(2) == 0;
    case 2:
      return static_cast<std::int64_t>(m.below(1'000'000)) - 500'000;
    case 3:
      return static_cast<double>(m.below(10'000)) / 7;
    case 4:
      return "text ö \" \\ \n 😀";
    case 5:
      return std::string(m.below(300), 'i');
    case 6: {
      json list = json::array();
      for (std::size_t n = m.below(4); n > 0; --n)
        list.push_back(random_value(m, depth - 1));
      return list;
    }
    default: {
      json object = json::object();
      static const std::vector<std::string> names{"id",    "object", "customer", "created",
                                                  "größe", "",       "a.b"};
      for (std::size_t n = m.below(5); n > 0; --n)
        object[m.one_of(names)] = random_value(m, depth - 1);
      return object;
    }
  }
}

// Damages the meaning and keeps the grammar.
std::string rewritten(mutator& m, const std::string& sample) {
  json whole = json::parse(sample);
  json* at = &whole;
  for (std::size_t steps = m.below(4); steps > 0 && at->is_structured() && !at->empty(); --steps) {
    auto next = at->begin();
    std::advance(next, m.below(at->size()));
    at = &*next;
  }
  if (at->is_object() && m.below(2) == 0) {
    static const std::vector<std::string> names{"id",      "object", "customer",
                                                "created", "new",    "data"};
    (*at)[m.one_of(names)] = random_value(m, 3);
  } else {
    *at = random_value(m, 3);
  }
  return whole.dump(static_cast<int>(m.below(4)) - 1, ' ', m.below(2) == 0);
}

json parsed_or_null(const std::string& text) {
  return text.empty() ? json() : json::parse(text);
}

std::string text_of(const json& from, const char* key) {
  return from.is_object() && from.contains(key) && from[key].is_string()
             ? from[key].get<std::string>()
             : "";
}

// What an accepted event must be, told by another parser.
void check_accepted(const std::string& raw, const event& e) {
  const json whole = json::parse(raw, nullptr, false);
  REQUIRE_FALSE(whole.is_discarded());
  REQUIRE(e.raw == raw);
  REQUIRE(valid_id(e.id));
  REQUIRE(e.id == text_of(whole, "id"));
  REQUIRE(e.type == text_of(whole, "type"));
  REQUIRE(e.livemode == whole["livemode"].get<bool>());
  REQUIRE(e.thin == (text_of(whole, "object") == "v2.core.event"));
  if (e.thin) {
    REQUIRE(e.object_json.empty());
    return;
  }
  REQUIRE(e.created_s >= 0);
  const json data = whole.value("data", json());
  const json object = data.is_object() ? data.value("object", json()) : json();
  const json previous = data.is_object() ? data.value("previous_attributes", json()) : json();
  REQUIRE(parsed_or_null(e.object_json) == object);
  REQUIRE(parsed_or_null(e.previous_json) == previous);
  REQUIRE(e.object_id == text_of(object, "id"));
  REQUIRE(e.object_name == text_of(object, "object"));
  REQUIRE((e.object_json.empty() || e.object_json.front() == '{'));

  const auto head = parse_object(e.object_json.empty() ? "{}" : e.object_json);
  REQUIRE(head.has_value());
  REQUIRE(head->id == e.object_id);
  REQUIRE(head->object_name == e.object_name);
  REQUIRE(head->owner_customer == e.owner_customer);
  REQUIRE(head->created_s == e.object_created_s);
  REQUIRE((e.object_json.empty() || head->json == e.object_json));
}

// Stripe's rule once more, in the plainest words: split, one-shot HMAC, compare as text.
signature_verdict reference_verdict(const std::string& header, const std::string& body,
                                    const std::vector<std::string>& secrets, std::int64_t now_s,
                                    std::int64_t tolerance_s) {
  if (header.empty()) return signature_verdict::missing;
  if (header.size() > 4096) return signature_verdict::malformed;
  std::vector<std::string> times;
  std::vector<std::string> signatures;
  for (std::size_t begin = 0; begin <= header.size();) {
    const std::size_t end = std::min(header.find(',', begin), header.size());
    const std::string item = header.substr(begin, end - begin);
    if (item.rfind("t=", 0) == 0) times.push_back(item.substr(2));
    if (item.rfind("v1=", 0) == 0) signatures.push_back(item.substr(3));
    begin = end + 1;
  }
  if (times.size() != 1 || signatures.empty() || signatures.size() > 16) {
    return signature_verdict::malformed;
  }
  const std::int64_t time = std::strtoll(times[0].c_str(), nullptr, 10);
  if (std::to_string(time) != times[0] || time < 0) return signature_verdict::malformed;
  bool matched = false;
  for (const auto& secret : secrets) {
    const std::string message = times[0] + "." + body;
    std::array<unsigned char, 32> mac{};
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(), mac.data(),
         nullptr);
    std::string hex;
    for (const unsigned char byte : mac) {
      hex += "0123456789abcdef"[byte / 16];
      hex += "0123456789abcdef"[byte % 16];
    }
    for (auto given : signatures) {
      for (char& c : given) {
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
      }
      matched = matched || given == hex;
    }
  }
  if (!matched) return signature_verdict::wrong;
  if (now_s - time > tolerance_s) return signature_verdict::too_old;
  if (time - now_s > tolerance_s) return signature_verdict::too_new;
  return signature_verdict::valid;
}

}  // namespace

TEST_CASE("a damaged event is refused or means what another parser says it means") {
  mutator m(seed);
  const std::vector<std::string> corpus{samples::subscription_updated, samples::customer_created,
                                        samples::invoice_upcoming, samples::thin};
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 14'000; ++i) {
    const std::string& sample = m.one_of(corpus);
    const std::string raw = i % 2 == 0 ? m.damaged(sample, json_pieces) : rewritten(m, sample);
    CAPTURE(seed, i, raw);
    const auto parsed = parse_event(raw);
    if (parsed) {
      ++accepted;
      check_accepted(raw, **parsed);
    } else {
      ++refused;
      REQUIRE(parsed.error().code == errc::invalid);
      REQUIRE(parsed.error().message.starts_with("event"));
    }
  }
  CHECK(accepted > 2'000);
  CHECK(refused > 3'000);
}

TEST_CASE("a damaged signature header gets the verdict of an independent verifier") {
  mutator m(seed + 1);
  const std::vector<std::string> secrets{"whsec_one", "whsec_two"};
  const std::vector<std::string> signers{"whsec_one", "whsec_two", "whsec_stranger"};
  const std::vector<std::string> pieces{",",
                                        "=",
                                        "t=",
                                        "v1=",
                                        "v0=",
                                        ",t=1700000000",
                                        ",v1=",
                                        "-",
                                        "+",
                                        "0",
                                        " ",
                                        "%2C",
                                        std::string(1, '\0'),
                                        "g",
                                        "9223372036854775808",
                                        std::string(4'100, ',')};
  const std::string body = R"({"id":"evt_1"})";
  std::array<int, 6> verdicts{};
  for (int i = 0; i < 4'000; ++i) {
    const std::int64_t now_s = 1'700'000'000;
    const std::int64_t time_s = now_s + static_cast<std::int64_t>(m.below(1'000)) - 500;
    std::vector<std::string> with;
    for (std::size_t n = 1 + m.below(3); n > 0; --n)
      with.push_back(m.one_of(signers));
    std::string header = sign(body, with, time_s);
    if (m.below(3) != 0) header = m.damaged(header, pieces);
    CAPTURE(seed, i, header);
    const auto verdict = verify_signature(header, body, secrets, now_s, 300);
    REQUIRE(verdict == reference_verdict(header, body, secrets, now_s, 300));
    ++verdicts[static_cast<std::size_t>(verdict)];
  }
  for (const auto verdict :
       {signature_verdict::valid, signature_verdict::malformed, signature_verdict::wrong,
        signature_verdict::too_old, signature_verdict::too_new}) {
    INFO(to_string(verdict));
    CHECK(verdicts[static_cast<std::size_t>(verdict)] > 50);
  }
}

TEST_CASE("a damaged form is refused or comes back the same when it is written again") {
  mutator m(seed + 2);
  const std::vector<std::string> corpus{
      "customer=cus_1&items[0][price]=price_1&items[0][quantity]=2&items[1][price]=price_2",
      "expand[]=data.customer&expand[]=data.items&limit=100&created[gte]=1700000000",
      "metadata[2024]=x&metadata[größe]=%C3%B6+%26&cancel_at_period_end=true&coupon=",
      "a[][b]=1&a[][c]=2&a[][b]=3&d%5Be%5D%5B0%5D=f"};
  const std::vector<std::string> pieces{"[",
                                        "]",
                                        "[]",
                                        "[0]",
                                        "[1]",
                                        "&",
                                        "=",
                                        "%",
                                        "%00",
                                        "%5B",
                                        "%5D",
                                        "+",
                                        "[a]",
                                        "\xff",
                                        "metadata[1]=",
                                        "items",
                                        "[999]",
                                        "[1000]",
                                        std::string(1, '\0')};
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 4'000; ++i) {
    const std::string body = m.damaged(m.one_of(corpus), pieces);
    CAPTURE(seed, i, body);
    const auto pairs = decode_form(body);
    if (!pairs) {
      ++refused;
      REQUIRE(pairs.error().code == errc::invalid);
      continue;
    }
    const auto again = decode_form(encode_form(*pairs));
    REQUIRE(again.has_value());
    REQUIRE(*again == *pairs);
    const auto value = form_to_json(*pairs);
    if (!value) {
      ++refused;
      REQUIRE(value.error().code == errc::invalid);
      continue;
    }
    ++accepted;
    const auto back = form_to_json(json_to_form(*value));
    REQUIRE(back.has_value());
    REQUIRE(*back == *value);
  }
  CHECK(accepted > 500);
  CHECK(refused > 500);
}
