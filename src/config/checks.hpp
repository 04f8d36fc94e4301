// What single values of settings must look like. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tilld::config {

bool is_listen(std::string_view text);        // parse_endpoint() takes it
bool is_host(std::string_view text);          // a name or address as in a Host header, without port
bool is_api_url(std::string_view text);       // https, or http to this host; no path, user or query
bool is_api_version(std::string_view text);   // "2025-03-31.basil"; empty: not pinned here
bool is_metadata_key(std::string_view text);  // Stripe: 1 to 40 characters, no square brackets
bool is_log_level(std::string_view text);
bool is_path(std::string_view text);  // not empty, printable
bool is_path_or_empty(std::string_view text);
bool is_account_name(std::string_view text);  // a-z, then a-z 0-9 _, 32 at most

// Two listeners of one host that cannot both be had: same port, and same address or one for all.
bool collide(std::string_view listen_a, std::string_view listen_b);

// The host of an api_url, lower case, without port and brackets.
std::string host_of_url(std::string_view url);
bool is_loopback_host(std::string_view host);

// "line:column" of the first byte that is not UTF-8 as RFC 3629 has it; empty if all is well.
std::string first_non_utf8(std::string_view text);

}  // namespace tilld::config
