"""A sandbox with something of everything: what walk_test.py walks.

Each function makes one corner of the account by the API, as an application would, and leaves
objects in the states that Stripe has for them: also deleted, canceled, voided, refused.
"""

import itertools
import json
import urllib.parse

from harness import form

AUTOMATIC = {"enabled": True, "allow_redirects": "never"}


class World:
    """Calls of the API that must succeed, and the names of what they made."""

    made = itertools.count(1)

    def __init__(self, client, account=None):
        self.client, self.account = client, account

    def call(self, verb, path, params=None, statuses=(200,)):
        headers = {"Stripe-Account": self.account} if self.account else {}
        if verb == "POST":
            answer = self.client.post(path, params, headers=headers)
        else:
            query = "?" + urllib.parse.urlencode(form(params)) if params else ""
            answer = self.client.request(verb, path + query, headers=headers)
        assert answer.status in statuses, f"{verb} {path} {params}: {answer}"
        return answer.json

    def post(self, path, params=None, statuses=(200,)):
        return self.call("POST", "/v1/" + path, params, statuses)

    def delete(self, path, params=None):
        return self.call("DELETE", "/v1/" + path, params)

    def get(self, path, params=None):
        return self.call("GET", "/v1/" + path, params)

    def refused(self, path, params):
        return self.post(path, params, (400, 402, 404))

    def unique(self, prefix):
        return f"{prefix}-{next(self.made)}"

    def price(self, amount=2000, **more):
        params = {"currency": "usd", "unit_amount": amount, "recurring": {"interval": "month"},
                  "product_data": {"name": self.unique("Gold")}}
        params.update(more)
        return self.post("prices", {k: v for k, v in params.items() if v is not None})

    def customer(self, card="pm_card_visa", **more):
        params = {"email": f"{self.unique('someone')}@example.com", **more}
        if card:
            params.update(payment_method=card, invoice_settings={"default_payment_method": card})
        return self.post("customers", params)

    def subscribed(self, buyer, price, **more):
        return self.post("subscriptions", {"customer": buyer["id"], "items": [
            {"price": price["id"]}], **more})

    def control(self, path, body):
        answer = self.client.request("POST", "/_sandbox/" + path, json.dumps(body))
        assert answer.status == 200, f"{path} {body}: {answer}"
        return answer.json


def catalogue(w):
    product = w.post("products", {"name": "Plain", "description": "x", "metadata": {"a": "ü\"\\"}})
    w.post("products/" + product["id"], {"description": "", "metadata": {"b": "2", "a": ""}})
    w.delete("products/" + w.post("products", {"name": "Gone"})["id"])
    w.post("prices/" + w.price(700)["id"], {"active": False, "nickname": "old"})
    w.price(None, billing_scheme="tiered", tiers_mode="graduated", unit_amount=None,
            tiers=[{"up_to": 5, "unit_amount": 100}, {"up_to": "inf", "unit_amount": 50}])
    w.price(500, recurring=None, lookup_key=w.unique("once"))
    w.price(None, unit_amount=None, unit_amount_decimal="0.5")
    w.price(500, transform_quantity={"divide_by": 10, "round": "up"})
    off = w.post("coupons", {"percent_off": 25, "duration": "forever", "name": "Q"})
    w.post("coupons", {"amount_off": 300, "currency": "usd", "duration": "repeating",
                       "duration_in_months": 3, "metadata": {"k": "v"}})
    w.delete("coupons/" + w.post("coupons", {"percent_off": 5, "duration": "once"})["id"])
    code = w.post("promotion_codes", {"promotion": {"type": "coupon", "coupon": off["id"]},
                                      "restrictions": {"first_time_transaction": True}})
    w.post("promotion_codes/" + code["id"], {"active": False})
    tax = w.post("tax_rates", {"display_name": "VAT", "percentage": 19, "inclusive": False})
    w.post("tax_rates/" + tax["id"], {"active": False})
    feature = w.post("entitlements/features", {"name": "API", "lookup_key": w.unique("api")})
    other = w.post("entitlements/features", {"name": "Old", "lookup_key": w.unique("old")})
    w.post("entitlements/features/" + other["id"], {"active": False})
    w.post(f"products/{product['id']}/features", {"entitlement_feature": feature["id"]})
    gone = w.post(f"products/{product['id']}/features", {"entitlement_feature": other["id"]},
                  (200, 400))
    if "id" in gone:
        w.delete(f"products/{product['id']}/features/{gone['id']}")
    entitled = w.price(900, product=product["id"], product_data=None)
    w.subscribed(w.customer(), entitled)


