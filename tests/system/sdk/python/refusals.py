"""Errors member by member, idempotency, metadata, what is deleted, accounts of others."""

import threading

import stripe

from kit import check, customer, errors, ids, price, refused, subscribed, unique

invalid = errors.InvalidRequestError


def told(error, status, code, param):
    body = error.json_body["error"]
    got = (error.http_status, error.code, getattr(error, "param", None))
    assert got == (status, code, param), body
    assert error.request_id.startswith("req_"), error.request_id
    if code:
        assert body["doc_url"].endswith("/" + code.replace("_", "-")), body
    assert body["message"] and body["type"], body


@check
def missing():
    """missing: each resource names its own parameter, twice alike"""
    for resource, object_id, param, word in (
            (stripe.Customer, "cus_none", "id", "customer"),
            (stripe.Product, "prod_none", "id", "product"),
            (stripe.Price, "price_none", "price", "price"),
            (stripe.Subscription, "sub_none", "id", "subscription"),
            (stripe.Invoice, "in_none", "invoice", "invoice"),
            (stripe.Charge, "ch_none", "id", "charge"),
            (stripe.PaymentIntent, "pi_none", "intent", "payment_intent"),
            (stripe.SetupIntent, "seti_none", "intent", "setupintent"),
            (stripe.PaymentMethod, "pm_none", "payment_method", "PaymentMethod"),
            (stripe.Coupon, "none", "coupon", "coupon"),
            (stripe.Refund, "re_none", "refund", "refund"),
            (stripe.Event, "evt_none", "id", "notification"),
            (stripe.Quote, "qt_none", "quote", "quote")):
        for _ in range(2):
            error = refused(invalid, resource.retrieve, object_id)
            told(error, 404, "resource_missing", param)
            assert f"No such {word}: '{object_id}'" in str(error), error


@check
def wrong():
    """wrong parameters: unknown, absent, empty, not a number"""
    told(refused(invalid, stripe.Customer.create, nonsense=1), 400, "parameter_unknown", "nonsense")
    told(refused(invalid, stripe.Customer.list, nonsense=1), 400, "parameter_unknown", "nonsense")
    told(refused(invalid, stripe.Price.create, unit_amount=5), 400, "parameter_missing", "currency")
    told(refused(invalid, stripe.Product.create, name=""), 400, "parameter_invalid_empty", "name")
    told(refused(invalid, stripe.PaymentIntent.create, amount="x", currency="usd"), 400,
         "parameter_invalid_integer", "amount")
    told(refused(invalid, stripe.Customer.list, limit=0), 400, "parameter_invalid_integer", "limit")
    told(refused(invalid, stripe.Subscription.create, customer=customer("").id,
                 items=[{"price": "price_none"}]), 400, "resource_missing", "items[0][price]")


@check
def idempotency():
    """idempotency: replayed, refused with other parameters, once if at the same time"""
    key, name = unique("once"), unique("Ada")
    first = stripe.Customer.create(name=name, idempotency_key=key)
    again = stripe.Customer.create(name=name, idempotency_key=key)
    assert dict(first) == dict(again)
    error = refused(errors.IdempotencyError, stripe.Customer.create, name="B", idempotency_key=key)
    assert error.http_status == 400 and error.json_body["error"]["type"] == "idempotency_error"
    got, race = [], unique("race")

    def ask():
        try:
            got.append(stripe.Customer.create(name=race, idempotency_key=race).id)
        except errors.StripeError as conflict:
            got.append((conflict.http_status, conflict.json_body["error"]["code"]))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = {one for one in got if isinstance(one, str)}
    assert len(made) == 1 and len(got) == 8, got
    assert set(got) - made <= {(409, "idempotency_key_in_use")}, got


@check
def metadata():
    """metadata: set, changed, unset and emptied, of each kind of object"""
    sub = subscribed(customer(), price())
    for resource, made in (
            (stripe.Customer, customer("")), (stripe.Product, stripe.Product.create(name="x")),
            (stripe.Price, price()), (stripe.Subscription, sub),
            (stripe.Coupon, stripe.Coupon.create(percent_off=5, duration="once")),
            (stripe.Invoice, stripe.Invoice.create(customer=sub.customer))):
        for given, expected in (({"a": "1", "b": "zwei ü 😀"}, {"a": "1", "b": "zwei ü 😀"}),
                                ({"a": "", "c": 3}, {"b": "zwei ü 😀", "c": "3"}), ("", {})):
            resource.modify(made.id, metadata=given)
            assert dict(resource.retrieve(made.id).metadata) == expected, (resource, given)
        error = refused(invalid, resource.modify, made.id, metadata={"k" * 41: "x"})
        assert error.http_status == 400


@check
def deleted():
    """deleted: a customer leaves a stub, others a 404"""
    buyer = customer("")
    stripe.Customer.delete(buyer.id)
    for _ in range(2):
        stub = stripe.Customer.retrieve(buyer.id)
        assert dict(stub) == {"id": buyer.id, "object": "customer", "deleted": True}, stub
    for resource, made, param in (
            (stripe.Product, stripe.Product.create(name="x"), "id"),
            (stripe.Coupon, stripe.Coupon.create(percent_off=5, duration="once"), "coupon"),
            (stripe.Invoice, stripe.Invoice.create(customer=customer("").id), "invoice"),
            (stripe.InvoiceItem, stripe.InvoiceItem.create(
                customer=customer("").id, amount=5, currency="usd"), "id")):
        assert resource.delete(made.id).deleted is True
        for _ in range(2):
            told(refused(invalid, resource.retrieve, made.id), 404, "resource_missing", param)


@check
def connected():
    """Stripe-Account: another's objects, lists and errors"""
    shop = stripe.Account.create(type="express", country="US")
    theirs = stripe.Customer.create(name="Theirs", stripe_account=shop.id)
    assert stripe.Customer.retrieve(theirs.id, stripe_account=shop.id).name == "Theirs"
    assert ids(stripe.Customer.list(stripe_account=shop.id)) == [theirs.id]
    told(refused(invalid, stripe.Customer.retrieve, theirs.id), 404, "resource_missing", "id")
    refused(errors.PermissionError, stripe.Customer.list, stripe_account="acct_1Nobody")
