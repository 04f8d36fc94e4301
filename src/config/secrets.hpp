// Where secrets come from, and how text is kept free of them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace tilld::config {

// Whether a text begins like a Stripe key or a webhook secret.
bool looks_secret(std::string_view text) noexcept;

// Whether any word of a text does.
bool mentions_secret(std::string_view text) noexcept;

// The text with every word that looks like a secret cut to its prefix ("sk_live_…") and control
// characters escaped, at most `most` bytes of it: fit for one line of the log.
std::string presentable(std::string_view text, std::size_t most = 4096);

// Fills key and webhook_secrets of the account from its environment variables, its files and
// $CREDENTIALS_DIRECTORY. What is named nowhere stays empty.
// Errors: invalid: a file that cannot be read or that others may read, an empty or broken secret,
// one of the wrong kind, one for the other mode.
result<void> load_secrets(const std::map<std::string, std::string>& environment,
                          account_settings& account);

}  // namespace tilld::config
