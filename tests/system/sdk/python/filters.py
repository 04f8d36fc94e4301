"""Filters, pages, expansion, search."""

import stripe

from kit import check, customer, errors, ids, need, price, refused, subscribed, unique, until


def walked(page):
    return [one["id"] for one in page.auto_paging_iter()]


def same(page, expected, what=""):
    assert sorted(walked(page)) == sorted(expected), what


@check
def customers():
    """customers: by email, created and test clock"""
    clock = stripe.test_helpers.TestClock.create(frozen_time=1767225600)
    plain = customer("")
    timed = customer("", test_clock=clock.id)
    same(stripe.Customer.list(email=plain.email), [plain.id])
    same(stripe.Customer.list(email=timed.email), [], "hidden")
    same(stripe.Customer.list(test_clock=clock.id), [timed.id])
    at = plain.created
    for created, found in ((at, True), (at + 1, False), ({"gte": at}, True), ({"gt": at}, False),
                           ({"lte": at}, True), ({"lt": at}, False),
                           ({"gt": at - 1, "lt": at + 1}, True)):
        same(stripe.Customer.list(email=plain.email, created=created),
             [plain.id] if found else [], created)


@check
def products_and_prices():
    """products and prices: by active, ids, url, type, currency, lookup_keys, recurring"""
    url = "https://example.com/" + unique("p")
    on = stripe.Product.create(name="On", url=url)
    off = stripe.Product.create(name="Off", url=url, active=False)
    same(stripe.Product.list(url=url), [on.id, off.id])
    same(stripe.Product.list(url=url, active=True), [on.id])
    same(stripe.Product.list(url=url, active=False), [off.id])
    same(stripe.Product.list(ids=[on.id, off.id]), [on.id, off.id])
    keys = [unique("key"), unique("key")]

    def make(**more):
        params = {"product": on.id, "currency": "usd", "unit_amount": 5}
        return stripe.Price.create(**{**params, **more})

    once, monthly = make(lookup_key=keys[0]), make(recurring={"interval": "month"},
                                                   lookup_key=keys[1])
    yearly, quiet = make(recurring={"interval": "year"}, currency="eur"), make(active=False)
    for params, expected in (
            ({}, [once, monthly, yearly, quiet]), ({"active": True}, [once, monthly, yearly]),
            ({"active": False}, [quiet]), ({"type": "recurring"}, [monthly, yearly]),
            ({"type": "one_time"}, [once, quiet]), ({"currency": "eur"}, [yearly]),
            ({"lookup_keys": keys}, [once, monthly]), ({"lookup_keys": keys[:1]}, [once]),
            ({"recurring": {"interval": "year"}}, [yearly])):
        same(stripe.Price.list(product=on.id, **params), [one.id for one in expected], params)


@check
def subscriptions():
    """subscriptions: by status and its defaults, price, collection"""
    buyer, gold, silver = customer(), price(700), price(300)
    active = subscribed(buyer, gold)
    trial = subscribed(buyer, gold, trial_period_days=7)
    sent = subscribed(buyer, silver, collection_method="send_invoice", days_until_due=30)
    gone = subscribed(buyer, gold)
    need(stripe.Subscription, "cancel")(gone.id)
    for params, expected in (
            ({}, [active, trial, sent]), ({"status": "all"}, [active, trial, sent, gone]),
            ({"status": "active"}, [active, sent]), ({"status": "trialing"}, [trial]),
            ({"status": "canceled"}, [gone]), ({"status": "ended"}, [gone]),
            ({"status": "past_due"}, []), ({"status": "unpaid"}, []),
            ({"status": "incomplete"}, []), ({"status": "paused"}, []),
            ({"price": silver.id}, [sent]), ({"price": gold.id}, [active, trial]),
            ({"collection_method": "send_invoice"}, [sent]),
            ({"created": {"lt": active.created}}, [])):
        same(stripe.Subscription.list(customer=buyer.id, **params),
             [one.id for one in expected], params)
    error = refused(errors.InvalidRequestError, stripe.Subscription.list, status="nonsense")
    assert error.param == "status", error


@check
def invoices_and_payments():
    """invoices, charges, intents, refunds: by what they belong to"""
    buyer = customer()
    sub = subscribed(buyer, price(500))
    draft = stripe.Invoice.create(customer=buyer.id, collection_method="send_invoice",
                                  days_until_due=30)
    for params, expected in (
            ({}, [sub.latest_invoice, draft.id]), ({"status": "paid"}, [sub.latest_invoice]),
            ({"status": "draft"}, [draft.id]), ({"status": "open"}, []),
            ({"collection_method": "send_invoice"}, [draft.id])):
        same(stripe.Invoice.list(customer=buyer.id, **params), expected, params)
    same(stripe.Invoice.list(subscription=sub.id), [sub.latest_invoice])
    intent = stripe.PaymentIntent.list(customer=buyer.id).data[0]
    same(stripe.Charge.list(customer=buyer.id), [intent.latest_charge])
    same(stripe.Charge.list(payment_intent=intent.id), [intent.latest_charge])
    part = stripe.Refund.create(payment_intent=intent.id, amount=100)
    same(stripe.Refund.list(charge=intent.latest_charge), [part.id])
    same(stripe.Refund.list(payment_intent=intent.id), [part.id])


