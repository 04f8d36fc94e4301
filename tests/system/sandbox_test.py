#!/usr/bin/env python3
"""The sandbox as a process: deliveries, faults, state, its own calls. Real sockets, real kills."""

import hashlib
import hmac
import http.server
import json
import os
import subprocess
import threading
import time

import harness
from harness import Client, Lab, Process, free_port, wait_for


class Receiver:
    """An application's webhook: keeps what came, answers what it is told to."""

    def __init__(self, port=None):
        receiver = self
        self.port, self.seen, self.status = port or free_port(), [], 200

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.seen.append((self.headers["Stripe-Signature"], body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def events(self):
        return [json.loads(body) for _, body in self.seen]

    def types(self):
        return [e["type"] for e in self.events()]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def signed_by(secret, header, body):
    parts = [p.split("=", 1) for p in header.split(",")]
    when = next(v for k, v in parts if k == "t")
    mac = hmac.new(secret.encode(), f"{when}.".encode() + body, hashlib.sha256).hexdigest()
    return mac in [v for k, v in parts if k == "v1"], int(when)


class Sandbox:
    KEY = Lab.KEY

    def __init__(self, binary, *options):
        self.lab = Lab(binary, with_sandbox=False)
        self.options = list(options)
        self.binary = binary
        self.process = None

    def start(self):
        self.process = Process([self.binary, "sandbox", "--listen",
                                f"127.0.0.1:{self.lab.sandbox_port}", "--key", self.KEY,
                                *self.options], f"{self.lab.dir}/sandbox.log")
        wait_for(lambda: Lab.listening(self.lab.sandbox_port, self.process), 20, "it listens")
        self.api = Client(self.lab.sandbox_port, self.KEY)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *rest):
        self.process.kill()
        self.lab.__exit__(kind, *rest)

    def control(self, name, members=None, verb="POST"):
        body = None if members is None else json.dumps(members)
        return self.api.request(verb, f"/_sandbox/{name}", body)

    def endpoint(self, url, types="*"):
        made = self.api.post("/v1/webhook_endpoints", {"url": url, "enabled_events": [types]})
        assert made.status == 200, made
        return made.json


def waiting(sandbox):
    return sandbox.api.get("/_sandbox/deliveries").json["waiting"]


def survives(binary):
    """What waits for delivery survives kill -9 and a restart, and comes signed, once it is taken"""
    with Sandbox(binary) as sandbox:
        sandbox.process.kill()
        sandbox.options += ["--state", f"{sandbox.lab.dir}/state"]
        sandbox.start()
        port = free_port()
        endpoint = sandbox.endpoint(f"http://127.0.0.1:{port}/hook")
        customer = sandbox.api.post("/v1/customers", {"email": "ada@example.com"}).json["id"]
        event = sandbox.api.get("/v1/events?type=customer.created").json["data"][0]
        assert event["pending_webhooks"] == 1, event
        time.sleep(2.5)  # it is saved each second
        sandbox.process.kill()
        receiver = Receiver(port)
        sandbox.start()
        wait_for(lambda: "customer.created" in receiver.types(), 10, "it is delivered")
        signature, body = receiver.seen[0]
        good, when = signed_by(endpoint["secret"], signature, body)
        assert good and abs(when - time.time()) < 30
        assert receiver.events()[0]["data"]["object"]["id"] == customer
        wait_for(lambda: waiting(sandbox) == 0, 10, "nothing waits")
        wait_for(lambda: sandbox.api.get("/v1/events?delivery_success=true").json["data"], 10,
                 "the event is told to be delivered")
        assert sandbox.api.get(f"/v1/customers/{customer}").status == 200
        receiver.stop()


def retries(binary):
    """An endpoint that answers 500 gets it again; enabled_events and deletion are heeded"""
    with Sandbox(binary) as sandbox:
        receiver = Receiver()
        receiver.status = 500
        endpoint = sandbox.endpoint(receiver.url(), "customer.created")
        sandbox.api.post("/v1/products", {"name": "Mug"})
        sandbox.api.post("/v1/customers")
        wait_for(lambda: len(receiver.seen) >= 3, 10, "it is tried again")
        assert set(receiver.types()) == {"customer.created"}, receiver.types()
        receiver.status = 200
        wait_for(lambda: waiting(sandbox) == 0, 10, "it is taken")
        sandbox.api.delete(f"/v1/webhook_endpoints/{endpoint['id']}")
        count = len(receiver.seen)
        sandbox.api.post("/v1/customers")
        time.sleep(0.5)
        assert len(receiver.seen) == count
        receiver.stop()


def rolls(binary):
    """A rolled secret signs beside the old one"""
    with Sandbox(binary) as sandbox:
        receiver = Receiver()
        endpoint = sandbox.endpoint(receiver.url())
        fresh = sandbox.control("roll", {"endpoint": endpoint["id"]}).json["secret"]
        sandbox.api.post("/v1/customers")
        wait_for(lambda: receiver.seen, 10, "it is delivered")
        for secret in (endpoint["secret"], fresh):
            assert signed_by(secret, *receiver.seen[0])[0], secret
        receiver.stop()


def answers_go_wrong(binary):
    """Each fault of an answer does what it says, by header"""
    with Sandbox(binary) as sandbox:
        def send(fault, name):
            return sandbox.api.post("/v1/customers", {"name": name}, key=name,
                                    headers={"Tilld-Sandbox-Fault": fault})

        def count():
            return len(sandbox.api.get("/v1/customers?limit=100").json["data"])

        for fault, status, done in (("error_before", 500, 0), ("error_after", 500, 1),
                                    ("error_final", 500, 1), ("conflict", 409, 0),
                                    ("lock_timeout", 429, 0)):
            before = count()
            answer = send(fault, fault)
            assert answer.status == status, answer
            assert count() - before == done, fault
        assert send("error_after", "again").headers["stripe-should-retry"] == "true"
        assert send("error_final", "final").headers["stripe-should-retry"] == "false"
        for reason in ("global-rate", "global-concurrency", "endpoint-rate",
                       "endpoint-concurrency", "resource-specific"):
            answer = send(reason.replace("-", "_"), reason)
            assert answer.status == 429, answer
            assert answer.headers["stripe-rate-limited-reason"] == reason, answer.headers
        for fault, done in (("reset", 0), ("lost_answer", 1)):
            before = count()
            try:
                send(fault, fault)
                raise AssertionError(f"{fault} was answered")
            except AssertionError:
                raise
            except Exception:  # the connection ended
                sandbox.api.close()
            assert count() - before == done, fault
        replay = sandbox.api.post("/v1/customers", {"name": "lost_answer"}, key="lost_answer")
        assert replay.headers.get("idempotent-replayed") == "true", replay.headers
        began = time.monotonic()
        assert send("slow:400", "slow").status == 200
        assert time.monotonic() - began >= 0.4
        assert send("smoke", "x").status == 400


def deliveries_go_wrong(binary):
    """Each fault of a delivery does what it says, by call"""
    with Sandbox(binary) as sandbox:
        receiver = Receiver()
        secret = sandbox.endpoint(receiver.url())["secret"]
        customer = sandbox.api.post("/v1/customers").json["id"]
        wait_for(lambda: waiting(sandbox) == 0 and receiver.seen, 10, "the first is there")

        def rename(fault, value, name):
            assert sandbox.control("faults", {fault: value}).status == 200
            receiver.seen.clear()
            sandbox.api.post(f"/v1/customers/{customer}", {"name": name})
            began = time.monotonic()
            wait_for(lambda: waiting(sandbox) == 0 and receiver.seen, 10, fault)
            sandbox.control("faults", verb="DELETE")
            return receiver.events(), time.monotonic() - began

        events, _ = rename("duplicate", "1:50", "a")
        assert len(events) == 2 and events[0]["id"] == events[1]["id"], events
        _, took = rename("delay", "1:500", "b")
        assert took >= 0.4
        _, took = rename("drop", "1:500", "c")
        assert took >= 0.4
        events, _ = rename("stale", "1", "d")
        assert events[0]["data"]["object"]["name"] == "c", events
        events, _ = rename("other_version", 1, "e")
        assert events[0]["api_version"] == "2025-03-31.basil"
        rename("clock_skew", "1:900", "f")
        skews = [abs(signed_by(secret, *one)[1] - time.time()) for one in receiver.seen]
        assert skews[0] > 800, skews
        rename("secret_rotation", "1", "g")
        assert receiver.seen[0][0].count("v1=") == 2
        receiver.stop()


def is_repeatable(binary):
    """The same seed and the same requests go wrong in the same way"""
    def run(seed):
        with Sandbox(binary, "--fault", "error_before=0.3", "--fault", "conflict=0.2",
                     "--fault-seed", seed) as sandbox:
            return [sandbox.api.post("/v1/customers").status for _ in range(60)]
    assert run("7") == run("7")
    assert run("7") != run("8")


def keeps_time(binary):
    """The clock of --clock stands still, is advanced, and brings renewals"""
    with Sandbox(binary, "--clock", "2026-01-01") as sandbox:
        price = sandbox.api.post("/v1/prices", {
            "currency": "usd", "unit_amount": 2000, "recurring": {"interval": "month"},
            "product_data": {"name": "Gold"}}).json["id"]
        customer = sandbox.api.post("/v1/customers", {
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"}}).json["id"]
        made = sandbox.api.post("/v1/subscriptions", {"customer": customer,
                                                      "items": [{"price": price}]})
        assert made.json["created"] == 1767225600, made
        assert "01 Jan 2026" in made.headers["date"], made.headers
        assert sandbox.control("clock", {"advance": "1 year"}).json["now"] == 1798761600
        invoices = sandbox.api.get("/v1/invoices?limit=100").json["data"]
        assert len(invoices) == 13, len(invoices)
        ledger = sandbox.control("ledger", verb="GET").json["usd"]
        assert ledger["invoices"] == ledger["charges"] == 12 * 2000, ledger


def refuses(binary):
    """Wrong calls, flags and state files are refused with a sentence, and change nothing"""
    with Sandbox(binary) as sandbox:
        for name, members in (("clock", {"advance": "1 moon"}), ("faults", {"duplicate": 2}),
                              ("faults", {"smoke": 1}), ("settings", {"after_retries": "x"}),
                              ("restore", {"name": "none"}), ("seed", {"customers": 0}),
                              ("authenticate", {"intent": "pi_no", "result": "pass"}),
                              ("roll", {"endpoint": "we_no"}), ("reset", {"now": True})):
            answer = sandbox.control(name, members)
            assert answer.status == 400 and answer.json["error"]["message"], (name, answer)
        assert sandbox.control("nothing", {}).status == 404
        broken = os.path.join(sandbox.lab.dir, "broken")
        with open(broken, "w") as f:
            f.write("tilld-sandbox 1 2\n[]nonsense")
        for arguments, word in ((("--fault", "smoke=1"), "smoke"), (("--fault", "slow=2"), "slow"),
                                (("--clock", "soon"), "soon"), (("--state", broken), "state")):
            done = subprocess.run([binary, "sandbox", "--listen", "127.0.0.1:0", *arguments],
                                  capture_output=True, text=True, timeout=20)
            assert done.returncode in (1, 2) and word in done.stderr, (arguments, done)


def limits(binary):
    """--rate-limits refuses what is too much, with its reason"""
    with Sandbox(binary, "--rate-limits") as sandbox:
        answers = [sandbox.api.post("/v1/customers") for _ in range(60)]
        refused = [a for a in answers if a.status == 429]
        assert refused and any(a.status == 200 for a in answers)
        assert refused[0].headers["stripe-rate-limited-reason"] in ("endpoint-rate", "global-rate")


if __name__ == "__main__":
    harness.main([survives, retries, rolls, answers_go_wrong, deliveries_go_wrong, is_repeatable,
                  keeps_time, refuses, limits])
