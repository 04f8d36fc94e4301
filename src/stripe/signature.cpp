#include "stripe/signature.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/bytes.hpp"

namespace tilld::stripe {

namespace {

constexpr std::size_t header_max_bytes = 4096;
constexpr std::size_t signatures_max = 16;
constexpr std::size_t digest_bytes = 32;

using digest = std::array<unsigned char, digest_bytes>;

struct context_deleter {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};

// HMAC-SHA256 under one secret. Keyed once and started again for each message: setting up the key
// costs about as much as 1 KB of message.
class keyed_mac {
 public:
  explicit keyed_mac(std::string secret) : secret_(std::move(secret)) {
    static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);  // kept for good
    if (hmac == nullptr) return;
    context_.reset(EVP_MAC_CTX_new(hmac));
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    const auto* const key = reinterpret_cast<const unsigned char*>(secret_.data());
    if (context_ && EVP_MAC_init(context_.get(), key, secret_.size(), params) != 1) {
      context_.reset();
    }
  }
  keyed_mac(keyed_mac&&) = default;
  keyed_mac& operator=(keyed_mac&&) = default;
  ~keyed_mac() { OPENSSL_cleanse(secret_.data(), secret_.size()); }

  const std::string& secret() const noexcept { return secret_; }

  // The code over `first` and `second` as one message; nullopt when the library fails.
  std::optional<digest> operator()(std::string_view first, std::string_view second) {
    digest out;
    std::size_t written = 0;
    const bool done = context_ && EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 &&
                      update(first) && update(second) &&
                      EVP_MAC_final(context_.get(), out.data(), &written, out.size()) == 1 &&
                      written == out.size();
    return done ? std::optional(out) : std::nullopt;
  }

 private:
  bool update(std::string_view part) {
    return EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(part.data()),
                          part.size()) == 1;
  }

  std::string secret_;
  std::unique_ptr<EVP_MAC_CTX, context_deleter> context_;
};

// A thread meets few secrets: those of its endpoints, two of each while one is being rolled.
constexpr std::size_t kept_macs = 16;

std::optional<digest> mac_of(const std::string& secret, std::string_view first,
                             std::string_view second) {
  thread_local std::vector<keyed_mac> kept;
  auto mac = std::ranges::find(kept, secret, &keyed_mac::secret);
  if (mac == kept.end()) {
    if (kept.size() == kept_macs) kept.erase(kept.begin());
    kept.emplace_back(secret);
    mac = kept.end() - 1;
  }
  return (*mac)(first, second);
}

struct parsed_header {
  std::string_view signed_time;  // as written: it is part of what was signed
  std::int64_t time_s = 0;
  std::vector<std::string_view> signatures;
};

// Digits only, no sign, no leading zero: one spelling for each moment.
std::optional<std::int64_t> read_time(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// Items without a "=" and schemes other than v1 (v0 is sent for test events) are passed over.
std::optional<parsed_header> parse_header(std::string_view header) {
  parsed_header parsed;
  while (!header.empty()) {
    const auto comma = header.find(',');
    const auto item = header.substr(0, comma);
    header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = item.substr(0, equals);
    const auto value = item.substr(equals + 1);
    if (name == "t") {
      const auto time = read_time(value);
      if (!time || !parsed.signed_time.empty()) return std::nullopt;
      parsed.signed_time = value;
      parsed.time_s = *time;
    } else if (name == "v1") {
      if (parsed.signatures.size() == signatures_max) return std::nullopt;
      parsed.signatures.push_back(value);
    }
  }
  if (parsed.signed_time.empty() || parsed.signatures.empty()) return std::nullopt;
  return parsed;
}

std::string_view bytes_of(const digest& d) {
  return {reinterpret_cast<const char*>(d.data()), d.size()};
}

bool any_match(const parsed_header& parsed, std::string_view body,
               std::span<const std::string> secrets) {
  std::vector<std::string> given;
  given.reserve(parsed.signatures.size());
  for (const auto hex : parsed.signatures)
    given.push_back(from_hex(hex).value_or(std::string{}));
  const std::string prefix = std::string(parsed.signed_time) + '.';
  bool matched = false;
  for (const auto& secret : secrets) {
    if (secret.empty()) continue;  // anybody can sign with no secret
    const auto expected = mac_of(secret, prefix, body);
    if (!expected) continue;
    for (const auto& candidate : given) {
      matched |= equal_constant_time(candidate, bytes_of(*expected));
    }
  }
  return matched;
}

}  // namespace

const char* to_string(signature_verdict v) noexcept {
  switch (v) {
    case signature_verdict::valid:
      return "valid";
    case signature_verdict::missing:
      return "missing";
    case signature_verdict::malformed:
      return "malformed";
    case signature_verdict::wrong:
      return "wrong";
    case signature_verdict::too_old:
      return "too_old";
    case signature_verdict::too_new:
      return "too_new";
  }
  return "unknown";
}

signature_verdict verify_signature(std::string_view header, std::string_view body,
                                   std::span<const std::string> secrets, std::int64_t now_s,
                                   std::int64_t tolerance_s) {
  if (header.empty()) return signature_verdict::missing;
  if (header.size() > header_max_bytes) return signature_verdict::malformed;
  const auto parsed = parse_header(header);
  if (!parsed) return signature_verdict::malformed;
  if (!any_match(*parsed, body, secrets)) return signature_verdict::wrong;
  if (parsed->time_s < now_s - tolerance_s) return signature_verdict::too_old;
  if (parsed->time_s > now_s + tolerance_s) return signature_verdict::too_new;
  return signature_verdict::valid;
}

std::string sign(std::string_view body, std::span<const std::string> secrets, std::int64_t now_s) {
  const std::string time = std::to_string(now_s);
  std::string header = "t=" + time;
  for (const auto& secret : secrets) {
    const auto mac = mac_of(secret, time + '.', body);
    if (mac) header += ",v1=" + to_hex(bytes_of(*mac));
  }
  return header;
}

}  // namespace tilld::stripe
