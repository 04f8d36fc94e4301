// Random lives of Stripe's objects, told as Stripe tells them: *.updated events carry
// previous_attributes, events named after what happened mostly do not, creations and deletions are
// told once. Few fields with few values, so that states come back and seconds are crowded.
#include <array>

#include "order_model.hpp"

namespace order_model {
namespace {

constexpr std::array<std::string_view, 8> objects = {
    "customer",       "coupon", "subscription",   "invoice",
    "payment_intent", "charge", "payment_method", "widget"};

class life {
 public:
  life(author& a, chance& choose) : a_(a), choose_(choose) {}

  void lead(std::string_view object_name, int steps) {
    for (int i = 0; i < steps; ++i) {
      step(object_name);
      if (choose_.one_in(5)) question_now();
      a_.pass(pause_ms());
    }
    if (choose_.one_in(3)) question_now();
  }

 private:
  std::int64_t pause_ms() {
    switch (choose_.below(6)) {
      case 0:
        return 0;
      case 5:
        return 500 + choose_.below(250) * 8;
      default:
        return choose_.below(120);
    }
  }

  void question_now() { a_.ask(choose_.below(250) * 4, choose_.below(250) * 4); }

  void step(std::string_view object_name) {
    if (object_name == "customer") return customer();
    if (object_name == "coupon") return coupon();
    if (object_name == "subscription") return subscription();
    if (object_name == "invoice") return invoice();
    if (object_name == "payment_intent") return payment_intent();
    if (object_name == "charge") return charge();
    if (object_name == "payment_method") return payment_method();
    widget();
  }

  json newborn(const std::string& object_name) {
    return {{"id", "x_1"},  {"object", object_name},      {"created", a_.now_ms / 1000},
            {"name", "n0"}, {"metadata", json::object()}, {"list", json::array({0})}};
  }

  // One to three fields get values from a small set; sometimes the same value again.
  json touched() {
    json next = a_.object;
    for (std::uint32_t i = 0, n = 1 + choose_.below(3); i < n; ++i) {
      const auto value = choose_.below(3);
      switch (choose_.below(5)) {
        case 0:
          next["name"] = std::string("n").append(std::to_string(value));
          break;
        case 1:
          next["metadata"][value == 2 ? "b" : "a"] = std::to_string(choose_.below(3));
          break;
        case 2:
          next["metadata"].erase(value == 2 ? "b" : "a");
          break;
        case 3:
          next["list"] = json::array({value, 1});
          break;
        default:
          next["note"] = value == 0 ? json() : json(value);
          break;
      }
    }
    return next;
  }

  // Stripe sends no *.updated where nothing changed.
  bool update(const std::string& type) { return update_to(touched(), type); }
  bool update_to(const json& next, const std::string& type) {
    if (without_nulls(next) == without_nulls(a_.object)) return false;
    a_.change(next, type, true);
    return true;
  }
  json with(std::initializer_list<std::pair<const char*, json>> members) {
    json next = a_.object;
    for (const auto& [key, value] : members)
      next[key] = value;
    return next;
  }

  void customer() {
    if (ended_) return;
    if (a_.object.is_null()) return a_.change(newborn("customer"), "customer.created", false);
    if (choose_.one_in(9)) {
      ended_ = true;
      return a_.disappear("customer.deleted");
    }
    update("customer.updated");
  }

  void coupon() {
    if (a_.object.is_null()) return a_.change(newborn("coupon"), "coupon.created", false);
    if (choose_.one_in(4)) return a_.disappear("coupon.deleted");
    update("coupon.updated");
  }

  void subscription() {
    if (a_.object.is_null()) {
      auto next = newborn("subscription");
      next["status"] = choose_.one_in(3) ? "trialing" : "incomplete";
      return a_.change(next, "customer.subscription.created", false);
    }
    const std::string status = a_.object["status"];
    if (status == "canceled" || status == "incomplete_expired") {
      update("customer.subscription.updated");
      return;
    }
    switch (choose_.below(6)) {
      case 0:
        if (status == "incomplete" && choose_.one_in(3))
          update_to(with({{"status", "incomplete_expired"}}), "customer.subscription.updated");
        else
          update_to(with({{"status", "active"}}), "customer.subscription.updated");
        break;
      case 1:
        if (status != "incomplete")
          update_to(with({{"status", "past_due"}}), "customer.subscription.updated");
        break;
      case 2:
        if (status == "trialing") a_.tell("customer.subscription.trial_will_end");
        break;
      case 3:
        a_.change(with({{"status", "canceled"}, {"ended_at", a_.now_ms / 1000}}),
                  "customer.subscription.deleted", false);
        break;
      default:
        update("customer.subscription.updated");
        break;
    }
  }