def customers(w):
    ada = w.customer(name="Ada", phone="+4912345", metadata={"user_id": w.unique("ada")}, address={
        "line1": "Street 1", "city": "Berlin", "country": "DE"},
        shipping={"name": "Ada", "address": {"line1": "Street 2"}})
    w.post("customers/" + ada["id"], {"phone": "", "preferred_locales": ["de"], "balance": -500})
    w.post(f"customers/{ada['id']}/balance_transactions", {"amount": 200, "currency": "usd"})
    tax = w.post(f"customers/{ada['id']}/tax_ids", {"type": "eu_vat", "value": "DE123456789"})
    w.post("tax_ids", {"type": "us_ein", "value": "12-3456789",
                       "owner": {"type": "customer", "customer": ada["id"]}}, (200, 501))
    spare = w.post(f"customers/{ada['id']}/tax_ids", {"type": "eu_vat", "value": "DE111111111"})
    w.delete(f"customers/{ada['id']}/tax_ids/{spare['id']}")
    w.post("customers/" + ada["id"], {"metadata": {"tax": tax["id"]}})
    card = w.post("payment_methods/pm_card_mastercard/attach", {"customer": ada["id"]})
    w.post("payment_methods/" + card["id"], {"billing_details": {"name": "Ada"}})
    loose = w.post("payment_methods/pm_card_amex/attach", {"customer": ada["id"]})
    w.post(f"payment_methods/{loose['id']}/detach")
    w.delete("customers/" + w.customer("")["id"])
    gone = w.customer()
    w.subscribed(gone, w.price())
    w.delete("customers/" + gone["id"])


def payments(w):
    buyer = w.customer()

    def intent(card, **more):
        return w.post("payment_intents", {
            "amount": 3000, "currency": "usd", "customer": buyer["id"], "payment_method": card,
            "confirm": True, "automatic_payment_methods": AUTOMATIC, **more}, (200, 402))

    paid = intent("pm_card_visa")
    w.post("refunds", {"payment_intent": paid["id"], "amount": 1000, "metadata": {"why": "sorry"}})
    w.post("refunds", {"charge": paid["latest_charge"]})
    held = intent("pm_card_visa", capture_method="manual")
    w.post(f"payment_intents/{held['id']}/capture", {"amount_to_capture": 2000})
    w.post(f"payment_intents/{intent('pm_card_visa', capture_method='manual')['id']}/cancel")
    intent("pm_card_visa_chargeDeclined")
    disputed = intent("pm_card_createDispute")
    for dispute in w.get("disputes", {"payment_intent": disputed["id"]})["data"]:
        w.post("disputes/" + dispute["id"], {"evidence": {"uncategorized_text": "it was sent"}})
    lost = intent("pm_card_createDispute")
    for dispute in w.get("disputes", {"payment_intent": lost["id"]})["data"]:
        w.post(f"disputes/{dispute['id']}/close")
    intent("pm_card_createIssuerFraudRecord")
    w.post("refunds", {"payment_intent": intent("pm_card_refundFail")["id"]})
    secure = w.post("payment_intents", {
        "amount": 900, "currency": "eur", "payment_method": "pm_card_authenticationRequired",
        "confirm": True, "automatic_payment_methods": {"enabled": True},
        "return_url": "https://example.com/back"})
    w.control("authenticate", {"intent": secure["id"], "result": "pass"})
    w.post("payment_intents", {"amount": 1, "currency": "usd"}, (200, 400))
    w.post("setup_intents", {"customer": buyer["id"], "payment_method": "pm_card_visa",
                             "confirm": True, "automatic_payment_methods": AUTOMATIC})
    w.post("setup_intents", {"customer": buyer["id"], "confirm": True,
                             "payment_method": "pm_card_visa_chargeDeclined",
                             "automatic_payment_methods": AUTOMATIC}, (200, 402))
    opened = w.post("setup_intents", {"customer": buyer["id"]})
    w.post(f"setup_intents/{opened['id']}/cancel")


