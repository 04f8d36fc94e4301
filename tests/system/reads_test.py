#!/usr/bin/env python3
"""What tilld answers from its mirror is what Stripe would have answered.

usage: reads_test.py BINARY
"""

import time

import harness
from harness import Lab, canonical, wait_for


class Shop:
    """A few of everything, made through tilld."""

    def __init__(self, lab):
        self.lab, self.api, self.truth = lab, lab.api(), lab.stripe()
        product = self.post("/v1/products", {"name": "Gold"})["id"]
        self.price = self.post("/v1/prices", {
            "product": product, "currency": "usd", "unit_amount": 700,
            "recurring": {"interval": "month"}})["id"]
        self.customers = [self.customer(n) for n in range(4)]

    def post(self, target, params=None):
        answer = self.api.post(target, params)
        assert answer.status == 200, (target, answer)
        return answer.json

    def customer(self, n):
        made = self.post("/v1/customers", {
            "email": f"c{n}@example.com", "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"}})["id"]
        if n == 3:
            return made
        for card in ("pm_card_mastercard", "pm_card_amex")[:n]:
            self.post(f"/v1/payment_methods/{card}/attach", {"customer": made})
        for _ in range(n + 1):
            self.post("/v1/subscriptions", {"customer": made, "items": [{"price": self.price}]})
        for value in ("DE123456789", "FR12345678901")[:n]:
            self.post(f"/v1/customers/{made}/tax_ids", {"type": "eu_vat", "value": value})
        return made

    def settle(self):
        wait_for(self.lab.deliveries_done, 20, "all events are delivered")
        time.sleep(2.2)

    def check(self, target, source="mirror"):
        """The same as Stripe's answer, field by field."""
        mine, its = self.api.get(target), self.truth.get(target)
        assert mine.status == its.status, (target, mine, its)
        assert canonical(mine.json) == canonical(its.json), (target, mine.body, its.body)
        if source:
            assert mine.headers["tilld-source"] == source, (target, mine.headers)

    def whole(self, *targets):
        """Until tilld answers these itself."""
        for target in targets:
            wait_for(lambda t=target: self.api.get(t).headers["tilld-source"] == "mirror", 20,
                     f"{target} comes from the mirror")


def expanded(binary):
    """expand[]: members that are added on demand, ids through every level"""
    with Lab(binary) as lab:
        shop = Shop(lab)
        charge = shop.api.get(f"/v1/charges?customer={shop.customers[2]}").json["data"][0]["id"]
        for amount in (100, 50):
            shop.post("/v1/refunds", {"charge": charge, "amount": amount})
        canceled = shop.api.get(f"/v1/subscriptions?customer={shop.customers[2]}").json["data"][1]
        assert shop.api.delete(f"/v1/subscriptions/{canceled['id']}").status == 200
        shop.settle()
        shop.whole("/v1/subscriptions", "/v1/refunds", "/v1/invoices", "/v1/customers",
                   "/v1/charges", "/v1/payment_intents")
        for one in shop.customers:
            shop.check(f"/v1/customers/{one}?expand[]=subscriptions.data.latest_invoice"
                       "&expand[]=invoice_settings.default_payment_method")
        shop.check(f"/v1/charges/{charge}?expand[]=refunds&expand[]=customer.subscriptions")
        shop.check(f"/v1/charges/{charge}?expand[]=balance_transaction")
        shop.check("/v1/customers?expand[]=data.subscriptions.data.default_payment_method")
        shop.check("/v1/invoices?expand[]=data.customer")
        shop.check("/v1/invoices?expand[]=data.payments", "stripe")  # not all told by events
        shop.check("/v1/payment_intents?expand[]=data.latest_charge.refunds"
                   "&expand[]=data.latest_charge.customer")
        shop.check("/v1/subscriptions?status=all&limit=2&expand[]=data.customer.subscriptions")
        shop.check(f"/v1/prices/{shop.price}?expand[]=tiers", "stripe")
        shop.check(f"/v1/prices/{shop.price}?expand[]=product")


if __name__ == "__main__":
    harness.main([expanded])
