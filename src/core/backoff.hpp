// What a try's end means for the next one: the retry rule, the delays, the headers that steer them.
//
// Source: the retry rule of Stripe's own libraries (stripe-go, stripe-node), RFC 9110 section 5.6.7
// (dates) and 10.2.3 (Retry-After). Pure: chance comes from a generator that is handed in.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

namespace tilld::core {

// Seconds since 1970 of an HTTP date in any of the three forms that RFC 9110 makes readable:
//   Sun, 06 Nov 1994 08:49:37 GMT      (the one in use)
//   Sunday, 06-Nov-94 08:49:37 GMT     (two-digit years: 69..99 are 19xx, 00..68 are 20xx)
//   Sun Nov  6 08:49:37 1994
// The weekday must be spelled right, but is not compared with the date. A leap second (:60) counts
// as the last second of its minute. Everything else is nullopt.
std::optional<std::int64_t> parse_http_date(std::string_view text);

// No Retry-After counts for more than this: a server that says "in a year" would park an order.
inline constexpr std::int64_t longest_retry_after_ms = 600'000;

// A Retry-After in milliseconds, 0..longest_retry_after_ms. A date is measured against the answer's
// own Date (`date_s`, 0 when absent: then a date is not understood), never against our clock, which
// may be wrong. nullopt when the header is empty or not understood.
std::optional<std::int64_t> parse_retry_after(std::string_view text, std::int64_t date_s);

// The retry rule for an answer:
//   2xx                          never again: it is done
//   Stripe-Should-Retry: false   never again
//   Stripe-Should-Retry: true    again
//   409, 429, 500..599           again, but for 501: what is not there now will not be soon
//   everything else              never again
bool worth_retrying(int status, std::string_view should_retry);

// The longest wait before try number `tries` + 1: base x 2^(tries-1), at most `cap_ms`.
std::int64_t backoff_bound_ms(int tries, std::int64_t base_ms, std::int64_t cap_ms);

// Uniform in 0..bound ("full jitter"): callers that failed together do not come back together.
std::int64_t full_jitter_ms(std::int64_t bound_ms, std::mt19937_64& chance);

}  // namespace tilld::core
