#include "http/v1_answers.hpp"

#include "http/v1_request.hpp"

namespace tilld::http {

response answered(const actors::order_answer& end) {
  response r;
  r.status = end.status;
  r.body = end.body;
  name_source(r, "stripe");
  if (!end.request_id.empty()) r.headers.emplace_back("Request-Id", end.request_id);
  if (!end.idempotency_key.empty()) {
    r.headers.emplace_back("Idempotency-Key", end.idempotency_key);
  }
  if (end.replayed) r.headers.emplace_back("Idempotent-Replayed", "true");
  if (!end.order_id.empty()) r.headers.emplace_back("Tilld-Order", end.order_id);
  return r;
}

response fetched(const actors::fetch_answer& end) {
  response r;
  r.status = end.status;
  r.body = end.body;
  name_source(r, "stripe");
  if (!end.request_id.empty()) r.headers.emplace_back("Request-Id", end.request_id);
  return r;
}

}  // namespace tilld::http
