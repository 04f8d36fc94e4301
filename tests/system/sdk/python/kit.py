"""What the suite's files share: checks, and things that most checks begin with.

A check that the server answers with 501 (it has not got that part of Stripe), or that this version
of the library has no function for, counts as skipped. Written for stripe-python 5 to 12.
"""

import itertools
import json
import os
import sys
import time
import traceback
import urllib.request

import stripe

base, key = sys.argv[1:3]
control = os.environ.get("SDK_CONTROL")

stripe.api_base = base
stripe.api_key = key
stripe.api_version = "2026-10-28.endive"
stripe.max_network_retries = 0
stripe.enable_telemetry = False

errors = stripe if hasattr(stripe, "CardError") else stripe.error

checks = []
numbers = itertools.count(1)


class Skip(Exception):
    pass


def check(function):
    checks.append(function)
    return function


def need(holder, name):
    """A function that older libraries do not have."""
    if not hasattr(holder, name):
        raise Skip(f"this version of stripe-python has no {name}")
    return getattr(holder, name)


def sandbox(at, body):
    """For the few things that only a sandbox can do; elsewhere their checks are skipped."""
    if not control:
        raise Skip("needs the sandbox's control calls")
    request = urllib.request.Request(
        control + at, json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def refused(kind, function, *args, **kwargs):
    """The error that the call ends with."""
    try:
        function(*args, **kwargs)
    except errors.StripeError as error:
        if error.http_status == 501:
            raise
        assert isinstance(error, kind), repr(error)
        return error
    raise AssertionError("it was not refused")


def until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def unique(prefix):
    return f"{prefix}-{os.getpid()}-{next(numbers)}"


def customer(card="pm_card_visa", **more):
    params = {"email": f"{unique('someone')}@example.com"}
    if card:
        params["payment_method"] = card
        params["invoice_settings"] = {"default_payment_method": card}
    return stripe.Customer.create(**params, **more)


def price(amount=2000, **more):
    return stripe.Price.create(currency="usd", unit_amount=amount, recurring={"interval": "month"},
                               product_data={"name": unique("Gold")}, **more)


def subscribed(buyer, gold, **more):
    return stripe.Subscription.create(customer=buyer.id, items=[{"price": gold.id}], **more)


def ids(page):
    return [one["id"] for one in page["data"]]


def run():
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    for function in checks:
        title = function.__doc__.strip().splitlines()[0]
        verdict, why = "ok", ""
        try:
            function()
        except Skip as reason:
            verdict, why = "skip", str(reason)
        except Exception as error:  # noqa: BLE001 - the runner reports whatever went wrong
            missing = getattr(error, "http_status", None) == 501
            verdict = "skip" if missing else "FAIL"
            why = str(error) if missing else traceback.format_exc(limit=-3).rstrip()
        counts[verdict] += 1
        print(f"{verdict:4} python: {title}{': ' + why if why else ''}", flush=True)
    print(f"python: {counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    sys.exit(1 if counts["FAIL"] or not counts["ok"] else 0)
