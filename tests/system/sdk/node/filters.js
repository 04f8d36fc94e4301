'use strict';
// Every filter of the common lists; nested expansion; pages in both directions.

const {assert, check, customer, price, refused, stripe, unique} = require('./kit');

const ids = (page) => page.data.map((one) => one.id);

async function walk(list) {
  const all = [];
  for await (const one of list) all.push(one.id);
  return all;
}

async function same(list, expected, what) {
  assert.deepEqual((await walk(list)).toSorted(), expected.toSorted(), what);
}

check('customers: by email, created and test clock', async () => {
  const clock = await stripe.testHelpers.testClocks.create({frozen_time: 1767225600});
  const plain = await customer('');
  const timed = await customer('', {test_clock: clock.id});
  await same(stripe.customers.list({email: plain.email}), [plain.id], 'email');
  await same(stripe.customers.list({email: plain.email.toUpperCase()}), [], 'letters count');
  await same(stripe.customers.list({email: timed.email}), [], 'hidden');
  await same(stripe.customers.list({test_clock: clock.id}), [timed.id], 'test_clock');
  await same(stripe.customers.list({test_clock: clock.id, email: plain.email}), [], 'both');
  for (const [created, found] of [
    [plain.created, true], [plain.created + 1, false], [{gte: plain.created}, true],
    [{gt: plain.created - 1}, true], [{gt: plain.created}, false], [{lte: plain.created}, true],
    [{lt: plain.created}, false], [{gte: plain.created, lt: plain.created + 1}, true],
    [{gt: plain.created, lt: plain.created}, false]]) {
    await same(stripe.customers.list({email: plain.email, created}), found ? [plain.id] : [],
        JSON.stringify(created));
  }
});

check('products: by active, ids, url, shippable, created', async () => {
  const url = `https://example.com/${unique('p')}`;
  const on = await stripe.products.create({name: 'On', url, shippable: true});
  const off = await stripe.products.create({name: 'Off', url, active: false});
  await same(stripe.products.list({url}), [on.id, off.id], 'url');
  await same(stripe.products.list({url, active: true}), [on.id], 'active');
  await same(stripe.products.list({url, active: false}), [off.id], 'not active');
  await same(stripe.products.list({url, shippable: true}), [on.id], 'shippable');
  await same(stripe.products.list({ids: [on.id, off.id]}), [on.id, off.id], 'ids');
  await same(stripe.products.list({ids: [on.id, 'prod_none'], active: false}), [], 'ids, active');
  await same(stripe.products.list({url, created: {gt: on.created + 5}}), [], 'created');
});

check('prices: by product, active, type, currency, lookup_keys, recurring', async () => {
  const product = (await stripe.products.create({name: unique('Many')})).id;
  const keys = [unique('key'), unique('key')];
  const make = (more) => stripe.prices.create({product, currency: 'usd', unit_amount: 5, ...more});
  const once = await make({lookup_key: keys[0]});
  const monthly = await make({recurring: {interval: 'month'}, lookup_key: keys[1]});
  const yearly = await make({recurring: {interval: 'year'}, currency: 'eur'});
  const off = await make({active: false});
  await same(stripe.prices.list({product}), [once.id, monthly.id, yearly.id, off.id], 'product');
  await same(stripe.prices.list({product, active: true}), [once.id, monthly.id, yearly.id]);
  await same(stripe.prices.list({product, active: false}), [off.id], 'active');
  await same(stripe.prices.list({product, type: 'one_time'}), [once.id, off.id], 'one_time');
  await same(stripe.prices.list({product, type: 'recurring'}), [monthly.id, yearly.id], 'type');
  await same(stripe.prices.list({product, currency: 'eur'}), [yearly.id], 'currency');
  await same(stripe.prices.list({lookup_keys: [keys[1]]}), [monthly.id], 'lookup_keys');
  await same(stripe.prices.list({lookup_keys: [...keys, 'no_such_key']}), [once.id, monthly.id]);
  await same(stripe.prices.list({lookup_keys: keys, type: 'one_time'}), [once.id], 'two filters');
  await same(stripe.prices.list({product, recurring: {interval: 'year'}}), [yearly.id]);
  await same(stripe.prices.list({product, recurring: {usage_type: 'metered'}}), [], 'usage_type');
});

