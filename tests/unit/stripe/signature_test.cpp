#include "stripe/signature.hpp"

#include <string>
#include <vector>

#include <rapidcheck.h>

#include "support/catch.hpp"

using tilld::stripe::sign;
using tilld::stripe::signature_verdict;
using tilld::stripe::verify_signature;

namespace {

const std::string secret = "whsec_test_secret";
const std::string old_secret = "whsec_old_secret";
const std::string body = R"({"id":"evt_1","object":"event"})";
constexpr std::int64_t signed_at = 1'700'000'000;
constexpr std::int64_t tolerance = 300;

// Each from: printf '%s' "<t>.<body>" | openssl dgst -sha256 -hmac <secret>
const std::string good = "0c8670ed117751cc551a20e35839447075c42800ea3cf3e8a2fbda99cd1e6edd";
const std::string by_old = "921476aa6febf6d11353fcee45246000c9edf7b3938ae2d09a2d6ea5cb98d9db";
const std::string at_zero = "6f78a1ad44d96b81df178c955f03f5ff8e3aa2e05665bbd8ad2bf0adda0d1a66";
const std::string in_ms = "937b08223c9805696b6e8c6cedaafe8752f1969efd7caa4ec2ff15d0083d67b6";
const std::string at_last = "77f11db00fa47ac3edebd6342af454b90fb1d734e435e369544431e8302ec8af";
const std::string of_nothing = "316b9ab98c15bfa039d243f3196acee619cf29749a91a634e6a8154e2f7b6727";
const std::string of_bom = "c3a133cb102f9130a9a601cde892e02319f1a3ab1f1157bbf1a33a373157c628";
const std::string of_gzip = "a0c6a5584692a6fa0b0f080d766a902cd03625371f97420d64bb1246dc03a32a";
const std::string of_4096_a = "60f6fe37532a431aba8927626c32b85bb750183bcf02195cde17ad7ad24021bc";
const std::string by_bare_secret =
    "0fb54d9a35d072623dc9c03143395360f9abb724c46b8d837a63aa8d704baede";
// With a key of no bytes, which openssl dgst refuses; from Python's hmac module.
const std::string by_no_secret = "0d17fe88d3c7334149a7322db918de47cc9f5bd15de2bd0a2de56250f2ed247b";

std::string upper(std::string hex) {
  for (char& c : hex) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  return hex;
}

std::string repeat(const std::string& part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += part;
  return all;
}

signature_verdict judge(const std::string& header, const std::string& text = body,
                        const std::vector<std::string>& secrets = {secret},
                        std::int64_t now_s = signed_at) {
  return verify_signature(header, text, secrets, now_s, tolerance);
}

}  // namespace

