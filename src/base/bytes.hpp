// Small things with bytes: hex, base64, big-endian numbers, random, constant-time comparison.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tilld {

std::string to_hex(std::string_view bytes);  // lower case
std::optional<std::string> from_hex(
    std::string_view hex);  // either case; nullopt if odd or not hex
std::optional<std::string> from_base64(std::string_view text);  // RFC 4648, padding required
std::string to_base64(std::string_view bytes);

// Eight bytes, most significant first, so that keys sort as the numbers do.
void append_be64(std::string& out, std::uint64_t value);
std::uint64_t read_be64(const char* eight_bytes) noexcept;

std::string sha256(std::string_view bytes);  // 32 raw bytes

// From the kernel's generator. Ends the process if there is none: nothing is safe without it.
std::string random_bytes(std::size_t count);
std::string random_token(std::size_t bytes = 24);  // base62-like, URL-safe

// Takes the same time wherever the difference is; different lengths are different.
bool equal_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace tilld