check('subscriptions: by customer, price, status and its defaults, collection, times', async () => {
  const buyer = await customer();
  const [gold, silver] = [await price(700), await price(300)];
  const make = (more) => stripe.subscriptions.create(
      {customer: buyer.id, items: [{price: gold.id}], ...more});
  const active = await make({});
  const trial = await make({trial_period_days: 7});
  const sent = await make({items: [{price: silver.id}], collection_method: 'send_invoice',
    days_until_due: 30});
  const gone = await make({});
  await stripe.subscriptions.cancel(gone.id);
  const by = (more) => stripe.subscriptions.list({customer: buyer.id, ...more});
  await same(by({}), [active.id, trial.id, sent.id], 'all but canceled');
  await same(by({status: 'all'}), [active.id, trial.id, sent.id, gone.id], 'all');
  await same(by({status: 'active'}), [active.id, sent.id], 'active');
  await same(by({status: 'trialing'}), [trial.id], 'trialing');
  await same(by({status: 'canceled'}), [gone.id], 'canceled');
  await same(by({status: 'ended'}), [gone.id], 'ended');
  for (const status of ['past_due', 'unpaid', 'incomplete', 'incomplete_expired', 'paused']) {
    await same(by({status}), [], status);
  }
  await same(by({price: silver.id}), [sent.id], 'price');
  await same(by({price: gold.id, status: 'all'}), [active.id, trial.id, gone.id], 'price, all');
  await same(by({collection_method: 'send_invoice'}), [sent.id], 'collection_method');
  await same(by({created: {gte: active.created}}), [active.id, trial.id, sent.id], 'created');
  await same(by({created: {lt: active.created}}), [], 'created');
  const end = active.items.data[0].current_period_end;
  await same(by({current_period_end: {gte: end}, price: gold.id}), [active.id], 'period end');
  const error = await refused(by({status: 'nonsense'}));
  assert.equal(error.statusCode, 400);
  assert.equal(error.param, 'status');
});

check('invoices: by customer, subscription, status, collection, due date', async () => {
  const buyer = await customer();
  const sub = await stripe.subscriptions.create(
      {customer: buyer.id, items: [{price: (await price(500)).id}]});
  const draft = await stripe.invoices.create(
      {customer: buyer.id, collection_method: 'send_invoice', days_until_due: 30});
  const paid = sub.latest_invoice;
  const by = (more) => stripe.invoices.list({customer: buyer.id, ...more});
  await same(by({}), [paid, draft.id], 'customer');
  await same(by({status: 'paid'}), [paid], 'paid');
  await same(by({status: 'draft'}), [draft.id], 'draft');
  for (const status of ['open', 'void', 'uncollectible']) await same(by({status}), [], status);
  await same(stripe.invoices.list({subscription: sub.id}), [paid], 'subscription');
  await same(by({collection_method: 'send_invoice'}), [draft.id], 'collection_method');
  await same(by({due_date: {gt: draft.created}}), [draft.id], 'due_date');
  await same(by({created: {gt: draft.created + 1}}), [], 'created');
});

check('charges, intents, refunds: by what they belong to', async () => {
  const buyer = await customer();
  const pay = (more) => stripe.paymentIntents.create({
    amount: 900, currency: 'usd', customer: buyer.id, payment_method: 'pm_card_visa',
    confirm: true, automatic_payment_methods: {enabled: true, allow_redirects: 'never'}, ...more});
  const first = await pay({transfer_group: unique('group')});
  const second = await pay({});
  await same(stripe.paymentIntents.list({customer: buyer.id}), [first.id, second.id]);
  await same(stripe.charges.list({customer: buyer.id}),
      [first.latest_charge, second.latest_charge]);
  await same(stripe.charges.list({payment_intent: second.id}), [second.latest_charge]);
  await same(stripe.charges.list({transfer_group: first.transfer_group}), [first.latest_charge]);
  const part = await stripe.refunds.create({payment_intent: first.id, amount: 100});
  await same(stripe.refunds.list({payment_intent: first.id}), [part.id], 'payment_intent');
  await same(stripe.refunds.list({charge: first.latest_charge}), [part.id], 'charge');
  await same(stripe.refunds.list({charge: second.latest_charge}), [], 'another');
});

