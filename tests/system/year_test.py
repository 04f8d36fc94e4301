#!/usr/bin/env python3
"""Years of subscriptions, seeded, under every fault, and a mirror that must be equal at the end.

usage: year_test.py BINARY [--seed S] [--seeds N] [--customers N] [--months N] [--no-faults]

For each seed a sandbox with a frozen clock and a tilld before it. Customers subscribe (with trials,
cards that fail, quantities), and month after month they upgrade, cancel, pause, change cards, are
refunded; the clock walks through renewals and retries. Webhooks arrive late, twice, out of order,
stale, in another version, with short lists, or wrongly signed at first; the API fails. Then:

  - the sum of what invoices were paid equals the ledger of charges,
  - every object that tilld mirrors equals the sandbox's.
"""

import argparse
import json
import os
import random
import sys
import time

import harness
from harness import Lab, wait_for

KINDS = ("customer", "product", "price", "subscription", "invoice", "charge", "payment_intent",
         "payment_method", "setup_intent", "refund", "coupon")

FAULTS = {
    "duplicate": "0.2:800", "reorder": "0.6:1200", "delay": "0.1:700", "drop": "0.08:1500",
    "stale": "0.05", "other_version": "0.05", "short_lists": "0.1", "clock_skew": "0.05:900",
    "secret_rotation": "0.2", "reset": "0.02", "lost_answer": "0.02", "slow": "0.03:60",
    "error_before": "0.03", "error_after": "0.02", "error_final": "0.01", "conflict": "0.02",
    "lock_timeout": "0.02", "global_rate": "0.02", "endpoint_rate": "0.02",
    "endpoint_concurrency": "0.01", "global_concurrency": "0.01", "resource_specific": "0.01",
}

GOOD = ("pm_card_visa", "pm_card_mastercard", "pm_card_amex")
BAD = ("pm_card_chargeCustomerFail",)


