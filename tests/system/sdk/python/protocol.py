"""Errors of each class, idempotency, retries, webhooks."""

import contextlib
import http.client
import http.server
import threading
import urllib.parse

import stripe

from kit import base, check, customer, errors, ids, price, refused, subscribed, unique, until


@check
def invalid_requests():
    """InvalidRequest: code, param, message and request_id are there"""
    error = refused(errors.InvalidRequestError, stripe.Customer.retrieve, "cus_none")
    assert error.http_status == 404 and error.code == "resource_missing"
    assert error.user_message == "No such customer: 'cus_none'" and error.param == "id"
    assert error.request_id.startswith("req_")
    error = refused(errors.InvalidRequestError, stripe.Customer.create, shoe_size=44)
    assert error.code == "parameter_unknown" and error.param == "shoe_size"
    error = refused(errors.InvalidRequestError, stripe.Price.create, unit_amount=5)
    assert error.param == "currency"


@check
def card_errors():
    """Card: a decline has its code and decline_code"""
    error = refused(errors.CardError, stripe.PaymentIntent.create, amount=1000, currency="usd",
                    payment_method="pm_card_visa_chargeDeclinedInsufficientFunds", confirm=True,
                    automatic_payment_methods={"enabled": True, "allow_redirects": "never"})
    assert error.http_status == 402 and error.code == "card_declined"
    assert error.error.decline_code == "insufficient_funds"
    assert error.error.payment_intent.status == "requires_payment_method"


@check
def authentication():
    """Authentication: a wrong key is refused"""
    error = refused(errors.AuthenticationError, stripe.Customer.list,
                    api_key="sk_test_wrong_key_000000")
    assert error.http_status == 401 and "wrong_key_000" not in str(error)


@check
def idempotency():
    """idempotency: the same key gives the same answer, other parameters are refused"""
    key = unique("key")
    first = stripe.Customer.create(name="Once", idempotency_key=key)
    assert stripe.Customer.create(name="Once", idempotency_key=key).id == first.id
    error = refused(errors.IdempotencyError, stripe.Customer.create, name="Twice",
                    idempotency_key=key)
    assert error.http_status == 400


@contextlib.contextmanager
def door(statuses):
    """A door that answers the first requests by itself and lets the rest through."""
    seen = []
    to = urllib.parse.urlsplit(base)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append(self.headers.get("Idempotency-Key"))
            if len(seen) <= len(statuses):
                status = statuses[len(seen) - 1]
                data = b'{"error": {"type": "api_error", "code": "x", "message": "down"}}'
            else:
                connection = http.client.HTTPConnection(to.hostname, to.port, timeout=30)
                headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                connection.request(self.command, self.path, body, headers)
                response = connection.getresponse()
                status, data = response.status, response.read()
                connection.close()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = answer

        def log_message(self, *args):
            pass

    with serving(Handler) as url:
        stripe.api_base, stripe.max_network_retries = url, 2
        try:
            yield seen
        finally:
            stripe.api_base, stripe.max_network_retries = base, 0


@contextlib.contextmanager
def serving(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@check
def retries():
    """max_network_retries: what fails on the way is made once"""
    email = f"{unique('retried')}@example.com"
    with door([500, 409]) as seen:
        assert stripe.Customer.create(email=email).email == email
    assert len(seen) == 3 and len(set(seen)) == 1 and seen[0]
    assert len(ids(stripe.Customer.list(email=email))) == 1


@check
def rate_limits():
    """RateLimit: a 429 is an error of its own class"""
    with door([429]):
        refused(errors.RateLimitError, stripe.Customer.list)


@check
def webhooks():
    """webhooks: deliveries arrive, hold their signature, and tampered ones do not"""
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((body, self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    wanted = ["customer.created", "customer.subscription.created", "invoice.paid"]
    with serving(Handler) as url:
        endpoint = stripe.WebhookEndpoint.create(url=url + "/hook", enabled_events=wanted)
        try:
            buyer = customer()
            subscribed(buyer, price(500))
            until(lambda: len(got) >= 3, "three deliveries")
        finally:
            stripe.WebhookEndpoint.delete(endpoint.id)
    events = [stripe.Webhook.construct_event(body, signature, endpoint.secret)
              for body, signature in got]
    assert sorted(e.type for e in events) == wanted
    about = next(e for e in events if e.type == "customer.created")
    assert about.data.object.id == buyer.id
    body, signature = got[0]
    for forged, secret in ((body.replace(b"evt_", b"evt_x"), endpoint.secret),
                           (body, "whsec_other")):
        try:
            stripe.Webhook.construct_event(forged, signature, secret)
        except errors.SignatureVerificationError:
            continue
        raise AssertionError("a forged event was taken")


@check
def events():
    """events: listed by type and read, with what changed"""
    made = customer("")
    stripe.Customer.modify(made.id, name="After")
    listed = stripe.Event.list(type="customer.updated", limit=20)
    mine = next(e for e in listed.data if e.data.object.id == made.id)
    assert mine.data.previous_attributes["name"] is None
    assert stripe.Event.retrieve(mine.id).data.object.name == "After"
