#!/usr/bin/env python3
"""Stripe's second API through tilld: JSON passed on both ways, and thin events, whose objects are
fetched. Stripe is a recorder here, which keeps what reached it and answers what it is told."""

import http.server
import json
import threading

import harness
from harness import Lab, deliver, free_port, wait_for


class Recorder:
    """Answers by verb and path; keeps each request as (verb, target, headers, body)."""

    def __init__(self, port):
        recorder = self
        self.seen, self.answers = [], {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                recorder.seen.append((self.command, self.path, dict(self.headers), body))
                status, value = recorder.answers.get(
                    (self.command, self.path.partition("?")[0]),
                    (404, {"error": {"code": "not_found", "message": "Not found."}}))
                text = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Request-Id", f"req_{len(recorder.seen)}")
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, verb, path):
        return [r for r in self.seen if r[0] == verb and r[1].partition("?")[0] == path]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class RecordedLab(Lab):
    def __init__(self, binary):
        super().__init__(binary, with_sandbox=False)
        self.recorder = Recorder(self.sandbox_port)

    def __exit__(self, kind, *rest):
        super().__exit__(kind, *rest)
        self.recorder.stop()


METER_EVENT = {"object": "v2.billing.meter_event", "event_name": "calls", "identifier": "one",
               "payload": {"stripe_customer_id": "cus_1", "value": "7"}, "livemode": False,
               "created": "2026-01-01T00:00:00.000Z", "timestamp": "2026-01-01T00:00:00.000Z"}


def post_json(client, target, value, **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return client.request("POST", target, body, {"Content-Type": "application/json", **headers})


def test_json_is_passed_on(binary):
    """A write of version 2 goes through the outbox as it is, with its key, account and version"""
    with RecordedLab(binary) as lab:
        lab.recorder.answers["POST", "/v2/billing/meter_events"] = (200, METER_EVENT)
        api = lab.api()
        body = b'{"event_name":"calls",  "payload":{"value":"7"}}'
        sent = post_json(api, "/v2/billing/meter_events", body, Idempotency_Key="one",
                         Stripe_Account="acct_1", Stripe_Version="2026-09-30.endive")
        assert sent.status == 200 and sent.json == METER_EVENT, sent
        assert sent.headers["request-id"] == "req_1" and sent.headers["tilld-order"], sent.headers
        (_, _, headers, arrived), = lab.recorder.of("POST", "/v2/billing/meter_events")
        assert arrived == body, arrived
        assert headers["Content-Type"] == "application/json", headers
        assert headers["Idempotency-Key"] == "one" and headers["Stripe-Account"] == "acct_1"
        assert headers["Stripe-Version"] == "2026-09-30.endive", headers
        again = post_json(api, "/v2/billing/meter_events", body, Idempotency_Key="one",
                          Stripe_Account="acct_1")
        assert again.headers["idempotent-replayed"] == "true" and again.json == METER_EVENT, again
        assert len(lab.recorder.seen) == 1
        other = post_json(api, "/v2/billing/meter_events", {"event_name": "x"},
                          Idempotency_Key="one", Stripe_Account="acct_1")
        assert other.status == 400 and other.json["error"]["type"] == "idempotency_error", other


def test_reads_and_errors_are_passed_on(binary):
    """A read of version 2 is Stripe's answer, an error too; nothing else reaches Stripe"""
    with RecordedLab(binary) as lab:
        account = {"id": "acct_9", "object": "v2.core.account", "created": "2026-01-01T00:00:00Z"}
        lab.recorder.answers["GET", "/v2/core/accounts/acct_9"] = (200, account)
        api = lab.api()
        read = api.get("/v2/core/accounts/acct_9?include[0]=identity")
        assert read.status == 200 and read.json == account, read
        assert read.headers["tilld-source"] == "stripe"
        assert lab.recorder.seen[-1][1] == "/v2/core/accounts/acct_9?include[0]=identity"
        gone = api.get("/v2/core/accounts/acct_0")
        assert gone.status == 404 and gone.json["error"]["code"] == "not_found", gone
        before = len(lab.recorder.seen)
        for verb, target, body, type_, status in (
                ("GET", "/v2/core/..%2Fv1", None, None, 404),
                ("GET", "/v2", None, None, 404),
                ("POST", "/v2/core/accounts", b"{", "application/json", 400),
                ("POST", "/v2/core/accounts", b"a=b", "application/x-www-form-urlencoded", 415)):
            headers = {"Content-Type": type_} if type_ else {}
            answer = api.request(verb, target, body, headers)
            assert answer.status == status, (verb, target, answer)
        assert len(lab.recorder.seen) == before


def thin(event_id, type_, related, created="2026-11-01T10:00:00.000Z", context=None):
    return {"id": event_id, "object": "v2.core.event", "type": type_, "created": created,
            "livemode": False, "context": context, "reason": None, "related_object": related}


def test_thin_events(binary):
    """A thin event is kept and the object it names is fetched, of either version and any account"""
    with RecordedLab(binary) as lab:
        meter = {"id": "mtr_1", "object": "billing.meter", "created": 1, "display_name": "Calls",
                 "livemode": False}
        account = {"id": "acct_9", "object": "v2.core.account", "livemode": False,
                   "created": "2026-01-01T00:00:00.000Z", "display_name": "Nine"}
        lab.recorder.answers["GET", "/v1/billing/meters/mtr_1"] = (200, meter)
        lab.recorder.answers["GET", "/v2/core/accounts/acct_9"] = (200, account)
        api, hooks = lab.api(), lab.webhooks()
        event = thin("evt_thin_1", "v1.billing.meter.error_report_triggered",
                     {"id": "mtr_1", "type": "billing.meter", "url": "/v1/billing/meters/mtr_1"})
        assert deliver(hooks, lab.WEBHOOK_SECRET, event).json["result"] == "refetch"
        wait_for(lambda: api.get("/v1/billing/meters/mtr_1").headers["tilld-source"] == "mirror",
                 10, "the meter is in the mirror")
        assert api.get("/v1/billing/meters/mtr_1").json == meter
        assert deliver(hooks, lab.WEBHOOK_SECRET, event).json["result"] == "duplicate"
        event = thin("evt_thin_2", "v2.core.account.updated",
                     {"id": "acct_9", "type": "v2.core.account",
                      "url": "/v2/core/accounts/acct_9"}, context="acct_7")
        assert deliver(hooks, lab.WEBHOOK_SECRET, event).json["result"] == "refetch"
        wait_for(lambda: lab.recorder.of("GET", "/v2/core/accounts/acct_9"), 10, "it is fetched")
        asked = lab.recorder.of("GET", "/v2/core/accounts/acct_9")[0]
        assert asked[2].get("Stripe-Account") == "acct_7", asked
        # An event about nothing is kept, and that is all.
        ping = thin("evt_thin_3", "v2.core.event_destination.ping", None)
        assert deliver(hooks, lab.WEBHOOK_SECRET, ping).json["result"] == "ignored"
        listed = json.loads(lab.run("events", "list", "--json").stdout)["data"]
        assert {e["id"]: e["status"] for e in listed} == {
            "evt_thin_1": "refetch", "evt_thin_3": "ignored"}, listed


if __name__ == "__main__":
    harness.main([test_json_is_passed_on, test_reads_and_errors_are_passed_on, test_thin_events])
