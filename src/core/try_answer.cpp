#include "core/try_answer.hpp"

#include <algorithm>

#include "core/backoff.hpp"

namespace tilld::core {

namespace {

bool is_read(const stripe::call& call) {
  return call.verb == "GET" || call.verb == "HEAD";
}

// A word of Stripe's own in an error of a few hundred bytes; looked for only in 409s.
bool key_is_in_use(int status, std::string_view body) {
  return status == 409 && body.find("idempotency_key_in_use") != std::string_view::npos;
}

}  // namespace

std::string_view try_answer::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

stripe::outcome read_answer(try_answer& answer) {
  stripe::outcome out;
  out.status = answer.status;
  out.request_id = answer.header("request-id");
  out.api_version = answer.header("stripe-version");
  out.replayed = answer.header("idempotent-replayed") == "true";
  if (const auto date_s = parse_http_date(answer.header("date"))) {
    out.date_s = *date_s;
    out.started_s = *date_s - (answer.took_ms + 999) / 1000;
  }
  out.body = std::move(answer.body);
  return out;
}

bool is_repeatable(const stripe::call& call) {
  return call.verb != "POST" || !call.idempotency_key.empty();
}

bool may_hide_effect(int status, std::string_view body) {
  if (status == 501) return false;  // the sandbox has not got it
  return status < 200 || (status >= 300 && status < 400) || status >= 500 ||
         key_is_in_use(status, body);
}

stripe::call_end end_of(const stripe::call& call, int status, std::string_view body,
                        bool maybe_done) {
  using enum stripe::call_end;
  if (is_read(call)) return answered;
  if (may_hide_effect(status, body)) return unknown;
  // Stripe looks at these before it looks up the key, so they say nothing of the earlier try.
  const bool before_the_key = status == 401 || status == 403 || status == 409 || status == 429;
  return maybe_done && before_the_key ? unknown : answered;
}

std::string endpoint_of(const stripe::call& call) {
  const std::string_view path = std::string_view(call.target).substr(0, call.target.find('?'));
  std::size_t end = 0;
  for (int segments = 0; segments < 2 && end != std::string_view::npos; ++segments) {
    end = path.find('/', end + 1);
  }
  // Stripe's longest is half as long; a stranger's path is not kept whole.
  constexpr std::size_t longest = 80;
  return call.verb + " " + std::string(path.substr(0, std::min(end, longest)));
}

}  // namespace tilld::core
