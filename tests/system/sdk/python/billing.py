"""Payments, subscriptions, invoices, test clocks."""

import calendar

import stripe

from kit import (check, customer, errors, ids, need, price, refused, sandbox, subscribed, unique,
                 until)

DAY = 86400
AUTOMATIC = {"enabled": True, "allow_redirects": "never"}


@check
def payment_intents():
    """payment intent: created, confirmed, refunded"""
    made = stripe.PaymentIntent.create(amount=3000, currency="usd",
                                       automatic_payment_methods=AUTOMATIC)
    assert made.status == "requires_payment_method"
    paid = stripe.PaymentIntent.confirm(made.id, payment_method="pm_card_visa")
    assert paid.status == "succeeded" and paid.amount_received == 3000
    assert stripe.Refund.create(payment_intent=made.id, amount=1000).status == "succeeded"
    stripe.Refund.create(charge=paid.latest_charge)
    assert stripe.Charge.retrieve(paid.latest_charge).refunded is True
    error = refused(errors.InvalidRequestError, stripe.Refund.create, payment_intent=made.id)
    assert error.code == "charge_already_refunded"


@check
def captures():
    """payment intent: captured by hand in part; canceled"""
    made = stripe.PaymentIntent.create(
        amount=5000, currency="usd", capture_method="manual", payment_method="pm_card_visa",
        confirm=True, automatic_payment_methods=AUTOMATIC)
    assert made.status == "requires_capture"
    captured = stripe.PaymentIntent.capture(made.id, amount_to_capture=4000)
    assert captured.amount_received == 4000
    other = stripe.PaymentIntent.create(amount=500, currency="eur",
                                        automatic_payment_methods=AUTOMATIC)
    assert stripe.PaymentIntent.cancel(other.id).status == "canceled"
    error = refused(errors.InvalidRequestError, stripe.PaymentIntent.confirm, other.id,
                    payment_method="pm_card_visa")
    assert error.code == "payment_intent_unexpected_state"


@check
def setup_intents():
    """setup intent: a card is kept for later"""
    buyer = customer("")
    made = stripe.SetupIntent.create(customer=buyer.id, payment_method="pm_card_visa",
                                     confirm=True, automatic_payment_methods=AUTOMATIC)
    assert made.status == "succeeded"
    cards = stripe.PaymentMethod.list(customer=buyer.id, type="card")
    assert ids(cards) == [made.payment_method]
    assert stripe.PaymentMethod.detach(made.payment_method).customer is None


@check
def subscription_paid():
    """subscription: paid at once, then canceled"""
    sub = subscribed(customer(), price(2000), expand=["latest_invoice"])
    assert sub.status == "active" and sub.latest_invoice.amount_paid == 2000
    ending = stripe.Subscription.modify(sub.id, cancel_at_period_end=True)
    assert ending.cancel_at == ending["items"].data[0].current_period_end
    assert stripe.Subscription.modify(sub.id, cancel_at_period_end=False).cancel_at is None
    cancel = getattr(stripe.Subscription, "cancel", None) or stripe.Subscription.delete
    assert cancel(sub.id).status == "canceled"


@check
def default_incomplete():
    """subscription: default_incomplete waits for its first payment"""
    sub = subscribed(customer(""), price(1000), payment_behavior="default_incomplete",
                     expand=["latest_invoice.confirmation_secret", "latest_invoice.payments"])
    assert sub.status == "incomplete"
    assert "_secret_" in sub.latest_invoice.confirmation_secret.client_secret
    intent = sub.latest_invoice.payments.data[0].payment.payment_intent
    stripe.PaymentIntent.confirm(intent, payment_method="pm_card_visa")
    assert stripe.Subscription.retrieve(sub.id).status == "active"


@check
def declines():
    """subscription: a declined card leaves it incomplete, or nothing at all"""
    poor, gold = customer("pm_card_chargeCustomerFail"), price(1000)
    assert subscribed(poor, gold).status == "incomplete"
    refused(errors.CardError, subscribed, poor, gold, payment_behavior="error_if_incomplete")
    assert len(ids(stripe.Subscription.list(customer=poor.id, status="all"))) == 1


@check
def three_d_secure():
    """subscription: 3D Secure on the first invoice"""
    sub = subscribed(customer("pm_card_authenticationRequired"), price(1000),
                     expand=["latest_invoice.payments"])
    intent = sub.latest_invoice.payments.data[0].payment.payment_intent
    assert stripe.PaymentIntent.retrieve(intent).status == "requires_action"
    sandbox("/_sandbox/authenticate", {"intent": intent, "result": "pass"})
    assert stripe.Subscription.retrieve(sub.id).status == "active"


@check
def upgrades():
    """subscription: an upgrade is prorated, later or at once"""
    buyer, silver, gold = customer(), price(1000), price(3000)
    sub = subscribed(buyer, silver)
    items = [{"id": sub["items"].data[0].id, "price": gold.id}]
    stripe.Subscription.modify(sub.id, items=items)
    assert len(ids(stripe.InvoiceItem.list(customer=buyer.id, pending=True))) == 2
    other = subscribed(customer(), silver)
    items = [{"id": other["items"].data[0].id, "price": gold.id}]
    now = stripe.Subscription.modify(other.id, items=items, proration_behavior="always_invoice",
                                     expand=["latest_invoice"])
    assert now.latest_invoice.billing_reason == "subscription_update"
    assert now.latest_invoice.status == "paid"


