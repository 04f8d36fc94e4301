// Events as Stripe sends them, pretty-printed, for the tests of the reader.
#pragma once

#include <string>

namespace samples {

inline const std::string subscription_updated = R"({
  "id": "evt_1PgafTB7WZ01zgkWx8Vm3Ckq",
  "object": "event",
  "api_version": "2026-10-28.endive",
  "created": 1721988003,
  "data": {
    "object": {
      "id": "sub_1PgafTB7WZ01zgkWs0Q5fCzl",
      "object": "subscription",
      "application_fee_percent": 2.50,
      "automatic_tax": {
        "enabled": false,
        "liability": null
      },
      "billing_cycle_anchor": 1721987987,
      "cancel_at_period_end": false,
      "created": 1721987987,
      "currency": "usd",
      "customer": "cus_QXg1o8vcGmoR32",
      "description": "50 % \u2013 \"caf\u00e9\"\n\u0026 \ud83d\ude00 [x] {y}",
      "items": {
        "object": "list",
        "data": [
          {
            "id": "si_QXg1hPOqSzYAm6",
            "object": "subscription_item",
            "created": 1721987988,
            "metadata": {},
            "price": {
              "id": "price_1PgafmB7WZ01zgkW6dKueIc5",
              "object": "price",
              "active": true,
              "unit_amount": 2000,
              "unit_amount_decimal": "2000"
            },
            "quantity": 1
          }
        ],
        "has_more": false,
        "total_count": 1,
        "url": "/v1/subscription_items?subscription=sub_1PgafTB7WZ01zgkWs0Q5fCzl"
      },
      "livemode": false,
      "metadata": {
        "user": "Zo\u00eb",
        "größe": " a  b "
      },
      "start_date": 1721987987,
      "status": "active",
      "trial_end": null
    },
    "previous_attributes": {
      "status": "trialing",
      "trial_end": 1721988000
    }
  },
  "livemode": false,
  "pending_webhooks": 1,
  "request": {
    "id": "req_Rk8LX2QUJr9fM1",
    "idempotency_key": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
  },
  "type": "customer.subscription.updated"
}
)";

inline const std::string customer_created = R"({
  "id": "evt_1PgadKB7WZ01zgkWQq2kXd0G",
  "object": "event",
  "account": "acct_1PgafTB7WZ01zgkW",
  "api_version": null,
  "created": 1721987900,
  "data": {
    "object": {
      "id": "cus_QXg1o8vcGmoR32",
      "object": "customer",
      "balance": 0,
      "created": 1721987900,
      "customer_account": "acct_ignored",
      "email": "jenny@example.com",
      "livemode": true
    }
  },
  "livemode": true,
  "pending_webhooks": 0,
  "request": null,
  "type": "customer.created"
})";

inline const std::string invoice_upcoming = R"({
  "type": "invoice.upcoming",
  "data": {
    "object": {
      "object": "invoice",
      "amount_due": 2000,
      "created": 1721990000,
      "customer": {
        "id": "cus_QXg1o8vcGmoR32",
        "object": "customer"
      }
    }
  },
  "id": "evt_1PgbRtB7WZ01zgkWIqNGWmWU",
  "object": "event",
  "livemode": false,
  "request": {"id": null, "idempotency_key": null},
  "created": 1721989999
})";

inline const std::string thin = R"({
  "id": "evt_test_65R2GpwDsnmpzihMjdT16R2GDhI4SQdXJGRbvn7JA8mPEm",
  "object": "v2.core.event",
  "type": "v1.billing.meter.error_report_triggered",
  "livemode": false,
  "created": "2024-08-28T20:54:12.051Z",
  "context": "acct_1PgafTB7WZ01zgkW",
  "reason": {
    "type": "request",
    "request": {"id": "req_v2_1", "idempotency_key": "key_1"}
  },
  "related_object": {
    "id": "mtr_test_61R2GpwDsn",
    "type": "billing.meter",
    "url": "/v1/billing/meters/mtr_test_61R2GpwDsn"
  }
})";

}  // namespace samples