class Story:
    """One seed: what its customers do."""

    def __init__(self, lab, seed, customers, months):
        self.lab, self.random = lab, random.Random(seed)
        self.customers, self.months = customers, months
        self.stripe = lab.stripe()
        self.people = []

    def post(self, path, params=None):
        """As an application with retries: the same key until it is answered for good."""
        answer = None
        key = f"year-{self.random.getrandbits(64):x}"
        for _ in range(60):
            try:
                answer = self.stripe.post(path, params or {}, key=key)
            except Exception:
                self.stripe.close()
                continue
            if answer.status in (409, 429) or answer.status >= 500:
                continue
            return answer
        raise AssertionError(f"{path} {params} is never answered: {answer}")

    def control(self, name, members):
        answer = self.stripe.request("POST", f"/_sandbox/{name}", json.dumps(members))
        assert answer.status == 200, answer
        return answer.json

    def attach(self, customer, card):
        method = self.post(f"/v1/payment_methods/{card}/attach", {"customer": customer})
        if method.status == 200:
            self.post(f"/v1/customers/{customer}",
                      {"invoice_settings": {"default_payment_method": method.json["id"]}})

    def begin(self):
        product = self.post("/v1/products", {"name": "Pro"}).json["id"]
        self.prices = [
            self.post("/v1/prices", {"product": product, "currency": "usd", "unit_amount": amount,
                                     "recurring": {"interval": interval}}).json["id"]
            for amount, interval in ((900, "month"), (2900, "month"), (9900, "month"),
                                     (250, "week"))]
        for number in range(self.customers):
            customer = self.post("/v1/customers", {"email": f"c{number}@example.com"}).json["id"]
            if self.random.random() < 0.9:
                self.attach(customer, self.random.choice(GOOD))
            params = {"customer": customer,
                      "items": [{"price": self.random.choice(self.prices),
                                 "quantity": self.random.randint(1, 3)}]}
            if self.random.random() < 0.4:
                params["trial_period_days"] = self.random.choice((2, 7, 14, 31))
                params["trial_settings"] = {"end_behavior": {"missing_payment_method":
                    self.random.choice(("cancel", "pause", "create_invoice"))}}
            if self.random.random() < 0.1:
                params["collection_method"] = "send_invoice"
                params["days_until_due"] = 10
            elif self.random.random() < 0.2:
                params["payment_behavior"] = "default_incomplete"
            sub = self.post("/v1/subscriptions", params)
            if sub.status == 200:
                self.people.append((customer, sub.json["id"]))

    def act(self):
        customer, sub = self.random.choice(self.people)
        what = self.random.choice(
            ("upgrade", "upgrade_now", "pending", "quantity", "cancel_later", "stay", "cancel",
             "bad_card", "good_card", "pause", "unpause", "refund", "pay", "credit", "rename",
             "resume"))
        path = f"/v1/subscriptions/{sub}"
        if what in ("upgrade", "upgrade_now", "pending", "quantity"):
            now = self.get(path)
            if not now["items"]["data"]:
                return
            item = {"id": now["items"]["data"][0]["id"]}
            if what == "quantity":
                item["quantity"] = self.random.randint(1, 5)
            else:
                item["price"] = self.random.choice(self.prices[:3])
            params = {"items": [item]}
            if what == "upgrade_now":
                params["proration_behavior"] = "always_invoice"
            if what == "pending":
                params["proration_behavior"] = "always_invoice"
                params["payment_behavior"] = "pending_if_incomplete"
            self.post(path, params)
        elif what in ("cancel_later", "stay"):
            self.post(path, {"cancel_at_period_end": what == "cancel_later"})
        elif what == "cancel" and self.random.random() < 0.3:
            self.stripe_delete(path)
        elif what == "bad_card":
            self.attach(customer, self.random.choice(BAD))
        elif what == "good_card":
            self.attach(customer, self.random.choice(GOOD))
        elif what == "pause":
            self.post(path, {"pause_collection": {"behavior": self.random.choice(
                ("keep_as_draft", "mark_uncollectible", "void"))}})
        elif what == "unpause":
            self.post(path, {"pause_collection": ""})
        elif what == "refund":
            charges = self.get(f"/v1/charges?customer={customer}&limit=1")["data"]
            if charges:
                self.post("/v1/refunds", {"charge": charges[0]["id"],
                                          "amount": max(1, charges[0]["amount"] // 3)})
        elif what == "pay":
            invoices = self.get(f"/v1/invoices?customer={customer}&status=open&limit=1")["data"]
            if invoices:
                self.post(f"/v1/invoices/{invoices[0]['id']}/pay")
        elif what == "credit":
            self.post(f"/v1/customers/{customer}/balance_transactions",
                      {"amount": -self.random.randint(100, 2000), "currency": "usd"})
        elif what == "resume":
            self.post(path + "/resume", {"billing_cycle_anchor": "now"})
        else:
            self.post(f"/v1/customers/{customer}", {"name": f"N{self.random.randint(0, 99)}"})

    def get(self, target):
        for _ in range(60):
            try:
                answer = self.stripe.get(target)
            except Exception:
                self.stripe.close()
                continue
            if answer.status == 200:
                return answer.json
        raise AssertionError(f"{target} is never answered")

    def stripe_delete(self, path):
        for _ in range(60):
            try:
                if self.stripe.delete(path).status in (200, 404):
                    return
            except Exception:
                self.stripe.close()

    def run(self):
        self.begin()
        for _ in range(self.months):
            for _ in range(3):
                for _ in range(max(1, len(self.people) // 4)):
                    self.act()
                self.control("clock", {"advance": f"{self.random.randint(8, 12)} days "
                                                  f"{self.random.randint(0, 23)} hours"})


def settled(lab):
    if not lab.deliveries_done():
        return False
    metrics = lab.api().get("/metrics").body.decode()
    return any(line.startswith("tilld_refetches_waiting") and float(line.split()[-1]) == 0
               for line in metrics.splitlines())


def paid(dump):
    sums = {}
    for invoice in dump.get("invoice", {}).values():
        if not invoice.get("deleted"):
            sums[invoice["currency"]] = (sums.get(invoice["currency"], 0) +
                                         invoice["amount_paid"])
    return sums


def one_seed(binary, seed, options):
    with Lab(binary, sandbox_options=("--clock", "2026-01-01", "--seed", str(seed),
                                      "--fault-seed", str(seed))) as lab:
        story = Story(lab, seed, options.customers, options.months)
        if not options.no_faults:
            story.control("faults", FAULTS)
        began = time.monotonic()
        story.run()
        lived = time.monotonic() - began
        lab.stripe().request("DELETE", "/_sandbox/faults")
        wait_for(lambda: settled(lab), 180, "everything is delivered and fetched")
        time.sleep(0.3)
        wait_for(lambda: settled(lab), 60, "everything is fetched")
        settling = time.monotonic() - began - lived
        differences, compared = harness.mirror_differences(lab, KINDS)
        for kind, object_id, mirrored, truth in differences[:3]:
            show_difference(kind, object_id, mirrored, truth)
        assert not differences, f"seed {seed}: {len(differences)} of {compared} objects differ"
        sums = paid(lab.dump())
        ledger = lab.stripe().get("/_sandbox/ledger").json
        # What was paid out of band or by balance is no charge; nothing here is.
        for currency, sum_paid in sums.items():
            charged = ledger.get(currency, {}).get("charges", 0)
            assert sum_paid == charged, f"seed {seed}: paid {sum_paid}, charged {charged}"
        return compared, sums, lived, settling


def show_difference(kind, object_id, mirrored, truth):
    print(f"differs: {kind} {object_id}", file=sys.stderr)
    try:
        held = json.loads(mirrored)
    except ValueError:
        print(f"  {mirrored}", file=sys.stderr)
        return
    for key in sorted(set(held) | set(truth)):
        if held.get(key) != truth.get(key):
            print(f"  {key}: mirror {json.dumps(held.get(key))[:300]}\n"
                  f"  {key}: truth  {json.dumps(truth.get(key))[:300]}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("TILLD_SEEDS", "5")))
    parser.add_argument("--customers", type=int, default=12)
    parser.add_argument("--months", type=int, default=6)
    parser.add_argument("--no-faults", action="store_true")
    options = parser.parse_args()
    binary = os.path.abspath(options.binary)
    failed = 0
    for seed in range(options.seed, options.seed + options.seeds):
        try:
            compared, sums, lived, settling = one_seed(binary, seed, options)
            print(f"ok   seed {seed}: {compared} objects equal, paid {sums}, {lived:.1f} s + "
                  f"{settling:.1f} s to settle", flush=True)
        except Exception as error:  # noqa: BLE001 - the next seed may tell more
            failed += 1
            print(f"FAIL seed {seed}: {error}", flush=True)
    print(f"{options.seeds - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
