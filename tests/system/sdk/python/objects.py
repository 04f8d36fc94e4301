"""Objects come, change and go; lists, filters, expansion, search."""

import stripe

from kit import check, customer, errors, ids, price, refused, subscribed, unique, until


@check
def life_of_a_customer():
    """a customer is created, read, changed and deleted"""
    made = stripe.Customer.create(email="ada@example.com", name="Ada",
                                  address={"line1": "Street 1", "city": "Berlin", "country": "DE"})
    read = stripe.Customer.retrieve(made.id)
    assert read.email == "ada@example.com" and read.address.city == "Berlin"
    changed = stripe.Customer.modify(made.id, name="Ada L.", address="")
    assert changed.name == "Ada L." and changed.address is None
    gone = stripe.Customer.delete(made.id)
    assert gone.deleted is True
    assert stripe.Customer.retrieve(made.id).deleted is True
    error = refused(errors.InvalidRequestError, stripe.Customer.modify, made.id, name="x")
    assert error.code == "resource_missing"


@check
def products_and_prices():
    """products and prices are created, read and changed"""
    product = stripe.Product.create(name="Silver", description="plain")
    assert stripe.Product.modify(product.id, description="").description is None
    assert stripe.Product.delete(product.id).deleted is True
    made = price(1500)
    assert made.type == "recurring" and made.recurring.interval == "month"
    assert stripe.Price.modify(made.id, active=False, nickname="old").active is False
    assert stripe.Price.retrieve(made.id).nickname == "old"


@check
def coupons():
    """coupons are created, read and deleted"""
    coupon = stripe.Coupon.create(percent_off=12.5, duration="repeating", duration_in_months=3)
    assert stripe.Coupon.retrieve(coupon.id).percent_off == 12.5
    assert stripe.Coupon.delete(coupon.id).deleted is True
    refused(errors.InvalidRequestError, stripe.Coupon.retrieve, coupon.id)


@check
def promotion_codes():
    """promotion codes are created and found by their code"""
    coupon = stripe.Coupon.create(percent_off=25, duration="forever")
    code = unique("SPRING").replace("-", "")
    made = stripe.PromotionCode.create(promotion={"type": "coupon", "coupon": coupon.id}, code=code)
    assert ids(stripe.PromotionCode.list(code=code)) == [made.id]
    assert stripe.PromotionCode.modify(made.id, active=False).active is False


@check
def metadata():
    """metadata: set, changed by key, a key unset, all cleared"""
    made = customer("", metadata={"a": "1", "b": "2"})
    assert dict(made.metadata) == {"a": "1", "b": "2"}
    more = stripe.Customer.modify(made.id, metadata={"b": "3", "c": "4"})
    assert dict(more.metadata) == {"a": "1", "b": "3", "c": "4"}
    less = stripe.Customer.modify(made.id, metadata={"a": ""})
    assert dict(less.metadata) == {"b": "3", "c": "4"}
    assert dict(stripe.Customer.modify(made.id, metadata="").metadata) == {}


@check
def balance():
    """the balance of a customer changes by entries"""
    made = customer("")
    entry = stripe.Customer.create_balance_transaction(made.id, amount=-500, currency="usd")
    assert entry.ending_balance == -500
    stripe.Customer.create_balance_transaction(made.id, amount=200, currency="usd")
    assert stripe.Customer.retrieve(made.id).balance == -300
    entries = stripe.Customer.list_balance_transactions(made.id)
    assert [e.amount for e in entries.data] == [200, -500]


@check
def pages():
    """a list is walked page by page, forward and backward"""
    product = stripe.Product.create(name=unique("Walk")).id
    made = [stripe.Price.create(product=product, currency="usd", unit_amount=100 + n).id
            for n in range(7)]
    newest = made[::-1]
    walk = stripe.Price.list(product=product, limit=3).auto_paging_iter()
    assert [one.id for one in walk] == newest
    back = stripe.Price.list(product=product, limit=3, ending_before=newest[6])
    assert [one.id for one in back.auto_paging_iter()] == newest[:6][::-1]
    first = stripe.Price.list(product=product, limit=3)
    assert first.has_more is True
    assert ids(first.next_page()) == newest[3:6]
    error = refused(errors.InvalidRequestError, stripe.Price.list, limit=101)
    assert error.param == "limit"


@check
def filters():
    """lists are filtered by created, customer, status, price, active and lookup_keys"""
    buyer, lookup = customer(), unique("key")
    gold = price(700, lookup_key=lookup)
    sub = subscribed(buyer, gold)
    assert ids(stripe.Price.list(lookup_keys=[lookup])) == [gold.id]
    assert ids(stripe.Price.list(product=gold.product, active=False)) == []
    assert ids(stripe.Subscription.list(price=gold.id)) == [sub.id]
    assert ids(stripe.Subscription.list(customer=buyer.id, status="active")) == [sub.id]
    assert len(ids(stripe.Invoice.list(customer=buyer.id, status="paid"))) == 1
    assert ids(stripe.Invoice.list(customer=buyer.id, status="open")) == []
    assert len(ids(stripe.Charge.list(customer=buyer.id))) == 1
    assert len(ids(stripe.PaymentIntent.list(customer=buyer.id))) == 1
    near = {"gte": buyer.created, "lt": buyer.created + 1}
    assert ids(stripe.Customer.list(email=buyer.email, created=near)) == [buyer.id]
    assert ids(stripe.Customer.list(email=buyer.email, created={"gt": buyer.created})) == []


@check
def expansion():
    """expand: nested, through lists; a bad path is refused"""
    buyer, gold = customer(), price(800)
    path = "latest_invoice.customer.invoice_settings.default_payment_method"
    sub = subscribed(buyer, gold, expand=["customer", path])
    assert sub.customer.email == buyer.email
    card = sub.latest_invoice.customer.invoice_settings.default_payment_method
    assert card.card.last4 == "4242"
    read = stripe.Subscription.retrieve(sub.id, expand=["items.data.price.product"])
    assert read["items"].data[0].price.product.object == "product"
    listed = stripe.Subscription.list(customer=buyer.id, expand=["data.latest_invoice"])
    assert listed.data[0].latest_invoice.status == "paid"
    error = refused(errors.InvalidRequestError, stripe.Customer.list, expand=["data.nonsense"])
    assert error.http_status == 400 and "cannot be expanded" in str(error)


@check
def search():
    """search: by metadata and name; pages; a wrong query is refused"""
    mark = unique("mark")
    made = [customer("", name=f"Searched {n}", metadata={"mark": mark}).id for n in range(5)]
    query = f'metadata["mark"]:"{mark}"'
    until(lambda: len(ids(stripe.Customer.search(query=query))) == 5, "they are found", 120)
    walk = stripe.Customer.search(query=query, limit=2).auto_paging_iter()
    assert sorted(one.id for one in walk) == sorted(made)
    one = stripe.Customer.search(query=query + ' AND name~"searched 3"', expand=["total_count"])
    assert ids(one) == [made[3]] and one.total_count == 1
    assert len(ids(stripe.Customer.search(query=query + ' -name:"Searched 3"'))) == 4
    error = refused(errors.InvalidRequestError, stripe.Customer.search, query='foo:"bar"')
    assert "Field `foo` is an unsupported search field" in str(error)