def subscriptions(w):
    buyer, gold, silver = w.customer(), w.price(3000), w.price(1000)
    tax = w.post("tax_rates", {"display_name": "VAT", "percentage": 7, "inclusive": True})
    off = w.post("coupons", {"percent_off": 50, "duration": "repeating", "duration_in_months": 2})
    code = w.post("promotion_codes", {"promotion": {"type": "coupon", "coupon": off["id"]}})
    sub = w.subscribed(buyer, silver, default_tax_rates=[tax["id"]],
                       discounts=[{"promotion_code": code["id"]}], metadata={"team": "7"})
    item = sub["items"]["data"][0]["id"]
    w.post("subscriptions/" + sub["id"], {"items": [{"id": item, "price": gold["id"]}],
                                          "proration_behavior": "always_invoice"})
    w.post("subscriptions/" + sub["id"], {"cancel_at_period_end": True})
    two = w.post("subscriptions", {"customer": buyer["id"], "items": [
        {"price": gold["id"], "quantity": 3, "metadata": {"seat": "1"}}, {"price": silver["id"]}]})
    added = w.post("subscription_items", {"subscription": two["id"], "price": w.price(5)["id"]})
    w.delete("subscription_items/" + added["id"])
    w.delete("subscriptions/" + w.subscribed(buyer, silver)["id"])
    w.subscribed(w.customer("pm_card_chargeCustomerFail"), silver)
    w.subscribed(w.customer("pm_card_authenticationRequired"), silver)
    w.subscribed(w.customer(""), silver, payment_behavior="default_incomplete")
    w.subscribed(w.customer(""), silver, trial_period_days=14, trial_settings={
        "end_behavior": {"missing_payment_method": "pause"}})
    held = w.subscribed(buyer, silver)
    w.post("subscriptions/" + held["id"], {"pause_collection": {"behavior": "void"}})
    w.subscribed(w.customer(""), silver, collection_method="send_invoice", days_until_due=30)
    month = {"interval": "month", "interval_count": 1}
    planned = w.post("subscription_schedules", {
        "customer": buyer["id"], "start_date": "now", "end_behavior": "cancel", "phases": [
            {"items": [{"price": silver["id"]}], "duration": month},
            {"items": [{"price": gold["id"], "quantity": 2}], "duration": month}]})
    w.post("subscription_schedules/" + planned["id"], {"metadata": {"by": "hand"}})
    free = w.post("subscription_schedules", {"from_subscription": two["id"]})
    w.post(f"subscription_schedules/{free['id']}/release")