TEST_CASE("a signature header is judged by what it says") {
  using enum signature_verdict;
  const std::string wrong_hex(64, 'a');
  const std::string others = repeat(",v1=" + wrong_hex, 15);
  struct row {
    const char* what;
    std::string header;
    signature_verdict expected;
  };
  const std::vector<row> table{
      {"as Stripe sends it", "t=1700000000,v1=" + good, valid},
      {"the scheme before the time", "v1=" + good + ",t=1700000000", valid},
      {"a test event has a v0 besides", "t=1700000000,v1=" + good + ",v0=" + wrong_hex, valid},
      {"an unknown scheme besides", "t=1700000000,v2=x,v1=" + good, valid},
      {"an item without =", "t=1700000000,hello,v1=" + good, valid},
      {"a trailing comma", "t=1700000000,v1=" + good + ",", valid},
      {"two signatures, the first right", "t=1700000000,v1=" + good + ",v1=" + wrong_hex, valid},
      {"two signatures, the last right", "t=1700000000,v1=" + wrong_hex + ",v1=" + good, valid},
      {"sixteen, the last right", "t=1700000000" + others + ",v1=" + good, valid},
      {"upper-case hex digits", "t=1700000000,v1=" + upper(good), valid},

      {"no header", "", missing},
      {"only the time", "t=1700000000", malformed},
      {"no time", "v1=" + good, malformed},
      {"only v0", "t=1700000000,v0=" + good, malformed},
      {"an empty time", "t=,v1=" + good, malformed},
      {"the time twice, the same", "t=1700000000,t=1700000000,v1=" + good, malformed},
      {"two headers folded into one", "t=1700000000,v1=" + good + ",t=1700000001,v1=" + good,
       malformed},
      {"a negative time", "t=-1700000000,v1=" + good, malformed},
      {"a plus sign", "t=+1700000000,v1=" + good, malformed},
      {"an exponent", "t=1e9,v1=" + good, malformed},
      {"a fraction", "t=1700000000.0,v1=" + good, malformed},
      {"a leading zero", "t=01700000000,v1=" + good, malformed},
      {"a leading blank", "t= 1700000000,v1=" + good, malformed},
      {"a trailing blank", "t=1700000000 ,v1=" + good, malformed},
      {"2^63 seconds", "t=9223372036854775808,v1=" + good, malformed},
      {"a NUL in the time", "t=17000" + std::string(1, '\0') + "00000,v1=" + good, malformed},
      {"percent-encoded commas", "t=1700000000%2Cv1=" + good, malformed},
      {"seventeen signatures", "t=1700000000,v1=" + good + others + ",v1=" + wrong_hex, malformed},
      {"16 KB of header", "t=1700000000,v1=" + good + ",x=" + std::string(16'384, 'x'), malformed},
      {"separators only", ",,,=,", malformed},
      {"blank after the comma hides v1", "t=1700000000, v1=" + good, malformed},
      {"a capital V1", "t=1700000000,V1=" + good, malformed},

      {"an empty v1", "t=1700000000,v1=", wrong},
      {"63 digits", "t=1700000000,v1=" + good.substr(1), wrong},
      {"65 digits", "t=1700000000,v1=" + good + "0", wrong},
      {"62 digits", "t=1700000000,v1=" + good.substr(2), wrong},
      {"128 digits", "t=1700000000,v1=" + good + good, wrong},
      {"not hex", "t=1700000000,v1=g" + good.substr(1), wrong},
      {"a NUL in the signature", "t=1700000000,v1=" + good.substr(1) + std::string(1, '\0'), wrong},
      {"a blank in the signature", "t=1700000000,v1= " + good, wrong},
      {"one bit off", "t=1700000000,v1=1" + good.substr(1), wrong},
      {"another time than was signed", "t=1700000001,v1=" + good, wrong},
      {"signed with no secret at all", "t=1700000000,v1=" + by_no_secret, wrong},
      {"signed without the whsec_", "t=1700000000,v1=" + by_bare_secret, wrong},
      {"another endpoint's secret", "t=1700000000,v1=" + by_old, wrong},

      {"milliseconds", "t=1700000000000,v1=" + in_ms, too_new},
      {"the last moment there is", "t=9223372036854775807,v1=" + at_last, too_new},
      {"1970", "t=0,v1=" + at_zero, too_old},
      {"a wrong signature of 1970 is wrong before it is old", "t=0,v1=" + good, wrong},
  };
  for (const auto& r : table) {
    INFO(r.what);
    CHECK(judge(r.header) == r.expected);
  }
}

TEST_CASE("five minutes either way are in time, a second more is not") {
  using enum signature_verdict;
  const std::string header = "t=1700000000,v1=" + good;
  CHECK(judge(header, body, {secret}, signed_at + 299) == valid);
  CHECK(judge(header, body, {secret}, signed_at + 300) == valid);
  CHECK(judge(header, body, {secret}, signed_at + 301) == too_old);
  CHECK(judge(header, body, {secret}, signed_at - 299) == valid);
  CHECK(judge(header, body, {secret}, signed_at - 300) == valid);
  CHECK(judge(header, body, {secret}, signed_at - 301) == too_new);
  const std::vector<std::string> secrets{secret};
  CHECK(verify_signature(header, body, secrets, signed_at, 0) == valid);
  CHECK(verify_signature(header, body, secrets, signed_at + 1, 0) == too_old);
}

TEST_CASE("while a secret is rolled, the old and the new one both count") {
  using enum signature_verdict;
  const std::string by_both = "t=1700000000,v1=" + good + ",v1=" + by_old;
  const std::string by_new = "t=1700000000,v1=" + good;
  const std::string by_previous = "t=1700000000,v1=" + by_old;
  CHECK(judge(by_both, body, {secret, old_secret}) == valid);
  CHECK(judge(by_both, body, {old_secret}) == valid);
  CHECK(judge(by_new, body, {old_secret, secret}) == valid);
  CHECK(judge(by_new, body, {secret, old_secret}) == valid);
  CHECK(judge(by_previous, body, {secret, old_secret}) == valid);
  CHECK(judge(by_previous, body, {old_secret}) == valid);
  CHECK(judge(by_previous, body, {secret}) == wrong);
}

TEST_CASE("an empty secret and no secret match nothing") {
  using enum signature_verdict;
  const std::string forged = "t=1700000000,v1=" + by_no_secret;
  CHECK(judge(forged, body, {""}) == wrong);
  CHECK(judge(forged, body, {}) == wrong);
  CHECK(judge(forged, body, {"", secret}) == wrong);
  CHECK(judge("t=1700000000,v1=" + good, body, {"", secret}) == valid);
  CHECK(judge("t=1700000000,v1=" + good, body, {secret + "\n"}) == wrong);
}

TEST_CASE("the signature is over the body byte for byte") {
  using enum signature_verdict;
  const std::string header = "t=1700000000,v1=" + good;
  CHECK(judge(header, body + " ") == wrong);
  CHECK(judge(header, body.substr(1)) == wrong);
  CHECK(judge(header, "\xef\xbb\xbf" + body) == wrong);
  CHECK(judge(header, R"({"object":"event","id":"evt_1"})") == wrong);
  CHECK(judge(header, R"({"id": "evt_1", "object": "event"})") == wrong);
  CHECK(judge(header, "") == wrong);
  CHECK(judge("t=1700000000,v1=" + of_nothing, "") == valid);
  CHECK(judge("t=1700000000,v1=" + of_bom, "\xef\xbb\xbf" + body) == valid);
  CHECK(judge("t=1700000000,v1=" + of_4096_a, std::string(4096, 'a')) == valid);

  static constexpr unsigned char gzip[] = {
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56,
      0xca, 0x4c, 0x51, 0xb2, 0x52, 0x4a, 0x2d, 0x2b, 0x89, 0x37, 0x54, 0xd2,
      0x51, 0xca, 0x4f, 0xca, 0x4a, 0x4d, 0x2e, 0x01, 0x0b, 0xa4, 0xe6, 0x95,
      0x28, 0xd5, 0x02, 0x00, 0x89, 0x25, 0x9f, 0x91, 0x1f, 0x00, 0x00, 0x00};
  const std::string packed(reinterpret_cast<const char*>(gzip), sizeof gzip);
  CHECK(judge("t=1700000000,v1=" + of_gzip, packed) == valid);
  CHECK(judge(header, packed) == wrong);
}

TEST_CASE("what a sender signs is what Stripe would have sent") {
  const std::vector<std::string> one{secret};
  const std::vector<std::string> both{secret, old_secret};
  CHECK(sign(body, one, signed_at) == "t=1700000000,v1=" + good);
  CHECK(sign(body, both, signed_at) == "t=1700000000,v1=" + good + ",v1=" + by_old);
  CHECK(sign("", one, signed_at) == "t=1700000000,v1=" + of_nothing);
}

TEST_CASE("every verdict has its name") {
  using tilld::stripe::to_string;
  CHECK(std::string(to_string(signature_verdict::valid)) == "valid");
  CHECK(std::string(to_string(signature_verdict::missing)) == "missing");
  CHECK(std::string(to_string(signature_verdict::malformed)) == "malformed");
  CHECK(std::string(to_string(signature_verdict::wrong)) == "wrong");
  CHECK(std::string(to_string(signature_verdict::too_old)) == "too_old");
  CHECK(std::string(to_string(signature_verdict::too_new)) == "too_new");
}

TEST_CASE("what is signed verifies, and with one byte changed it does not") {
  // More secrets than a thread keeps keyed, so that they push each other out.
  REQUIRE(rc::check([](const std::string& text, std::uint8_t which, std::uint32_t time) {
    const std::vector<std::string> secrets{"whsec_" + std::to_string(which % 40)};
    const std::string header = sign(text, secrets, time);
    RC_ASSERT(verify_signature(header, text, secrets, time, 0) == signature_verdict::valid);

    std::string changed = text;
    changed.push_back('x');
    RC_ASSERT(verify_signature(header, changed, secrets, time, 0) == signature_verdict::wrong);
    if (!text.empty()) {
      changed = text;
      const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
      changed[at] = static_cast<char>(changed[at] ^ 1);
      RC_ASSERT(verify_signature(header, changed, secrets, time, 0) == signature_verdict::wrong);
    }
    const std::vector<std::string> others{"whsec_" + std::to_string(which % 40 + 1)};
    RC_ASSERT(verify_signature(header, text, others, time, 0) == signature_verdict::wrong);
  }));
}
