#!/usr/bin/env python3
"""kill -9 at full load, again and again, with real processes.

usage: kill_test.py BINARY [--kills N] [--seed S]

Orders go through tilld to the sandbox, the sandbox's webhooks come back to tilld, and a flood of
signed events of its own arrives beside them. tilld is killed at random moments and started again.
At the end:

  - every event that was answered 2xx is applied,
  - the mirror equals the sandbox on every object,
  - no order took effect twice, and every order that was answered 2xx took effect.
"""

import argparse
import json
import os
import random
import sys
import threading
import time
from collections import Counter

import harness
from harness import Client, Lab, deliver, wait_for


def flood_event(customer, version, created):
    previous = {"metadata": {"version": str(version - 1)}} if version > 1 else None
    data = {"object": {"id": customer, "object": "customer", "created": 1_700_000_000,
                       "email": f"{customer}@example.com", "livemode": False,
                       "metadata": {"version": str(version)}, "description": "x" * 1500}}
    if previous:
        data["previous_attributes"] = previous
    return {"id": f"evt_{customer}_{version}", "object": "event", "created": created,
            "type": "customer.updated" if previous else "customer.created", "livemode": False,
            "api_version": harness.API_VERSION, "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None}, "data": data}


class Flood(threading.Thread):
    """Events of some customers of its own, each sent until it is answered 2xx, with duplicates."""

    def __init__(self, lab, number, seed, stop):
        super().__init__(daemon=True)
        self.lab, self.number, self.stop = lab, number, stop
        self.random = random.Random(seed)
        self.acked = {}
        self.sent = 0

    def run(self):
        client = self.lab.webhooks()
        customers = [f"cus_flood{self.number}x{i}" for i in range(20)]
        versions = Counter()
        clock = int(time.time()) - 3000
        while not self.stop.is_set():
            customer = self.random.choice(customers)
            versions[customer] += 1
            clock += self.random.choice((0, 0, 0, 0, 1))
            event = flood_event(customer, versions[customer], clock)
            self.push(client, event, customer, versions[customer])
            if self.random.random() < 0.1:
                self.push(client, event, customer, versions[customer])

    def push(self, client, event, customer, version):
        while not self.stop.is_set():
            try:
                answer = deliver(client, self.lab.WEBHOOK_SECRET, event)
            except OSError:
                time.sleep(0.01)
                continue
            except Exception:  # a connection cut half-way through an answer
                client.close()
                continue
            self.sent += 1
            if answer.status == 200:
                self.acked[customer] = version
                return
            time.sleep(0.02)


class Orders(threading.Thread):
    """An application: makes customers, subscribes them, changes and cancels, each order with a key
    and sent until it is answered for good."""

    def __init__(self, lab, number, seed, stop, price):
        super().__init__(daemon=True)
        self.lab, self.number, self.stop, self.price = lab, number, stop, price
        self.random = random.Random(seed)
        self.done = []     # op ids answered 2xx
        self.begun = set()  # all op ids
        self.strange = []
        self.count = 0

    def run(self):
        client = self.lab.api()
        while not self.stop.is_set():
            customer = self.order(client, "/v1/customers",
                                  {"email": f"o{self.number}@example.com",
                                   "payment_method": "pm_card_visa",
                                   "invoice_settings": {"default_payment_method": "pm_card_visa"}})
            if not customer:
                continue
            self.order(client, f"/v1/customers/{customer['id']}", {"name": "Ada"})
            sub = self.order(client, "/v1/subscriptions",
                             {"customer": customer["id"], "items": [{"price": self.price}]})
            if sub and self.random.random() < 0.5:
                self.order(client, f"/v1/subscriptions/{sub['id']}",
                           {"cancel_at_period_end": True})

    def order(self, client, path, params):
        op = f"op-{self.number}-{self.count}"
        self.count += 1
        self.begun.add(op)
        params = dict(params, metadata={"op_id": op})
        while not self.stop.is_set():
            try:
                answer = client.post(path, params, key=op)
            except Exception:
                client.close()
                time.sleep(0.01)
                continue
            if answer.status == 200:
                self.done.append(op)
                return answer.json
            if answer.status in (409, 429) or answer.status >= 500:
                time.sleep(0.02)
                continue
            self.strange.append((op, path, answer.status, answer.body[:500]))
            return None
        return None


def effects(dump, events):
    """How often each op took effect, from the sandbox's own ledger of events."""
    count = Counter()
    for event in events:
        key = (event.get("request") or {}).get("idempotency_key")
        if key and key.startswith("op-") and event["type"] in (
                "customer.created", "customer.subscription.created"):
            count[key] += 1
    return count


def all_events(lab):
    client, found, after = lab.stripe(), [], None
    while True:
        page = client.get("/v1/events?limit=100" + (f"&starting_after={after}" if after else ""))
        body = page.json
        found += body["data"]
        if not body["has_more"]:
            return found
        after = body["data"][-1]["id"]


KINDS = ("customer", "product", "price", "subscription", "invoice", "charge", "payment_intent",
         "payment_method")


def check(lab, floods, orders):
    strange = [s for o in orders for s in o.strange]
    assert not strange, f"orders refused: {strange[:3]}"
    api = lab.api()
    behind = []
    for flood in floods:
        for customer, version in flood.acked.items():
            answer = api.get(f"/v1/customers/{customer}")
            held = int(answer.json["metadata"]["version"]) if answer.status == 200 else 0
            if held < version:
                behind.append((customer, version, held))
    assert not behind, f"acknowledged events that are not applied: {behind[:5]}"
    events = all_events(lab)
    took = effects(None, events)
    twice = {op: n for op, n in took.items() if n > 1}
    assert not twice, f"orders that took effect twice: {twice}"
    truth = lab.dump()
    carried = {o.get("metadata", {}).get("op_id") for kind in ("customer", "subscription")
               for o in truth.get(kind, {}).values()} - {None}
    carried |= {(e.get("request") or {}).get("idempotency_key") for e in events}
    lost = [op for o in orders for op in o.done if op not in carried]
    assert not lost, f"orders answered 2xx without effect: {lost[:5]}"
    differences, compared = harness.mirror_differences(lab, KINDS)
    for kind, object_id, mirrored, wanted in differences[:3]:
        print(f"differs: {kind} {object_id}\n  mirror {mirrored[:1500]}\n  truth  "
              f"{json.dumps(wanted)[:1500]}", file=sys.stderr)
    assert not differences, f"{len(differences)} of {compared} objects differ"
    return compared, len(events)


def nothing_stale(lab):
    metrics = lab.api().get("/metrics").body.decode()
    for line in metrics.splitlines():
        if line.startswith("tilld_refetches_waiting"):
            return float(line.split()[-1]) == 0
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--kills", type=int, default=int(os.environ.get("TILLD_KILLS", "10")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TILLD_SEED", "0"))
                        or int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.kills} kills", flush=True)
    chance = random.Random(options.seed)
    with Lab(os.path.abspath(options.binary)) as lab:
        stripe = lab.stripe()
        product = stripe.post("/v1/products", {"name": "Pro"}).json
        price = stripe.post("/v1/prices", {"product": product["id"], "currency": "usd",
                                           "unit_amount": 1900,
                                           "recurring": {"interval": "month"}}).json
        harness.API_VERSION = stripe.get("/v1/events?limit=1").json["data"][0]["api_version"]
        stop = threading.Event()
        floods = [Flood(lab, i, options.seed + i, stop) for i in range(4)]
        orders = [Orders(lab, i, options.seed + 100 + i, stop, price["id"]) for i in range(4)]
        for thread in floods + orders:
            thread.start()
        began = time.monotonic()
        for number in range(options.kills):
            time.sleep(chance.uniform(0.15, 0.9))
            lab.daemon.kill()
            lab.start_daemon()
        stop.set()
        for thread in floods + orders:
            thread.join(60)
        took = time.monotonic() - began
        wait_for(lambda: lab.deliveries_done(), 120, "all webhooks are delivered")
        wait_for(lambda: nothing_stale(lab), 60, "nothing waits for a refetch")
        time.sleep(0.5)
        compared, events = check(lab, floods, orders)
        acked = sum(f.sent for f in floods)
        done = sum(len(o.done) for o in orders)
        print(f"{options.kills} kills in {took:.0f} s; {acked} flood events, {done} orders, "
              f"{events} Stripe events; {compared} objects equal; no order twice")
        print("1 passed, 0 failed")


if __name__ == "__main__":
    main()
