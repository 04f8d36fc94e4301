#include "http/request_id.hpp"

#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"

namespace tilld::http {

namespace {

// splitmix64: one word of state and passes the
// usual batteries (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
std::uint64_t next_number() {
  thread_local std::uint64_t state = read_be64(random_bytes(8).data());
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

bool sane(std::string_view offered) {
  if (offered.empty() || offered.size() > 64) return false;
  return std::ranges::all_of(offered, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == ':' || c == '-';
  });
}

}  // namespace

std::string request_id(std::string_view offered) {
  if (sane(offered)) return std::string(offered);
  static constexpr char letters[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string id = "req_";
  for (int half = 0; half < 2; ++half) {
    std::uint64_t number = next_number();
    for (int i = 0; i < 8; ++i) {
      id += letters[number % 62];
      number /= 62;
    }
  }
  return id;
}

}  // namespace tilld::http
