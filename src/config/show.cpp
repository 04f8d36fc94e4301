#include <algorithm>
#include <utility>

#include "config/checks.hpp"
#include "config/settings.hpp"
#include "config/table.hpp"

namespace tilld::config {

namespace {

void append_secrets(std::string& out, const account_settings& a) {
  out += "# secret key: " + a.key.masked() + "\n";
  if (a.webhook_secrets.empty()) out += "# webhook secret: (not set)\n";
  for (const secret& s : a.webhook_secrets)
    out += "# webhook secret: " + s.masked() + "\n";
}

void append_row(std::string& out, const row& r, const settings& s, const account_settings& a) {
  out.append(r.name).append(" = ").append(to_toml(read(r, s, a))).append("\n");
}

}  // namespace

std::string show(const settings& s) {
  std::string out;
  std::string_view section;
  const account_settings nobody;
  for (const row& r : table()) {
    if (r.of_account()) break;
    if (r.section != section) {
      if (!section.empty()) out += "\n";
      section = r.section;
      out.append("[").append(section).append("]\n");
    }
    append_row(out, r, s, nobody);
  }
  for (const auto& [name, account] : s.accounts) {
    out += "\n[account." + name + "]\n";
    for (const row& r : table()) {
      if (r.of_account()) append_row(out, r, s, account);
    }
    append_secrets(out, account);
  }
  return out;
}

std::vector<setting> describe(std::string_view account) {
  std::vector<setting> out;
  settings s;
  s.data.directory = "./data";
  const account_settings a;
  for (const row& r : table()) {
    out.push_back({r.key(account), r.variable(account), type_name(r), to_toml(read(r, s, a)),
                   std::string(r.doc)});
  }
  return out;
}

namespace {

bool names_only_loopback(const std::vector<std::string>& hosts) {
  return std::ranges::all_of(hosts, is_loopback_host);
}

void warn_of_account(std::vector<std::string>& out, const account_settings& a) {
  const std::string key = "account." + a.name + ".";
  if (a.key.empty()) {
    out.push_back(key + "secret_key_file: no secret key is set; tilld can ask Stripe nothing");
  }
  if (a.webhook_secrets.empty()) {
    out.push_back(key +
                  "webhook_secret_files: no webhook secret is set; webhooks cannot be verified");
  }
  if (a.live && a.key.reveal().starts_with("sk_live_")) {
    out.push_back(key +
                  "secret_key_file: the key may do everything with the account; a "
                  "restricted key (rk_live_…) limits what a thief could do");
  }
  const std::string host = host_of_url(a.api_url);
  if (a.live && host != "api.stripe.com") {
    out.push_back(key + "api_url: the live key is sent to " + host + ", which is not Stripe's");
  }
}

}  // namespace

std::vector<std::string> warnings(const settings& s) {
  std::vector<std::string> out;
  const auto api = parse_endpoint(s.api.listen);
  if (api && !api->loopback) {
    out.push_back("api.listen: tokens travel unencrypted to other hosts; put a TLS proxy in front");
    if (names_only_loopback(s.api.hosts)) {
      out.push_back(
          "api.hosts: only this host's own names are answered; add the name or address "
          "that other hosts call");
    }
  }
  const auto webhooks = parse_endpoint(s.webhooks.listen);
  if (webhooks && !webhooks->loopback) {
    out.push_back(
        "webhooks.listen: Stripe sends webhooks over https only; put a TLS proxy in "
        "front and listen on 127.0.0.1");
  }
  for (const auto& [name, account] : s.accounts)
    warn_of_account(out, account);
  return out;
}

}  // namespace tilld::config