check('coupons\' codes, features, links, quotes, events: by their filters', async () => {
  const buyer = await customer();
  const coupon = (await stripe.coupons.create({percent_off: 5, duration: 'once'})).id;
  const code = unique('CODE').replaceAll('-', '');
  const promotion = await stripe.promotionCodes.create(
      {promotion: {type: 'coupon', coupon}, code, customer: buyer.id});
  for (const params of [{code}, {coupon}, {customer: buyer.id}, {code, active: true}]) {
    await same(stripe.promotionCodes.list(params), [promotion.id], JSON.stringify(params));
  }
  await same(stripe.promotionCodes.list({code, active: false}), [], 'active');
  const lookup = unique('feature');
  const feature = await stripe.entitlements.features.create({name: 'F', lookup_key: lookup});
  await same(stripe.entitlements.features.list({lookup_key: lookup}), [feature.id], 'lookup_key');
  const quote = await stripe.quotes.create(
      {customer: buyer.id, line_items: [{price: (await price()).id}]});
  await same(stripe.quotes.list({customer: buyer.id, status: 'draft'}), [quote.id], 'quote');
  await same(stripe.quotes.list({customer: buyer.id, status: 'open'}), [], 'quote, open');
  const told = await stripe.events.list({type: 'quote.created', limit: 1});
  assert.equal(told.data[0].type, 'quote.created');
  const types = ['quote.created', 'promotion_code.created'];
  for (const event of (await stripe.events.list({types, limit: 20})).data) {
    assert.ok(types.includes(event.type), event.type);
  }
});

check('pages: forward and backward, by hand and by themselves, at each limit', async () => {
  const buyer = await customer('');
  const made = [];
  for (let n = 0; n < 6; n += 1) {
    made.unshift((await stripe.invoices.create({customer: buyer.id})).id);
  }
  const by = (more) => stripe.invoices.list({customer: buyer.id, ...more});
  for (let limit = 1; limit <= 7; limit += 1) {
    assert.deepEqual(await walk(by({limit})), made, `limit ${limit}`);
    const up = await walk(by({limit, ending_before: made[5]}));
    assert.deepEqual(up, made.slice(0, 5).toReversed(), `limit ${limit}, backward`);
    const page = await by({limit});
    assert.equal(page.has_more, limit < 6);
    assert.equal(page.data.length, Math.min(limit, 6));
  }
  assert.deepEqual(ids(await by({starting_after: made[5]})), []);
  assert.deepEqual(ids(await by({ending_before: made[0]})), []);
  const last = await by({starting_after: made[3], limit: 2});
  assert.deepEqual([ids(last), last.has_more], [made.slice(4), false]);
  const some = await by({limit: 2}).autoPagingToArray({limit: 3});
  assert.deepEqual(some.map((one) => one.id), made.slice(0, 3));
  const both = await refused(by({starting_after: made[1], ending_before: made[4]}));
  assert.equal(both.statusCode, 400);
  const another = await refused(by({starting_after: buyer.id}));
  assert.equal(another.code, 'resource_missing');
  assert.equal(another.param, 'starting_after');
});

check('expand: up to four levels, through lists and arrays, in lists and searches', async () => {
  const buyer = await customer();
  const gold = await price(800);
  const sub = await stripe.subscriptions.create({customer: buyer.id, items: [{price: gold.id}]});
  const one = await stripe.subscriptions.retrieve(sub.id, {expand: [
    'customer.invoice_settings.default_payment_method', 'latest_invoice.payments',
    'items.data.price.product']});
  assert.equal(one.customer.invoice_settings.default_payment_method.card.brand, 'visa');
  assert.equal(one.latest_invoice.payments.data[0].status, 'paid');
  assert.equal(one.items.data[0].price.product.id, gold.product);
  const deep = await stripe.invoices.retrieve(one.latest_invoice.id, {expand: [
    'payments.data.payment.payment_intent', 'customer', 'lines.data.pricing.price_details']})
      .catch((error) => error);
  assert.ok(deep.statusCode === 400 || deep.customer.id === buyer.id);
  const paid = await stripe.invoices.retrieve(one.latest_invoice.id,
      {expand: ['payments.data.payment.payment_intent']});
  const intent = paid.payments.data[0].payment.payment_intent;
  assert.equal(intent.amount, 800);
  const listed = await stripe.paymentIntents.list({customer: buyer.id,
    expand: ['data.latest_charge.balance_transaction', 'data.customer.default_source']});
  assert.equal(listed.data[0].latest_charge.balance_transaction.amount, 800);
  assert.equal(listed.data[0].customer.email, buyer.email);
  const both = await stripe.subscriptions.list({customer: buyer.id,
    expand: ['data.latest_invoice.customer', 'data.default_payment_method']});
  assert.equal(both.data[0].latest_invoice.customer.id, buyer.id);
  const made = await stripe.subscriptions.update(sub.id,
      {metadata: {x: 'y'}, expand: ['latest_invoice', 'customer']});
  assert.equal(made.latest_invoice.object, 'invoice');
});