def clocks(w):
    start = 1767225600  # 2026-01-01
    clock = w.post("test_helpers/test_clocks", {"frozen_time": start, "name": "a year"})
    gold = w.price(2000)
    good = w.customer(test_clock=clock["id"])
    w.subscribed(good, gold)
    w.subscribed(w.customer("", test_clock=clock["id"]), gold, trial_period_days=7,
                 trial_settings={"end_behavior": {"missing_payment_method": "cancel"}})
    poor = w.customer(test_clock=clock["id"])
    w.subscribed(poor, gold)
    bad = w.post("payment_methods/pm_card_chargeCustomerFail/attach", {"customer": poor["id"]})
    w.post("customers/" + poor["id"], {"invoice_settings": {"default_payment_method": bad["id"]}})
    for days in (32, 45, 62):
        w.post(f"test_helpers/test_clocks/{clock['id']}/advance",
               {"frozen_time": start + days * 86400})
        while w.get("test_helpers/test_clocks/" + clock["id"])["status"] != "ready":
            pass
    w.post("quotes", {"customer": good["id"], "line_items": [{"price": gold["id"]}]})
    w.post("subscription_schedules", {
        "customer": good["id"], "start_date": start + 90 * 86400, "end_behavior": "release",
        "phases": [{"items": [{"price": gold["id"]}],
                    "duration": {"interval": "month", "interval_count": 1}}]})
    over = w.post("test_helpers/test_clocks", {"frozen_time": start})
    w.subscribed(w.customer("", test_clock=over["id"]), gold, trial_period_days=7)
    w.delete("test_helpers/test_clocks/" + over["id"])


def invoices(w):
    buyer = w.customer()

    def draft(*amounts, **more):
        made = w.post("invoices", {"customer": buyer["id"], **more})
        for amount in amounts:
            w.post("invoiceitems", {"customer": buyer["id"], "invoice": made["id"],
                                    "amount": amount, "currency": "usd", "description": "Work"})
        return made["id"]

    paid = draft(1500, 200)
    w.post(f"invoices/{paid}/finalize")
    w.post(f"invoices/{paid}/pay")
    due = {"collection_method": "send_invoice", "days_until_due": 30}
    for ending in ("void", "mark_uncollectible", "send"):
        made = draft(100, **due)
        w.post(f"invoices/{made}/finalize")
        w.post(f"invoices/{made}/{ending}")
    noted = draft(900, **due)
    w.post(f"invoices/{noted}/finalize")
    note = w.post("credit_notes", {"invoice": noted, "amount": 300})
    w.post(f"credit_notes/{note['id']}/void")
    w.post("credit_notes", {"invoice": paid, "amount": 700, "refund_amount": 500,
                            "credit_amount": 200})
    w.delete("invoices/" + draft())
    added = w.post(f"invoices/{draft()}/add_lines", {"lines": [
        {"amount": 700, "description": "Work"}, {"amount": 300, "description": "Parts"}]})
    w.post(f"invoices/{added['id']}/remove_lines", {"lines": [
        {"id": added["lines"]["data"][0]["id"], "behavior": "delete"}]})
    many = w.post("invoices", {"customer": buyer["id"]})["id"]
    for n in range(0, 12):
        w.post("invoiceitems", {"customer": buyer["id"], "invoice": many, "amount": 10 + n,
                                "currency": "usd"})
    pending = w.post("invoiceitems", {"customer": buyer["id"], "amount": 5, "currency": "usd"})
    w.post("invoiceitems/" + pending["id"], {"description": "later", "metadata": {"x": "y"}})
    gone = w.post("invoiceitems", {"customer": buyer["id"], "amount": 6, "currency": "usd"})
    w.delete("invoiceitems/" + gone["id"])