@check
def previews():
    """invoice: what comes next, without doing it"""
    sub = subscribed(customer(), price(1000))
    preview = need(stripe.Invoice, "create_preview")(subscription=sub.id)
    assert preview.object == "invoice" and preview.total == 1000


@check
def trials():
    """subscription: a trial costs nothing yet"""
    sub = subscribed(customer(""), price(1000), trial_period_days=14, expand=["latest_invoice"])
    assert sub.status == "trialing" and sub.trial_end - sub.trial_start == 14 * DAY
    assert sub.latest_invoice.total == 0


@check
def discounts():
    """promotion codes make it cheaper"""
    coupon = stripe.Coupon.create(percent_off=50, duration="once")
    code = stripe.PromotionCode.create(promotion={"type": "coupon", "coupon": coupon.id})
    sub = subscribed(customer(), price(2000), discounts=[{"promotion_code": code.id}],
                     expand=["latest_invoice"])
    assert sub.latest_invoice.total == 1000


@check
def entitlements():
    """entitlements follow a subscription"""
    features = need(need(stripe, "entitlements"), "Feature")
    feature = features.create(name="Exports", lookup_key=unique("exports"))
    gold, buyer = price(900), customer()
    stripe.Product.create_feature(gold.product, entitlement_feature=feature.id)
    subscribed(buyer, gold)
    has = stripe.entitlements.ActiveEntitlement.list(customer=buyer.id)
    assert [e.lookup_key for e in has.data] == [feature.lookup_key]


@check
def invoices():
    """invoice: items, finalized, paid; voided; deleted as a draft"""
    buyer = customer()
    draft = stripe.Invoice.create(customer=buyer.id)
    stripe.InvoiceItem.create(customer=buyer.id, invoice=draft.id, amount=1500, currency="usd",
                              description="Work")
    opened = stripe.Invoice.finalize_invoice(draft.id)
    assert opened.status == "open" and opened.amount_due == 1500
    assert stripe.Invoice.pay(draft.id).status == "paid"
    refused(errors.InvalidRequestError, stripe.Invoice.pay, draft.id)
    other = stripe.Invoice.create(customer=buyer.id, collection_method="send_invoice",
                                  days_until_due=30)
    stripe.InvoiceItem.create(customer=buyer.id, invoice=other.id, amount=100, currency="usd")
    stripe.Invoice.finalize_invoice(other.id)
    assert stripe.Invoice.void_invoice(other.id).status == "void"
    third = stripe.Invoice.create(customer=buyer.id)
    assert stripe.Invoice.delete(third.id).deleted is True


@check
def renewals():
    """test clock: a month passes and the renewal is paid"""
    start = calendar.timegm((2026, 1, 1, 0, 0, 0))
    clock = stripe.test_helpers.TestClock.create(frozen_time=start)
    buyer = customer(test_clock=clock.id)
    sub = subscribed(buyer, price(2000))
    end = sub["items"].data[0].current_period_end
    stripe.test_helpers.TestClock.advance(clock.id, frozen_time=end + 2 * 3600)
    until(lambda: stripe.test_helpers.TestClock.retrieve(clock.id).status == "ready", "ready")
    now = stripe.Subscription.retrieve(sub.id, expand=["latest_invoice"])
    assert now.latest_invoice.billing_reason == "subscription_cycle"
    assert now.latest_invoice.status == "paid"
    assert len(ids(stripe.Invoice.list(customer=buyer.id))) == 2
    assert stripe.test_helpers.TestClock.delete(clock.id).deleted is True


@check
def credit_notes():
    """credit note: lowers an open invoice"""
    buyer = customer()
    stripe.InvoiceItem.create(customer=buyer.id, amount=5000, currency="usd")
    draft = stripe.Invoice.create(customer=buyer.id, pending_invoice_items_behavior="include")
    stripe.Invoice.finalize_invoice(draft.id)
    note = stripe.CreditNote.create(invoice=draft.id, amount=2000)
    assert note.type == "pre_payment"
    assert stripe.Invoice.retrieve(draft.id).amount_due == 3000
    assert stripe.CreditNote.void_credit_note(note.id).status == "void"
    assert stripe.Invoice.retrieve(draft.id).amount_due == 5000


@check
def connected_accounts():
    """connected accounts: each has its own customers"""
    shop = stripe.Account.create(type="express", country="US")
    theirs = stripe.Customer.create(email="a@example.com", stripe_account=shop.id)
    assert stripe.Customer.retrieve(theirs.id, stripe_account=shop.id).id == theirs.id
    assert refused(errors.InvalidRequestError, stripe.Customer.retrieve,
                   theirs.id).code == "resource_missing"
    refused(errors.PermissionError, stripe.Customer.list, stripe_account="acct_1Nobody")