@check
def pages():
    """pages: forward and backward, by hand and by themselves, at each limit"""
    buyer = customer("")
    made = [stripe.Invoice.create(customer=buyer.id).id for _ in range(6)][::-1]
    for limit in range(1, 8):
        assert walked(stripe.Invoice.list(customer=buyer.id, limit=limit)) == made, limit
        up = walked(stripe.Invoice.list(customer=buyer.id, limit=limit, ending_before=made[5]))
        assert up == made[4::-1], (limit, up)
        page = stripe.Invoice.list(customer=buyer.id, limit=limit)
        assert (page.has_more, len(page.data)) == (limit < 6, min(limit, 6))
    assert ids(stripe.Invoice.list(customer=buyer.id, starting_after=made[5])) == []
    assert ids(stripe.Invoice.list(customer=buyer.id, ending_before=made[0])) == []
    for params, param in (({"limit": 0}, "limit"), ({"limit": 101}, "limit"),
                          ({"limit": "many"}, "limit"), ({"starting_after": "in_no"},
                                                         "starting_after")):
        error = refused(errors.InvalidRequestError, stripe.Invoice.list, **params)
        assert (error.http_status, error.param) == (400, param), error
    both = refused(errors.InvalidRequestError, stripe.Invoice.list, starting_after=made[0],
                   ending_before=made[1])
    assert both.http_status == 400


@check
def expansion():
    """expand: up to four levels, through lists, in lists"""
    buyer = customer()
    sub = subscribed(buyer, price(800))
    one = stripe.Subscription.retrieve(sub.id, expand=[
        "customer.invoice_settings.default_payment_method", "items.data.price.product",
        "latest_invoice.customer"])
    assert one.customer.invoice_settings.default_payment_method.card.brand == "visa"
    assert one["items"].data[0].price.product.object == "product"
    assert one.latest_invoice.customer.id == buyer.id
    listed = stripe.PaymentIntent.list(customer=buyer.id,
                                       expand=["data.latest_charge.balance_transaction"])
    assert listed.data[0].latest_charge.balance_transaction.amount == 800
    for expand, code in ((["nonsense"], None), (["email"], None),
                         (["a.b.c.d.e"], "property_expansion_max_depth")):
        error = refused(errors.InvalidRequestError, stripe.Customer.retrieve, buyer.id,
                        expand=expand)
        assert (error.http_status, error.code) == (400, code), error


@check
def searches():
    """search: operators in each collection, and wrong queries"""
    mark = unique("op")
    gold = price(1234, metadata={"mark": mark})
    buyer = customer(metadata={"mark": mark}, name=f"Ada {mark}")
    sub = subscribed(buyer, gold, metadata={"mark": mark})
    intent = stripe.PaymentIntent.list(customer=buyer.id).data[0]
    stripe.PaymentIntent.modify(intent.id, metadata={"mark": mark})
    stripe.Charge.modify(intent.latest_charge, metadata={"mark": mark})
    stripe.Invoice.modify(sub.latest_invoice, metadata={"mark": mark})
    stripe.Product.modify(gold.product, metadata={"mark": mark})
    by = f"metadata['mark']:'{mark}'"
    for resource, object_id in (
            (stripe.Customer, buyer.id), (stripe.Subscription, sub.id),
            (stripe.Invoice, sub.latest_invoice), (stripe.Charge, intent.latest_charge),
            (stripe.PaymentIntent, intent.id), (stripe.Price, gold.id),
            (stripe.Product, gold.product)):
        search = need(resource, "search")
        until(lambda: ids(search(query=by)) == [object_id], resource, 60)
        timed = resource not in (stripe.Price, stripe.Product)  # these have no numbers
        for more, found in ((("created>0", True), ("created<1", False), ("-created<=1", True))
                            if timed else (("active:'true'", True), ("-active:'true'", False))):
            got = ids(search(query=f"{by} AND {more}"))
            assert got == ([object_id] if found else []), (resource, more, got)
        for query in ("nonsense", "foo:'x'", f"{by} AND", "metadata['a:'b'"):
            error = refused(errors.InvalidRequestError, search, query=query)
            assert error.http_status == 400, query
