#include "sandbox/time/due.hpp"

#include <algorithm>

namespace tilld::sandbox {

namespace {

// Keeps the earliest of the moments that are set.
class earliest {
 public:
  void at(std::int64_t s) {
    if (s != 0 && (!first_ || s < *first_)) first_ = s;
  }
  void at(const json& document, std::string_view member) { at(number_of(document, member)); }
  std::optional<std::int64_t> moment() const { return first_; }

 private:
  std::optional<std::int64_t> first_;
};

std::optional<std::int64_t> due_of_subscription(const json& s) {
  const std::string status = text_of(s, "status");
  earliest next;
  if (status == "canceled" || status == "incomplete_expired") return std::nullopt;
  if (status == "incomplete") {
    next.at(number_of(s, "created") + incomplete_for_s);
    return next.moment();
  }
  next.at(s, "cancel_at");
  if (s["pause_collection"].is_object()) next.at(s["pause_collection"], "resumes_at");
  if (s["pending_update"].is_object()) next.at(s["pending_update"], "expires_at");
  if (status == "paused") {
    next.at(s, "_resumption_ends");
    return next.moment();
  }
  next.at(s, "_cycle_end");
  next.at(s, "_upcoming_at");
  if (status == "trialing") next.at(s, "_trial_notice_at");
  return next.moment();
}

std::optional<std::int64_t> due_of_invoice(const json& invoice) {
  const std::string status = text_of(invoice, "status");
  earliest next;
  if (status == "draft" && truth_of(invoice, "auto_advance")) {
    next.at(invoice, "automatically_finalizes_at");
  } else if (status == "open" && text_of(invoice, "collection_method") == "send_invoice") {
    if (!truth_of(invoice, "_overdue")) next.at(invoice, "due_date");
  } else if (status == "open" && truth_of(invoice, "auto_advance")) {
    next.at(invoice, "next_payment_attempt");
  }
  return next.moment();
}

}  // namespace

std::optional<std::int64_t> due_of(kind k, const json& document) {
  if (!document.is_object()) return std::nullopt;
  if (k == kind::subscription) return due_of_subscription(document);
  if (k == kind::invoice) return due_of_invoice(document);
  const std::int64_t at = number_of(document, "_due");
  return at == 0 ? std::nullopt : std::optional(at);
}

std::string clock_of(const json& document) {
  const std::string shown = text_of(document, "test_clock");
  return shown.empty() ? text_of(document, "_clock") : shown;
}

}  // namespace tilld::sandbox
