'use strict';
// Objects come, change and go.

const {assert, check, customer, price, refused, stripe, unique} = require('./kit');

check('a customer is created, read, changed and deleted', async () => {
  const made = await stripe.customers.create({
    email: 'ada@example.com', name: 'Ada', phone: '+4912345',
    address: {line1: 'Street 1', city: 'Berlin', country: 'DE'},
  });
  assert.match(made.id, /^cus_/);
  assert.equal(made.object, 'customer');
  const read = await stripe.customers.retrieve(made.id);
  assert.equal(read.email, 'ada@example.com');
  assert.equal(read.address.city, 'Berlin');
  const changed = await stripe.customers.update(made.id, {name: 'Ada L.', phone: ''});
  assert.equal(changed.name, 'Ada L.');
  assert.equal(changed.phone, null);
  const gone = await stripe.customers.del(made.id);
  assert.deepEqual({...gone}, {id: made.id, object: 'customer', deleted: true});
  const stub = await stripe.customers.retrieve(made.id);
  assert.equal(stub.deleted, true);
  const error = await refused(stripe.customers.update(made.id, {name: 'x'}));
  assert.equal(error.code, 'resource_missing');
});

check('products and prices are created, read and changed; a product without prices goes',
    async () => {
      const product = await stripe.products.create({name: 'Silver', description: 'plain'});
      assert.equal(product.active, true);
      const changed = await stripe.products.update(product.id, {description: ''});
      assert.equal(changed.description, null);
      assert.equal((await stripe.products.del(product.id)).deleted, true);
      const made = await price(1500);
      assert.equal(made.unit_amount, 1500);
      assert.equal(made.type, 'recurring');
      assert.equal(made.recurring.interval, 'month');
      const quiet = await stripe.prices.update(made.id, {active: false, nickname: 'old'});
      assert.equal(quiet.active, false);
      assert.equal((await stripe.prices.retrieve(made.id)).nickname, 'old');
      const error = await refused(stripe.products.del(made.product));
      assert.equal(error.statusCode, 400);
    });

check('coupons and promotion codes', async () => {
  const coupon = await stripe.coupons.create({percent_off: 25, duration: 'forever', name: 'Q'});
  assert.equal(coupon.percent_off, 25);
  const code = unique('SPRING').replaceAll('-', '');
  const promotion = await stripe.promotionCodes.create(
      {promotion: {type: 'coupon', coupon: coupon.id}, code});
  assert.equal(promotion.active, true);
  const found = await stripe.promotionCodes.list({code});
  assert.deepEqual(found.data.map((p) => p.id), [promotion.id]);
  const off = await stripe.promotionCodes.update(promotion.id, {active: false});
  assert.equal(off.active, false);
  assert.equal((await stripe.coupons.del(coupon.id)).deleted, true);
  assert.equal((await refused(stripe.coupons.retrieve(coupon.id))).code, 'resource_missing');
});

check('metadata: set, changed by key, a key unset, all cleared', async () => {
  const made = await customer('', {metadata: {a: '1', b: '2'}});
  assert.deepEqual({...made.metadata}, {a: '1', b: '2'});
  const more = await stripe.customers.update(made.id, {metadata: {b: '3', c: '4'}});
  assert.deepEqual({...more.metadata}, {a: '1', b: '3', c: '4'});
  const less = await stripe.customers.update(made.id, {metadata: {a: ''}});
  assert.deepEqual({...less.metadata}, {b: '3', c: '4'});
  const none = await stripe.customers.update(made.id, {metadata: ''});
  assert.deepEqual({...none.metadata}, {});
  const error = await refused(stripe.customers.update(made.id,
      {metadata: {['k'.repeat(41)]: 'x'}}));
  assert.equal(error.type, 'StripeInvalidRequestError');
});

check('a deleted object is gone from lists and its references are refused', async () => {
  const made = await customer('');
  await stripe.customers.del(made.id);
  for await (const one of stripe.customers.list({email: made.email})) assert.fail(one.id);
  const error = await refused(stripe.invoices.create({customer: made.id}));
  assert.equal(error.code, 'resource_missing');
  assert.equal(error.param, 'customer');
});

check('the balance of a customer changes by entries', async () => {
  const made = await customer('');
  const entry = await stripe.customers.createBalanceTransaction(made.id,
      {amount: -500, currency: 'usd', description: 'sorry'});
  assert.equal(entry.ending_balance, -500);
  await stripe.customers.createBalanceTransaction(made.id, {amount: 200, currency: 'usd'});
  assert.equal((await stripe.customers.retrieve(made.id)).balance, -300);
  const entries = await stripe.customers.listBalanceTransactions(made.id);
  assert.deepEqual(entries.data.map((e) => e.amount), [200, -500]);
  const again = await stripe.customers.retrieveBalanceTransaction(made.id, entry.id);
  assert.equal(again.description, 'sorry');
});

check('entitlements follow a subscription', async () => {
  const feature = await stripe.entitlements.features.create(
      {name: 'Exports', lookup_key: unique('exports')});
  const gold = await price(900);
  const link = await stripe.products.createFeature(gold.product,
      {entitlement_feature: feature.id});
  assert.equal(link.entitlement_feature.lookup_key, feature.lookup_key);
  const buyer = await customer();
  const sub = await stripe.subscriptions.create({customer: buyer.id, items: [{price: gold.id}]});
  const has = await stripe.entitlements.activeEntitlements.list({customer: buyer.id});
  assert.deepEqual(has.data.map((e) => e.lookup_key), [feature.lookup_key]);
  await stripe.subscriptions.cancel(sub.id);
  const then = await stripe.entitlements.activeEntitlements.list({customer: buyer.id});
  assert.deepEqual(then.data, []);
});
