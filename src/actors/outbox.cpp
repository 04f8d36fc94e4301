#include "actors/outbox.hpp"

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "stripe/api_error.hpp"
#include "stripe/form.hpp"

namespace tilld::actors {

using store::family;
using store::order_status;
namespace key = store::key;

namespace {

constexpr std::int64_t key_kept_ms = 30LL * 24 * 3600 * 1000;

bool is_v2(const stripe::call& call) {
  return call.target.starts_with("/v2/");
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

// The parameters, not how they were written: SDKs may order and encode them anew.
std::string parameters_of(const stripe::call& call) {
  auto pairs = is_v2(call) ? fail(errc::invalid, "JSON") : stripe::decode_form(call.body);
  if (!pairs) return call.body;
  std::ranges::stable_sort(*pairs, {}, &std::pair<std::string, std::string>::first);
  return stripe::encode_form(*pairs);
}

std::string fingerprint_of(const stripe::call& call) {
  std::string text = call.verb;
  text += '\n';
  text += call.target;
  text += '\n';
  text += call.stripe_account;
  text += '\n';
  text += parameters_of(call);
  return to_hex(sha256(text));
}

// In version 1 a DELETE has its effect once by itself, and Stripe takes no key with it.
bool takes_key(const stripe::call& call) {
  return call.verb == "POST" || is_v2(call);
}

// A key means what it meant for 30 days, and longer while its order has no end. Of version 2 only a
// success is repeated; what failed is tried again.
bool still_counts(const store::order_record& record, std::int64_t now_ms) {
  if (record.status == order_status::open) return true;
  if (now_ms - record.created_ms > key_kept_ms) return false;
  return !is_v2(record.call) || record.status != order_status::refused;
}

order_answer mismatch(const store::order_record& record, const stripe::call& call) {
  const std::string hint = " Try using a key other than '" + record.caller_key +
                           "' if you meant to execute a different request.";
  const std::string_view first = path_of(record.call.target);
  const std::string_view now = path_of(call.target);
  std::string what =
      "Keys for idempotent requests can only be used with the same parameters they were first "
      "used with.";
  if (first != now) {
    what =
        "Keys for idempotent requests can only be used for the same endpoint they were first "
        "used for ('";
    what.append(now).append("' vs '").append(first).append("').");
  }
  return refuse_order(400, "idempotency_error", "", what + hint);
}

order_answer answer_from(const store::order_record& record) {
  order_answer answer;
  answer.status = record.answer_status;
  answer.body = record.answer_body;
  answer.request_id = record.answer_request_id;
  answer.idempotency_key = record.call.idempotency_key;
  answer.order_id = record.id;
  return answer;
}

order_answer again(const store::order_record& record, const stripe::call& call,
                   const std::string& fingerprint) {
  if (record.fingerprint != fingerprint) return mismatch(record, call);
  if (record.status == order_status::open) {
    auto busy = refuse_order(409, "idempotency_error", "idempotency_key_in_use",
                             "There is currently another in-progress request using this "
                             "Idempotency-Key (order " +
                                 record.id + "). Try again later.");
    busy.order_id = record.id;
    return busy;
  }
  order_answer answer = answer_from(record);
  answer.replayed = true;
  return answer;
}

// Stripe keeps a key once the request began to execute; a request that it refused before that
// frees the key.
bool frees_key(int status) {
  return status >= 400 && status < 500 && status != 402 && status != 409;
}

void finish(working_set& set, const order_context& context, store::order_record& record,
            order_status how) {
  record.status = how;
  record.finished_ms = context.now_ms;
  set.put(family::outbox, key::order(context.scope, record.id), store::encode(record));
  set.erase(family::outbox, key::open_order(context.scope, record.id));
  if (how == order_status::parked) {
    set.put(family::outbox, key::parked_order(context.scope, record.id), "");
  }
  const bool free_key = how == order_status::refused && frees_key(record.answer_status);
  if (!record.claim.empty()) {
    set.erase(family::outbox, key::order_by_claim(context.scope, record.claim));
  }
  if (!record.caller_key.empty() && free_key) {
    set.erase(family::outbox, key::order_by_key(context.scope, record.caller_key));
  }
}

}  // namespace

std::string make_order_id(std::int64_t now_ms) {
  std::string time;
  append_be64(time, static_cast<std::uint64_t>(now_ms));
  return "ord_" + to_hex(std::string_view(time).substr(2)) + random_token(9);
}

order_answer refuse_order(int status, std::string_view type, std::string_view code,
                          std::string_view message) {
  stripe::api_error shape;
  shape.status = status;
  shape.type = type;
  shape.code = code;
  shape.message = message;
  order_answer answer;
  answer.status = status;
  answer.body = stripe::to_json(shape);
  return answer;
}

result<placed_order> open_order(working_set& set, const order_context& context,
                                const order_request& request) {
  const std::string fingerprint = fingerprint_of(request.call);
  const bool has_key = !request.caller_key.empty() && takes_key(request.call);
  if (has_key) {
    const std::string by_key = key::order_by_key(context.scope, request.caller_key);
    auto known = set.get(family::outbox, by_key);
    if (!known) return std::unexpected(known.error());
    if (*known) {
      auto row = set.get(family::outbox, key::order(context.scope, **known));
      if (!row) return std::unexpected(row.error());
      if (*row) {
        auto record = store::decode_order(**row);
        if (!record) return std::unexpected(record.error());
        if (still_counts(*record, context.now_ms)) {
          return again(*record, request.call, fingerprint);
        }
      }
    }
    if (*known) {
      set.expect_prefix(family::outbox, by_key, **known);
    } else {
      set.expect_absent(family::outbox, by_key);
    }
  }
  if (!request.claim.empty()) {
    const std::string by_claim = key::order_by_claim(context.scope, request.claim);
    auto held = set.get(family::outbox, by_claim);
    if (!held) return std::unexpected(held.error());
    if (*held) {
      auto busy = refuse_order(409, "invalid_request_error", "order_in_progress",
                               "Order " + **held + " about the same is on its way.");
      busy.order_id = **held;
      return busy;
    }
    set.expect_absent(family::outbox, by_claim);
  }
  store::order_record record;
  record.id = make_order_id(context.now_ms);
  record.call = request.call;
  record.call.in = stripe::lane::order;
  record.caller_key = has_key ? request.caller_key : std::string();
  record.call.idempotency_key =
      has_key ? request.caller_key : "tilld:" + std::string(context.node) + ":" + record.id;
  record.fingerprint = fingerprint;
  record.owner = request.owner;
  record.claim = request.claim;
  record.created_ms = context.now_ms;
  set.put(family::outbox, key::order(context.scope, record.id), store::encode(record));
  set.put(family::outbox, key::open_order(context.scope, record.id), "");
  if (has_key) {
    set.put(family::outbox, key::order_by_key(context.scope, request.caller_key), record.id);
  }
  if (!record.claim.empty()) {
    set.put(family::outbox, key::order_by_claim(context.scope, record.claim), record.id);
  }
  return record;
}

order_end close_order(working_set& set, const order_context& context, store::order_record& record,
                      const stripe::outcome& outcome, std::int64_t give_up_after_ms) {
  order_end end;
  record.attempts += outcome.attempts;
  record.answer_status = outcome.status;
  record.answer_body = outcome.body;
  record.answer_request_id = outcome.request_id;
  switch (outcome.end) {
    case stripe::call_end::answered:
      record.why.clear();
      finish(set, context, record,
             outcome.status < 300 ? order_status::done : order_status::refused);
      end.answer = answer_from(record);
      return end;
    case stripe::call_end::not_sent: {
      // An earlier run of this program may have sent it; only a first run can be sure.
      if (record.attempts > outcome.attempts) break;
      record.why = outcome.why;
      end.answer =
          refuse_order(503, "api_error", "stripe_unreachable",
                       "The order was not sent to Stripe and had no effect: " + outcome.why +
                           ". Send it again later.");
      end.answer.order_id = record.id;
      record.answer_status = 503;
      record.answer_body = end.answer.body;
      finish(set, context, record, order_status::refused);
      if (!record.caller_key.empty()) {
        set.erase(family::outbox, key::order_by_key(context.scope, record.caller_key));
      }
      return end;
    }
    case stripe::call_end::unknown:
      break;
  }
  record.why = outcome.why;
  const bool answered_5xx = outcome.status >= 500;
  if (answered_5xx || context.now_ms - record.created_ms >= give_up_after_ms) {
    // Stripe keeps a 500 under its key and would only repeat it.
    if (!answered_5xx) {
      const order_answer told =
          refuse_order(504, "api_error", "order_parked",
                       "It is not known whether Stripe carried out order " + record.id +
                           "; it will not be sent again. Look at Stripe before you order anew.");
      record.answer_status = told.status;
      record.answer_body = told.body;
    }
    finish(set, context, record, order_status::parked);
    end.answer = answer_from(record);
    return end;
  }
  set.put(family::outbox, key::order(context.scope, record.id), store::encode(record));
  end.settled = false;
  end.answer =
      refuse_order(504, "api_error", "order_open",
                   "Stripe has not answered yet (" + outcome.why + "); order " + record.id +
                       " stays open and is sent again with the same idempotency key.");
  end.answer.order_id = record.id;
  return end;
}

}  // namespace tilld::actors
