#include "sandbox/time/rules.hpp"

#include <algorithm>

namespace tilld::sandbox {

namespace {

constexpr std::int64_t most_days = 365;
constexpr std::int64_t longest_draft_s = 72 * 3600;
constexpr std::int64_t longest_search_lag_s = 24 * 3600;
constexpr std::int64_t longest_kept_s = 30 * 24 * 3600;

bool is_count(const json& value, std::int64_t least, std::int64_t most) {
  return value.is_number_integer() && value.get<std::int64_t>() >= least &&
         value.get<std::int64_t>() <= most;
}

}  // namespace

json rules_text(const billing_rules& rules) {
  return {{"retry_days", rules.retry_days},       {"after_retries", rules.after_retries},
          {"upcoming_days", rules.upcoming_days}, {"draft_s", rules.draft_s},
          {"search_lag_s", rules.search_lag_s},   {"keys_kept_s", rules.keys_kept_s}};
}

billing_rules rules_of(const json& text) {
  billing_rules rules;
  rules.retry_days = text["retry_days"].get<std::vector<std::int64_t>>();
  rules.after_retries = text["after_retries"].get<std::string>();
  rules.upcoming_days = text["upcoming_days"].get<std::int64_t>();
  rules.draft_s = text["draft_s"].get<std::int64_t>();
  rules.search_lag_s = text.value("search_lag_s", std::int64_t{0});
  rules.keys_kept_s = text.value("keys_kept_s", rules.keys_kept_s);
  return rules;
}

answer<billing_rules> changed_rules(billing_rules rules, const json& given) {
  if (!given.is_object()) return refuse("Settings are an object of members and their values.");
  for (const auto& [name, value] : given.items()) {
    if (name == "retry_days") {
      const bool fine = value.is_array() && value.size() <= 20 &&
                        std::all_of(value.begin(), value.end(),
                                    [](const json& days) { return is_count(days, 1, most_days); });
      if (!fine) {
        return refuse("retry_days is a list of at most 20 numbers of days, 1 to 365 each.", name);
      }
      rules.retry_days = value.get<std::vector<std::int64_t>>();
    } else if (name == "after_retries") {
      if (value != "cancel" && value != "unpaid" && value != "past_due") {
        return refuse("after_retries is one of cancel, unpaid and past_due.", name);
      }
      rules.after_retries = value.get<std::string>();
    } else if (name == "upcoming_days") {
      if (!is_count(value, 0, most_days)) {
        return refuse("upcoming_days is a number of days, 0 (no notice) to 365.", name);
      }
      rules.upcoming_days = value.get<std::int64_t>();
    } else if (name == "draft_s") {
      if (!is_count(value, 0, longest_draft_s)) {
        return refuse("draft_s is a number of seconds, 0 to 259200.", name);
      }
      rules.draft_s = value.get<std::int64_t>();
    } else if (name == "search_lag_s") {
      if (!is_count(value, 0, longest_search_lag_s)) {
        return refuse("search_lag_s is a number of seconds, 0 to 86400.", name);
      }
      rules.search_lag_s = value.get<std::int64_t>();
    } else if (name == "keys_kept_s") {
      if (!is_count(value, 0, longest_kept_s)) {
        return refuse("keys_kept_s is a number of seconds, 0 to 2592000.", name);
      }
      rules.keys_kept_s = value.get<std::int64_t>();
    } else {
      return refuse("There is no setting " + name +
                        "; there are retry_days, after_retries, upcoming_days, "
                        "draft_s, search_lag_s and keys_kept_s.",
                    name);
    }
  }
  return rules;
}

}  // namespace tilld::sandbox
