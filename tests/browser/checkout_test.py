#!/usr/bin/env python3
"""The sandbox's hosted pages in a real browser, headless Chromium.

usage: checkout_test.py BINARY PICTURES

Needs Debian's chromium, chromium-driver and python3-selenium; without them it is skipped (77).
Pictures of the pages are written to the directory PICTURES.
"""

import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
import harness  # noqa: E402
from harness import Lab, wait_for  # noqa: E402

try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
except ImportError:
    print("skipped: python3-selenium is not there")
    sys.exit(77)

PICTURES = sys.argv.pop(2)


def browser(profile):
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                     "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync",
                     "--window-size=800,1000", f"--user-data-dir={profile}"):
        options.add_argument(argument)
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


class Shop:
    """A sandbox, a browser, and what a shop does between them."""

    def __init__(self, binary):
        self.lab = Lab(binary)
        self.profile = tempfile.TemporaryDirectory(prefix="tilld-chromium-")

    def __enter__(self):
        self.lab.start_sandbox()
        self.stripe = self.lab.stripe()
        self.web = browser(self.profile.name)
        price = self.stripe.post("/v1/prices", {
            "currency": "usd", "unit_amount": 2000, "recurring": {"interval": "month"},
            "product_data": {"name": "Gold"}}).json
        self.price = price["id"]
        return self

    def __exit__(self, kind, *rest):
        self.web.quit()
        self.lab.__exit__(kind, *rest)
        self.profile.cleanup()

    def post(self, path, params):
        answer = self.stripe.post(path, params)
        assert answer.status == 200, answer
        return answer.json

    def get(self, path):
        return self.stripe.get(path).json

    def home(self):
        """An address of the sandbox itself, to come back to: nothing else is reachable."""
        return f"http://127.0.0.1:{self.lab.sandbox_port}/i/back"

    def checkout(self):
        return self.post("/v1/checkout/sessions", {
            "mode": "subscription", "success_url": self.home() + "?s={CHECKOUT_SESSION_ID}",
            "line_items": [{"price": self.price, "quantity": 1}]})

    def customer(self):
        return self.post("/v1/customers", {
            "email": "ada@example.com", "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"}})["id"]

    def fill(self, number, email="ada@example.com"):
        values = {"number": number, "expiry": "12/34", "cvc": "123"}
        for name, value in values.items():
            box = self.web.find_element(By.ID, name)
            box.clear()
            box.send_keys(value)
        for name, value in (("email", email), ("name", "Ada Lovelace")):
            for box in self.web.find_elements(By.ID, name):
                box.clear()
                box.send_keys(value)

    def press(self, text):
        def button():
            try:
                return next((b for b in self.web.find_elements(By.TAG_NAME, "button")
                             if b.text.startswith(text)), None)
            except WebDriverException:
                return None
        wait_for(button, 10, f"a button {text!r}").click()

    def text(self):
        try:
            return self.web.find_element(By.TAG_NAME, "body").text
        except WebDriverException:  # between two pages
            return ""

    def sees(self, text):
        wait_for(lambda: text in self.text(), 10, f"{text!r} on the page")

    def picture(self, name):
        os.makedirs(PICTURES, exist_ok=True)
        self.web.save_screenshot(os.path.join(PICTURES, name + ".png"))


def buys(binary):
    """A subscription is bought: a declined card is told, a good one takes the customer back"""
    with Shop(binary) as shop:
        session = shop.checkout()
        shop.web.get(session["url"])
        shop.sees("$20.00")
        shop.picture("checkout")
        shop.fill("4000000000000002")
        shop.press("Subscribe")
        shop.sees("declined")
        shop.picture("checkout-declined")
        shop.fill("4242424242424242")
        shop.press("Subscribe")
        # The page that is left has the session in its address, too.
        home = shop.home() + "?s=" + session["id"]
        wait_for(lambda: shop.web.current_url == home, 10, "back at the shop")
        done = shop.get(f"/v1/checkout/sessions/{session['id']}?expand[0]=subscription")
        assert done["status"] == "complete" and done["payment_status"] == "paid", done
        assert done["subscription"]["status"] == "active", done


def authenticates(binary):
    """3-D Secure: failed it goes on, passed it is done"""
    with Shop(binary) as shop:
        session = shop.checkout()
        shop.web.get(session["url"])
        shop.fill("4000002760003184")
        shop.press("Subscribe")
        shop.sees("3-D Secure")
        shop.picture("authentication")
        shop.press("Fail")
        shop.sees("authentication")
        shop.fill("4000002760003184")
        shop.press("Subscribe")
        shop.press("Complete")
        # The bank's page has the session in its address, too.
        home = shop.home() + "?s=" + session["id"]
        wait_for(lambda: shop.web.current_url == home, 10, "back at the shop")
        assert shop.get(f"/v1/checkout/sessions/{session['id']}")["status"] == "complete"


def manages(binary):
    """The portal cancels at the period's end, keeps, and takes a new card"""
    with Shop(binary) as shop:
        customer = shop.customer()
        sub = shop.post("/v1/subscriptions", {"customer": customer,
                                              "items": [{"price": shop.price}]})["id"]
        session = shop.post("/v1/billing_portal/sessions",
                            {"customer": customer, "return_url": shop.home()})
        shop.web.get(session["url"])
        shop.sees("Gold")
        shop.picture("portal")
        shop.press("Cancel")
        shop.sees("Keep the subscription")
        assert shop.get(f"/v1/subscriptions/{sub}")["cancel_at_period_end"] is True
        shop.picture("portal-canceled")
        shop.press("Keep")
        shop.sees("Cancel the subscription")
        assert shop.get(f"/v1/subscriptions/{sub}")["cancel_at_period_end"] is False
        shop.fill("5555555555554444")
        shop.press("Use this card")
        shop.sees("mastercard ending in 4444")


def pays_an_invoice(binary):
    """A hosted invoice is paid"""
    with Shop(binary) as shop:
        customer = shop.post("/v1/customers", {"email": "bob@example.com"})["id"]
        shop.post("/v1/invoiceitems", {"customer": customer, "amount": 700, "currency": "usd",
                                       "description": "Seven <b>mugs</b>"})
        invoice = shop.post("/v1/invoices", {"customer": customer,
                                             "pending_invoice_items_behavior": "include"})["id"]
        url = shop.post(f"/v1/invoices/{invoice}/finalize", {})["hosted_invoice_url"]
        shop.web.get(url)
        shop.sees("Seven <b>mugs</b>")
        shop.picture("invoice")
        shop.fill("4242424242424242")
        shop.press("Pay $7.00")
        shop.sees("This invoice is paid.")
        assert shop.get(f"/v1/invoices/{invoice}")["status"] == "paid"


if __name__ == "__main__":
    if not os.path.exists("/usr/bin/chromedriver"):
        print("skipped: chromium-driver is not there")
        sys.exit(77)
    harness.main([buys, authenticates, manages, pays_an_invoice])
