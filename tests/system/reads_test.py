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
        bodies = [answer.json for answer in (mine, its)]
        for body in bodies:
            body.get("error", {}).pop("request_log_url", None)  # of that very request
        assert canonical(bodies[0]) == canonical(bodies[1]), (target, mine.body, its.body)
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


def owned(binary):
    """payment methods and tax IDs by customer, also as they come and go"""
    with Lab(binary) as lab:
        shop = Shop(lab)
        shop.settle()
        lists = ["/v1/customers/{}/payment_methods", "/v1/payment_methods?customer={}",
                 "/v1/customers/{}/payment_methods?type=card&limit=2",
                 "/v1/customers/{}/payment_methods?type=us_bank_account",
                 "/v1/customers/{}/tax_ids", "/v1/customers/{}/tax_ids?limit=1",
                 "/v1/tax_ids?owner[type]=customer&owner[customer]={}",
                 "/v1/customers/{}?expand[]=tax_ids",
                 "/v1/customers/{}/payment_methods?expand[]=data.customer"]

        def check(source="mirror"):
            for one in shop.customers:
                for target in lists:
                    shop.check(target.format(one), source)

        for one in shop.customers:  # these pass by, and are known then
            for target in ("/v1/customers/{}/payment_methods", "/v1/customers/{}/tax_ids"):
                shop.check(target.format(one), "stripe")
        time.sleep(0.2)
        check()
        cards = shop.api.get(f"/v1/customers/{shop.customers[2]}/payment_methods").json["data"]
        ids = shop.api.get(f"/v1/customers/{shop.customers[2]}/tax_ids").json["data"]
        below = f"/v1/customers/{shop.customers[2]}"
        shop.check(f"{below}/payment_methods/{cards[1]['id']}")
        shop.check(f"{below}/tax_ids/{ids[1]['id']}")
        shop.check(f"{below}/payment_methods?starting_after={cards[0]['id']}&limit=1")
        shop.check(f"{below}/payment_methods?ending_before={cards[2]['id']}&limit=1")
        shop.check(f"/v1/customers/{shop.customers[1]}/tax_ids/{ids[0]['id']}", "stripe")  # 404

        # At Stripe, so that tilld knows by events alone; and through tilld.
        elsewhere = lab.stripe()
        assert elsewhere.post(f"/v1/payment_methods/{cards[0]['id']}/detach").status == 200
        assert elsewhere.post("/v1/payment_methods/pm_card_visa/attach",
                              {"customer": shop.customers[0]}).status == 200
        assert elsewhere.delete(f"{below}/tax_ids/{ids[0]['id']}").status == 200
        shop.post(f"/v1/customers/{shop.customers[3]}/tax_ids",
                  {"type": "eu_vat", "value": "DE123456789"})
        shop.post(f"/v1/payment_methods/{cards[1]['id']}/detach")
        check("")  # right at once, wherever it comes from
        shop.settle()
        check()
        gone = shop.customers[1]
        assert shop.api.delete(f"/v1/customers/{gone}").status == 200
        shop.settle()
        for target in lists:
            if "expand" not in target:
                shop.check(target.format(gone), "")


if __name__ == "__main__":
    harness.main([expanded, owned])
