// A seeded fuzzer that runs with every build: heads that are nearly right, mutated.
#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "http/head_parser.hpp"
#include "support/catch.hpp"

using namespace tilld::http;

namespace {

const std::vector<std::string> corpus = {
    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "POST /v1/customers?expand[]=a HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 3\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nIdempotency-Key: k\r\n\r\na=b",
    "HEAD /a%20b/c HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
    "\r\nDELETE /x HTTP/1.1\r\nHost: a\r\nStripe-Signature: t=1,v1=ab\r\nX: \t\r\n\r\nGET /",
};

const std::vector<std::string> splinters = {"\r\n",
                                            "\n",
                                            "\r",
                                            "\r\n\r\n",
                                            " ",
                                            "\t",
                                            ":",
                                            "%",
                                            "%00",
                                            "%2e",
                                            "/../",
                                            "?",
                                            "#",
                                            "_",
                                            std::string(1, '\0'),
                                            "\xff",
                                            "Content-Length: 5\r\n",
                                            "Host: b\r\n",
                                            "Transfer-Encoding: chunked\r\n",
                                            " HTTP/1.1",
                                            "HTTP/2.0",
                                            std::string(300, 'a'),
                                            "Content-Encoding: gzip\r\n",
                                            "Expect: x\r\n",
                                            "Connection: close\r\n"};

std::string mutated(std::mt19937_64& chance) {
  const auto pick = [&](std::size_t count) { return static_cast<std::size_t>(chance() % count); };
  std::string text = corpus[pick(corpus.size())];
  for (std::size_t n = pick(5); n > 0; --n) {
    const std::size_t at = pick(text.size() + 1);
    switch (pick(5)) {
      case 0:
        text.insert(at, splinters[pick(splinters.size())]);
        break;
      case 1:
        text.erase(at, pick(8));
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(chance());
        break;
      case 3:
        text.insert(at, text.substr(pick(text.size() + 1), pick(40)));
        break;
      default:
        text.resize(at);
        break;
    }
    if (text.empty()) text.push_back('G');
  }
  return text;
}

// A copy that ends where its page of the heap says so: AddressSanitizer sees every read past it.
struct exact_copy {
  explicit exact_copy(std::string_view text)
      : bytes(std::make_unique<char[]>(text.size())), size(text.size()) {
    std::memcpy(bytes.get(), text.data(), size);
  }
  std::string_view view() const { return {bytes.get(), size}; }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

bool within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

std::string described(const head_result& result) {
  if (std::holds_alternative<incomplete>(result)) return "incomplete";
  if (const auto* bad = std::get_if<refusal>(&result)) {
    return std::to_string(bad->status) + std::string(bad->code) + std::string(bad->message);
  }
  const auto& h = std::get<head>(result);
  std::string text = std::string(h.verb) + ' ' + std::string(h.target) + ' ' +
                     std::to_string(h.content_length) + ' ' + std::to_string(h.bytes) + ' ' +
                     std::to_string(h.keep_alive) + std::to_string(h.expects_continue) +
                     std::string(h.host);
  for (const auto& [name, value] : h.headers) {
    text.append("|").append(name).append("=").append(value);
  }
  return text;
}

bool invariants_hold(std::string_view bytes, const head_limits& limits) {
  const auto result = parse_head(bytes, limits);
  if (const auto* h = std::get_if<head>(&result)) {
    bool good = h->bytes <= bytes.size() && h->bytes <= limits.head_bytes &&
                bytes.substr(0, h->bytes).ends_with("\r\n\r\n") &&
                h->headers.size() <= limits.headers && h->target.starts_with('/') &&
                h->content_length <= limits.body_bytes && within(h->verb, bytes) &&
                within(h->target, bytes) && within(h->host, bytes);
    for (const auto& [name, value] : h->headers) {
      good = good && within(name, bytes) && within(value, bytes) && !name.empty() &&
             name.find_first_of(" \t\r\n:_") == std::string_view::npos &&
             value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
    }
    return good;
  }
  if (const auto* bad = std::get_if<refusal>(&result)) {
    return bad->status >= 400 && bad->status < 600 && !bad->code.empty() && !bad->message.empty();
  }
  return bytes.size() < limits.head_bytes;  // more bytes may wait only below the limit
}

}  // namespace

TEST_CASE("no bytes make the parser break its promises") {
  std::mt19937_64 chance(20'240'817);
  const head_limits usual;
  const head_limits tight{
      .head_bytes = 256, .headers = 4, .path_bytes = 32, .target_bytes = 64, .body_bytes = 10};
  int heads = 0;
  for (int i = 0; i < 100'000; ++i) {
    const exact_copy input(mutated(chance));
    const bool good = invariants_hold(input.view(), i % 2 == 0 ? usual : tight);
    if (!good) {
      CAPTURE(i, std::string(input.view()));
      REQUIRE(good);
    }
    heads += std::holds_alternative<head>(parse_head(input.view(), usual)) ? 1 : 0;
  }
  CHECK(heads > 10'000);  // else the fuzzer would never see the inside
}

TEST_CASE("a head that comes byte by byte is judged as one that comes at once") {
  std::mt19937_64 chance(7);
  const head_limits tight{
      .head_bytes = 300, .headers = 5, .path_bytes = 40, .target_bytes = 80, .body_bytes = 10};
  for (int i = 0; i < 2'000; ++i) {
    const std::string input = mutated(chance);
    const std::string at_once = described(parse_head(input, tight));
    std::string step_by_step = "incomplete";
    for (std::size_t n = 1; n <= input.size() && step_by_step == "incomplete"; ++n) {
      const exact_copy prefix(std::string_view(input).substr(0, n));
      step_by_step = described(parse_head(prefix.view(), tight));
    }
    if (step_by_step != at_once) {
      CAPTURE(i, input);
      REQUIRE(step_by_step == at_once);
    }
  }
  SUCCEED("2,000 heads judged alike");
}
