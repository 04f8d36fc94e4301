#include "sandbox/machine/ids.hpp"

namespace tilld::sandbox {

namespace {

constexpr std::string_view base62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr int order_letters = 8;
constexpr std::uint64_t stride = 7919;  // 62^8 / stride: 2.7e10 objects of a kind

std::uint64_t mix(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::uint64_t hash(std::string_view text) {  // FNV-1a
  std::uint64_t h = 1469598103934665603ULL;
  for (const char c : text)
    h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return h;
}

std::string digits(std::uint64_t value, int count, std::uint64_t base) {
  std::string out(static_cast<std::size_t>(count), '0');
  for (auto it = out.rbegin(); it != out.rend(); ++it) {
    *it = base62[value % base];
    value /= base;
  }
  return out;
}

std::string random_letters(std::uint64_t state, int count, std::uint64_t base) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    state = mix(state);
    out.push_back(base62[state % base]);
  }
  return out;
}

constexpr std::uint64_t power(std::uint64_t base, int exponent) {
  return exponent == 0 ? 1 : base * power(base, exponent - 1);
}

}  // namespace

std::string id_mint::make(std::string_view prefix, int letters, std::size_t counter) {
  const std::uint64_t n = used_[counter]++;
  const std::uint64_t salt = mix(seed_ ^ mix(counter));
  const std::uint64_t base = prefix.empty() ? 36 : 62;
  // Starts between an eighth and a quarter of the range, where Stripe's own ids stand today.
  const std::uint64_t range = power(base, order_letters);
  const std::uint64_t start = range / 8 + salt % (range / 8);
  std::string out(prefix);
  out += digits(start + n * stride + mix(salt ^ n) % stride, order_letters, base);
  if (letters > order_letters) out += random_letters(salt ^ mix(n), letters - order_letters, base);
  return out;
}

std::string id_mint::next(kind k) {
  const auto& row = row_of(k);
  return make(row.prefix, row.id_letters, static_cast<std::size_t>(k));
}

std::string id_mint::next_event() {
  return make("evt_1", 23, kind_count);
}
std::string id_mint::next_request() {
  return make("req_", 14, kind_count + 1);
}

std::string id_mint::letters(std::string_view what, int count) const {
  return random_letters(seed_ ^ hash(what), count, 62);
}

std::string id_mint::capitals(std::string_view what, int count) const {
  return random_letters(seed_ ^ hash(what), count, 36);
}

}  // namespace tilld::sandbox