def sales(w):
    buyer, gold = w.customer(), w.price(3000)
    fee = w.price(5000, recurring=None)
    lines = [{"price": gold["id"], "quantity": 1}, {"price": fee["id"]}]
    quote = w.post("quotes", {"customer": buyer["id"], "line_items": lines})
    w.post(f"quotes/{quote['id']}/finalize")
    w.post(f"quotes/{quote['id']}/accept")
    w.post("quotes", {"customer": buyer["id"], "line_items": lines, "header": "draft"})
    off = w.post("quotes", {"customer": buyer["id"], "line_items": lines})
    w.post(f"quotes/{off['id']}/cancel")
    link = w.post("payment_links", {"line_items": [{"price": fee["id"], "quantity": 2}]})
    w.post("payment_links/" + link["id"], {"active": False})
    w.post("payment_links", {"line_items": [{"price": gold["id"], "quantity": 1}]})
    urls = {"success_url": "https://example.com/ok", "cancel_url": "https://example.com/no"}
    w.post("checkout/sessions", {"mode": "subscription", "line_items": lines[:1], **urls})
    w.post("checkout/sessions", {"mode": "setup", "currency": "usd", **urls})
    done = w.post("checkout/sessions", {"mode": "payment", "customer": buyer["id"],
                                        "line_items": [{"price": fee["id"], "quantity": 1}],
                                        "metadata": {"cart": "1"}, **urls})
    page(w, done["url"], {"email": "ada@example.com", "number": "4242424242424242",
                          "expiry": "12/34", "cvc": "123"})
    ended = w.post("checkout/sessions", {"mode": "payment", "line_items": [
        {"price": fee["id"], "quantity": 1}], **urls})
    w.post(f"checkout/sessions/{ended['id']}/expire")
    portal = w.post("billing_portal/configurations", {
        "features": {"invoice_history": {"enabled": True}}, "metadata": {"of": "walk"}})
    w.post("billing_portal/sessions", {"customer": buyer["id"], "configuration": portal["id"],
                                       "return_url": "https://example.com/back"})


def page(w, url, fields):
    path = urllib.parse.urlsplit(url).path
    answer = w.client.request("POST", path, urllib.parse.urlencode(fields),
                              {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 303, answer


def usage(w):
    name = w.unique("tokens").replace("-", "_")
    meter = w.post("billing/meters", {"display_name": "Tokens", "event_name": name,
                                      "default_aggregation": {"formula": "sum"}})
    buyer = w.customer()
    metered = w.price(5, recurring={"interval": "month", "usage_type": "metered",
                                    "meter": meter["id"]})
    w.subscribed(buyer, metered)
    w.post("billing/meter_events", {"event_name": name, "payload": {
        "value": 25, "stripe_customer_id": buyer["id"]}})
    other = w.post("billing/meters", {"display_name": "Old", "event_name": name + "_old",
                                      "default_aggregation": {"formula": "count"}})
    w.post(f"billing/meters/{other['id']}/deactivate")


def places(w):
    made = w.post("webhook_endpoints", {"url": "https://example.invalid/hook",
                                        "enabled_events": ["invoice.paid"], "description": "x",
                                        "disabled": False}, (200, 400))
    if "id" not in made:
        made = w.post("webhook_endpoints", {"url": "https://example.invalid/hook",
                                            "enabled_events": ["invoice.paid"]})
    w.post("webhook_endpoints/" + made["id"], {"disabled": True})
    gone = w.post("webhook_endpoints", {"url": "https://example.invalid/hook",
                                        "enabled_events": ["invoice.paid"], "connect": True})
    w.delete("webhook_endpoints/" + gone["id"])
    file = upload(w, "dispute_evidence", b"%PDF-1.4 a letter")
    w.post("file_links", {"file": upload(w, "business_icon", b"\x89PNG\r\n\x1a\n1234")["id"]},
           (200, 400))
    w.post("file_links", {"file": file["id"]}, (200, 400))


def upload(w, purpose, content):
    edge = "------------------------walk"
    body = (f'--{edge}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
            f'Content-Type: application/pdf\r\n\r\n').encode() + content + (
                f"\r\n--{edge}--\r\n").encode()
    answer = w.client.request("POST", "/v1/files", body,
                              {"Content-Type": f"multipart/form-data; boundary={edge}"})
    assert answer.status == 200, answer
    return answer.json


def accounts(w):
    shop = w.post("accounts", {"type": "express", "country": "US", "email": "shop@example.com"})
    theirs = World(w.client, shop["id"])
    theirs.subscribed(theirs.customer(), theirs.price())
    gone = w.post("accounts", {"type": "express", "country": "DE"})
    w.delete("accounts/" + gone["id"])
    return shop["id"]


CORNERS = [catalogue, customers, payments, subscriptions, clocks, invoices, sales, usage, places,
           accounts]


def fill(client):
    w = World(client)
    for corner in CORNERS:
        corner(w)
