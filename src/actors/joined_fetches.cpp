#include "actors/joined_fetches.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace tilld::actors {

namespace {

bool can_be_joined(const fetch_request& wanted) {
  return wanted.call.in == stripe::lane::check && wanted.call.verb == "GET" && !wanted.is_refetch;
}

// What shows one object and nothing else.
bool is_plain(const fetch_request& wanted) {
  return wanted.keep && wanted.call.target.find('?') == std::string::npos;
}

// scope, then the object for a plain retrieve or nothing for all else, then what is asked; each
// ends in a NUL, which no part has.
std::string prefix_of(const store::scope& scope, std::string_view object_id) {
  std::string prefix = scope.bytes();
  prefix.append(object_id).push_back('\0');
  return prefix;
}

std::string key_of(const fetch_request& wanted) {
  std::string key = prefix_of(wanted.scope, is_plain(wanted) ? wanted.object_id : "");
  key += wanted.keep ? 'k' : wanted.learn ? 'l' : 'p';
  for (const auto* part :
       {&wanted.call.api_version, &wanted.call.stripe_account, &wanted.call.target}) {
    key.append(*part).push_back('\0');
  }
  return key;
}

}  // namespace

struct joined_fetches::group {
  std::mutex mutex;
  bool answered = false;
  std::vector<once<fetch_answer>> members;

  bool add(const once<fetch_answer>& one) {
    const std::lock_guard lock(mutex);
    if (!answered) members.push_back(one);
    return !answered;
  }
  void answer(const fetch_answer& end) {
    std::vector<once<fetch_answer>> all;
    {
      const std::lock_guard lock(mutex);
      answered = true;
      all.swap(members);
    }
    for (const auto& one : all)
      one(end);
  }
};

bool joined_fetches::join(const fetch_request& wanted, const once<fetch_answer>& answer) {
  if (!can_be_joined(wanted)) return false;
  const auto at = open_.find(key_of(wanted));
  return at != open_.end() && at->second.members->add(answer);
}

joined_fetches::opened joined_fetches::open(const fetch_request& wanted, once<fetch_answer> first) {
  if (!can_be_joined(wanted)) return {0, std::move(first)};
  auto members = std::make_shared<group>();
  members->add(first);
  open_[key_of(wanted)] = {++last_ticket_, members};
  return {last_ticket_,
          once<fetch_answer>([members](const fetch_answer& end) { members->answer(end); }, {})};
}

void joined_fetches::came_back(const fetch_request& wanted, std::uint64_t ticket) {
  if (ticket == 0) return;
  const auto at = open_.find(key_of(wanted));
  if (at != open_.end() && at->second.ticket == ticket) open_.erase(at);
}

void joined_fetches::order_came_back() {
  open_.clear();  // also of other accounts: a platform's order changes those connected to it
}

void joined_fetches::event_came(const store::scope& scope, std::string_view object_id) {
  if (open_.empty()) return;
  forget(prefix_of(scope, ""));
  if (!object_id.empty()) forget(prefix_of(scope, object_id));
}

void joined_fetches::forget(const std::string& prefix) {
  auto at = open_.lower_bound(prefix);
  while (at != open_.end() && at->first.starts_with(prefix))
    at = open_.erase(at);
}

}  // namespace tilld::actors
