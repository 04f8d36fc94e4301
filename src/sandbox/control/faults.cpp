#include "sandbox/control/faults.hpp"

#include <algorithm>
#include <charconv>

#include "sandbox/machine/document.hpp"

namespace tilld::sandbox {

namespace {

constexpr std::int64_t longest_measure = 3'600'000;
constexpr std::string_view older_version = "2025-03-31.basil";

constexpr std::array<fault_row, fault_count> table = {{
    {fault::reset, "reset", true, 0},
    {fault::lost_answer, "lost_answer", true, 0},
    {fault::slow, "slow", true, 1'000},
    {fault::error_before, "error_before", true, 0},
    {fault::error_after, "error_after", true, 0},
    {fault::error_final, "error_final", true, 0},
    {fault::conflict, "conflict", true, 0},
    {fault::lock_timeout, "lock_timeout", true, 0},
    {fault::global_rate, "global_rate", true, 0},
    {fault::global_concurrency, "global_concurrency", true, 0},
    {fault::endpoint_rate, "endpoint_rate", true, 0},
    {fault::endpoint_concurrency, "endpoint_concurrency", true, 0},
    {fault::resource_specific, "resource_specific", true, 0},
    {fault::duplicate, "duplicate", false, 1'000},
    {fault::reorder, "reorder", false, 2'000},
    {fault::delay, "delay", false, 1'000},
    {fault::drop, "drop", false, 3'000},
    {fault::stale, "stale", false, 0},
    {fault::other_version, "other_version", false, 0},
    {fault::short_lists, "short_lists", false, 0},
    {fault::clock_skew, "clock_skew", false, 600},
    {fault::secret_rotation, "secret_rotation", false, 0},
}};

const fault_row* row_named(std::string_view name) {
  const auto* it =
      std::find_if(table.begin(), table.end(), [&](const auto& r) { return r.name == name; });
  return it == table.end() ? nullptr : it;
}

template <class Number>
bool read(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

std::string no_such_fault(std::string_view name) {
  std::string names;
  for (const auto& r : table)
    names += (names.empty() ? "" : ", ") + std::string(r.name);
  return "There is no fault " + std::string(name) + "; there are " + names + ".";
}

response error_answer(int status, const char* type, const char* code, const char* message) {
  json error = json::object();
  if (*code != '\0') error["code"] = code;
  error["message"] = message;
  error["type"] = type;
  response r;
  r.status = status;
  r.body = pretty(compact({{"error", error}}));
  return r;
}

response broken(bool again) {
  response r = error_answer(500, "api_error", "",
                            "An unknown error occurred. This is the sandbox's fault, on demand.");
  r.headers.emplace_back("Stripe-Should-Retry", again ? "true" : "false");
  return r;
}

std::string_view reason_of(fault f) {
  switch (f) {
    case fault::global_rate:
      return "global-rate";
    case fault::global_concurrency:
      return "global-concurrency";
    case fault::endpoint_rate:
      return "endpoint-rate";
    case fault::endpoint_concurrency:
      return "endpoint-concurrency";
    default:
      return "resource-specific";
  }
}

void apply_previous(json& object, const json& previous) {
  for (const auto& [name, was] : previous.items()) {
    if (was.is_object() && object.contains(name) && object[name].is_object()) {
      apply_previous(object[name], was);
    } else {
      object[name] = was;
    }
  }
}

void cut_lists(json& value) {
  if (!value.is_structured()) return;
  if (value.is_object() && text_of(value, "object") == "list" && value["data"].is_array() &&
      value["data"].size() > 1) {
    value["data"].erase(value["data"].begin() + 1, value["data"].end());
    value["has_more"] = true;
  }
  for (auto& inside : value)
    cut_lists(inside);
}

}  // namespace

response rate_limited(std::string_view reason) {
  response r = error_answer(429, "invalid_request_error", "rate_limit",
                            "Request rate limit exceeded. You can learn more about rate limits "
                            "here https://stripe.com/docs/rate-limits.");
  r.headers.emplace_back("Stripe-Rate-Limited-Reason", reason);
  return r;
}

std::span<const fault_row> all_faults() {
  return table;
}

std::string faults::set(std::string_view name, std::string_view value) {
  const auto* row = row_named(name);
  if (row == nullptr) return no_such_fault(name);
  level l{0, row->measure};
  const auto colon = value.find(':');
  if (!read(value.substr(0, colon), l.probability) || !(l.probability >= 0) ||
      !(l.probability <= 1)) {
    return std::string(name) + " is a probability from 0 to 1, not " + std::string(value) + ".";
  }
  if (colon != value.npos) {
    if (row->measure == 0) return std::string(name) + " has no measure.";
    if (!read(value.substr(colon + 1), l.measure) || l.measure < 0 || l.measure > longest_measure) {
      return "The measure of " + std::string(name) + " is a number from 0 to 3600000.";
    }
  }
  levels_[static_cast<std::size_t>(row->of)] = l;
  return {};
}

std::string faults::shown() const {
  json on = json::object();
  for (const auto& row : table) {
    const level& l = levels_[static_cast<std::size_t>(row.of)];
    if (l.probability == 0) continue;
    std::string text = json(l.probability).dump();
    if (row.measure != 0) text += ":" + std::to_string(l.measure);
    on[std::string(row.name)] = text;
  }
  return compact(on);
}

bool faults::strikes(fault f) {
  const level& l = levels_[static_cast<std::size_t>(f)];
  return l.probability > 0 && std::uniform_real_distribution<>(0, 1)(dice_) < l.probability;
}

std::int64_t faults::up_to(std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(0, most)(dice_);
}

void faults::strike(mishap& m, fault f, std::int64_t measure) const {
  const auto refuse = [&](response r) {
    m.refuses = true;
    m.answer = std::move(r);
  };
  switch (f) {
    case fault::reset:
      m.hangs_up = m.skips = true;
      break;
    case fault::lost_answer:
      m.hangs_up = true;
      break;
    case fault::slow:
      m.wait_ms = measure;
      break;
    case fault::error_before:
      refuse(broken(true));
      break;
    case fault::error_after:
    case fault::error_final:
      m.replaces = true;
      m.answer = broken(f == fault::error_after);
      break;
    case fault::conflict:
      refuse(error_answer(409, "idempotency_error", "idempotency_key_in_use",
                          "There is currently another in-progress request using this Idempotent "
                          "Key (that probably means you submitted twice, and the other request is "
                          "still going through). Please try again later."));
      break;
    case fault::lock_timeout:
      refuse(error_answer(429, "invalid_request_error", "lock_timeout",
                          "This object cannot be accessed right now because another API request "
                          "or Stripe process is currently accessing it."));
      break;
    default:
      refuse(rate_limited(reason_of(f)));
      break;
  }
}

mishap faults::for_request(const std::string& header, std::string& wrong) {
  mishap m;
  for (const auto& row : table) {
    if (row.of_answers && strikes(row.of)) {
      strike(m, row.of, levels_[static_cast<std::size_t>(row.of)].measure);
    }
  }
  if (header.empty()) return m;
  const auto colon = header.find(':');
  const auto* row = row_named(std::string_view(header).substr(0, colon));
  if (row == nullptr || !row->of_answers) {
    wrong = "Tilld-Sandbox-Fault: " + no_such_fault(header);
    return m;
  }
  std::int64_t measure = row->measure;
  if (colon != std::string::npos && (!read(std::string_view(header).substr(colon + 1), measure) ||
                                     measure < 0 || measure > longest_measure)) {
    wrong = "Tilld-Sandbox-Fault: the measure is a number from 0 to 3600000.";
    return m;
  }
  strike(m, row->of, measure);
  return m;
}

std::vector<planned> faults::for_events(std::vector<emitted> events) {
  std::vector<planned> plan;
  for (auto& e : events) {
    planned p{
        std::move(e.id), std::move(e.type), std::move(e.account), std::move(e.body), 0, 0, false};
    const bool stale = strikes(fault::stale);
    const bool other = strikes(fault::other_version);
    const bool cut = strikes(fault::short_lists);
    if (stale || other || cut) {
      json event = json::parse(p.body);
      json& data = event["data"];
      if (stale && data.contains("previous_attributes")) {
        apply_previous(data["object"], data["previous_attributes"]);
      }
      if (other) event["api_version"] = older_version;
      if (cut) cut_lists(data["object"]);
      p.body = pretty(compact(event));
    }
    const auto measure = [&](fault f) { return levels_[static_cast<std::size_t>(f)].measure; };
    if (strikes(fault::reorder)) p.after_ms += up_to(measure(fault::reorder));
    if (strikes(fault::delay)) p.after_ms += measure(fault::delay);
    if (strikes(fault::drop)) p.after_ms += measure(fault::drop);
    if (strikes(fault::clock_skew)) p.skew_s = -measure(fault::clock_skew);
    p.old_secret = strikes(fault::secret_rotation);
    if (strikes(fault::duplicate)) {
      planned again = p;
      again.after_ms += up_to(measure(fault::duplicate));
      again.skew_s = 0;
      plan.push_back(std::move(again));
    }
    plan.push_back(std::move(p));
  }
  return plan;
}

}  // namespace tilld::sandbox