  // A status move of an invoice: Stripe sometimes sends invoice.updated with it, sometimes not.
  void invoice_moves(const json& next, const std::string& type) {
    const json before = a_.object;
    a_.change(next, type, false);
    if (choose_.one_in(2)) a_.tell_with_previous("invoice.updated", before);
  }

  void invoice() {
    if (ended_) return;
    if (a_.object.is_null()) {
      auto next = newborn("invoice");
      next["status"] = "draft";
      next["attempt_count"] = 0;
      return a_.change(next, "invoice.created", false);
    }
    const std::string status = a_.object["status"];
    if (choose_.one_in(3)) {
      update("invoice.updated");
      return;
    }
    if (status == "draft") {
      if (choose_.one_in(8)) {
        ended_ = true;
        return a_.disappear("invoice.deleted");
      }
      return invoice_moves(with({{"status", "open"}}), "invoice.finalized");
    }
    if (status == "open" || status == "uncollectible") {
      switch (choose_.below(5)) {
        case 0:
          if (status == "open")
            return invoice_moves(with({{"status", "uncollectible"}}),
                                 "invoice.marked_uncollectible");
          break;
        case 1:
          return invoice_moves(with({{"status", "void"}}), "invoice.voided");
        case 2: {
          const json before = a_.object;
          a_.change(with({{"attempt_count", before["attempt_count"].get<int>() + 1}}),
                    "invoice.payment_failed", false);
          return a_.tell_with_previous("invoice.updated", before);
        }
        default:
          invoice_moves(with({{"status", "paid"}}), "invoice.paid");
          return a_.tell("invoice.payment_succeeded");
      }
    }
    a_.tell("invoice.sent");
  }

  void payment_intent() {
    if (a_.object.is_null()) {
      auto next = newborn("payment_intent");
      next["status"] = "requires_payment_method";
      return a_.change(next, "payment_intent.created", false);
    }
    const std::string status = a_.object["status"];
    if (status == "succeeded" || status == "canceled") return;
    switch (choose_.below(5)) {
      case 0:
        if (status != "requires_action")
          a_.change(with({{"status", "requires_action"}}), "payment_intent.requires_action", false);
        break;
      case 1:
        if (status != "processing")
          a_.change(with({{"status", "processing"}}), "payment_intent.processing", false);
        break;
      case 2:
        a_.change(with({{"status", "requires_payment_method"}, {"note", choose_.below(4)}}),
                  "payment_intent.payment_failed", false);
        break;
      case 3:
        a_.change(with({{"status", "canceled"}}), "payment_intent.canceled", false);
        break;
      default:
        a_.change(with({{"status", "succeeded"}}), "payment_intent.succeeded", false);
        break;
    }
  }

  void charge() {
    if (a_.object.is_null()) {
      auto next = newborn("charge");
      const bool pending = choose_.one_in(3);
      next["status"] = pending ? "pending" : "succeeded";
      next["amount_refunded"] = 0;
      return a_.change(next, pending ? "charge.pending" : "charge.succeeded", false);
    }
    if (a_.object["status"] == "pending") {
      const bool fails = choose_.one_in(3);
      return a_.change(with({{"status", fails ? "failed" : "succeeded"}}),
                       fails ? "charge.failed" : "charge.succeeded", false);
    }
    if (choose_.one_in(3) && a_.object["status"] == "succeeded") {
      update_to(with({{"amount_refunded", a_.object["amount_refunded"].get<int>() + 5}}),
                "charge.refunded");
      return;
    }
    update("charge.updated");
  }

  void payment_method() {
    if (ended_) return;
    if (a_.object.is_null()) {
      auto next = newborn("payment_method");
      next["customer"] = "cus_1";
      return a_.change(next, "payment_method.attached", false);
    }
    if (choose_.one_in(6)) {
      ended_ = true;
      update_to(with({{"customer", nullptr}}), "payment_method.detached");
      return;
    }
    update(choose_.one_in(3) ? "payment_method.automatically_updated" : "payment_method.updated");
  }

  // Something that tilld has never heard of, with events that may mean anything.
  void widget() {
    if (a_.object.is_null()) return a_.change(newborn("widget"), "widget.created", false);
    if (choose_.one_in(3)) return a_.change(touched(), "widget.poked", false);
    update("widget.updated");
  }

  author& a_;
  chance& choose_;
  bool ended_ = false;
};

}  // namespace

std::span<const std::string_view> played_objects() {
  return objects;
}

history random_history(chance& choose) {
  const auto object_name = objects[choose.below(objects.size())];
  author a(std::string(object_name), 1'700'000'000'000 + choose.below(250) * 4);
  life(a, choose).lead(object_name, 1 + static_cast<int>(choose.below(11)));
  return std::move(a).done();
}

}  // namespace order_model
