'use strict';
// Subscriptions and invoices.

const {assert, check, customer, price, refused, sandbox, stripe, until} = require('./kit');

const day = 86400;

async function subscribed(buyer, gold, more = {}) {
  return stripe.subscriptions.create({customer: buyer.id, items: [{price: gold.id}], ...more});
}

check('subscription: paid at once', async () => {
  const sub = await subscribed(await customer(), await price(2000),
      {expand: ['latest_invoice.payments']});
  assert.equal(sub.status, 'active');
  assert.equal(sub.latest_invoice.status, 'paid');
  assert.equal(sub.latest_invoice.amount_paid, 2000);
  assert.equal(sub.latest_invoice.billing_reason, 'subscription_create');
  const item = sub.items.data[0];
  assert.ok(item.current_period_end - item.current_period_start >= 28 * day);
});

check('subscription: default_incomplete waits for its first payment', async () => {
  const sub = await subscribed(await customer(''), await price(1000), {
    payment_behavior: 'default_incomplete',
    payment_settings: {save_default_payment_method: 'on_subscription'},
    expand: ['latest_invoice.confirmation_secret', 'latest_invoice.payments'],
  });
  assert.equal(sub.status, 'incomplete');
  assert.match(sub.latest_invoice.confirmation_secret.client_secret, /^pi_.*_secret_/);
  const intent = sub.latest_invoice.payments.data[0].payment.payment_intent;
  await stripe.paymentIntents.confirm(intent, {payment_method: 'pm_card_visa'});
  const now = await stripe.subscriptions.retrieve(sub.id);
  assert.equal(now.status, 'active');
  assert.match(now.default_payment_method, /^pm_/);
});

check('subscription: a declined card leaves it incomplete, or nothing at all', async () => {
  const poor = await customer('pm_card_chargeCustomerFail');
  const gold = await price(1000);
  const sub = await subscribed(poor, gold);
  assert.equal(sub.status, 'incomplete');
  const error = await refused(subscribed(poor, gold, {payment_behavior: 'error_if_incomplete'}));
  assert.equal(error.type, 'StripeCardError');
  const all = await stripe.subscriptions.list({customer: poor.id, status: 'all'});
  assert.equal(all.data.length, 1);
});

check('subscription: 3D Secure on the first invoice', async () => {
  const sub = await subscribed(await customer('pm_card_authenticationRequired'), await price(1000),
      {expand: ['latest_invoice.payments']});
  assert.equal(sub.status, 'incomplete');
  const intent = sub.latest_invoice.payments.data[0].payment.payment_intent;
  const waiting = await stripe.paymentIntents.retrieve(intent);
  assert.equal(waiting.status, 'requires_action');
  await sandbox('POST', '/_sandbox/authenticate', {intent, result: 'pass'});
  assert.equal((await stripe.subscriptions.retrieve(sub.id)).status, 'active');
});

check('subscription: an upgrade is prorated, later or at once', async () => {
  const buyer = await customer();
  const [silver, gold] = [await price(1000), await price(3000)];
  const sub = await subscribed(buyer, silver);
  const item = sub.items.data[0].id;
  const later = await stripe.subscriptions.update(sub.id,
      {items: [{id: item, price: gold.id}], proration_behavior: 'create_prorations'});
  assert.equal(later.items.data[0].price.id, gold.id);
  const pending = await stripe.invoiceItems.list({customer: buyer.id, pending: true});
  assert.equal(pending.data.length, 2);
  assert.ok(pending.data.every((i) => i.parent.type === 'subscription_details'));
  const other = await subscribed(buyer, silver);
  const now = await stripe.subscriptions.update(other.id, {
    items: [{id: other.items.data[0].id, price: gold.id}], proration_behavior: 'always_invoice',
    expand: ['latest_invoice'],
  });
  assert.equal(now.latest_invoice.billing_reason, 'subscription_update');
  assert.equal(now.latest_invoice.status, 'paid');
  assert.ok(now.latest_invoice.total > 0 && now.latest_invoice.total <= 2000);
});

check('invoice: what an upgrade would cost, without doing it', async () => {
  const [silver, gold] = [await price(1000), await price(3000)];
  const sub = await subscribed(await customer(), silver);
  const items = [{id: sub.items.data[0].id, price: gold.id}];
  const preview = await stripe.invoices.createPreview(
      {subscription: sub.id, subscription_details: {items}});
  assert.equal(preview.object, 'invoice');
  assert.equal(preview.lines.data.length, 3);
  const still = await stripe.subscriptions.retrieve(sub.id);
  assert.equal(still.items.data[0].price.id, silver.id);
});

check('subscription: quantities, several items, metadata', async () => {
  const [a, b] = [await price(100), await price(200)];
  const sub = await stripe.subscriptions.create({
    customer: (await customer()).id, items: [{price: a.id, quantity: 3}, {price: b.id}],
    metadata: {team: '7'}, expand: ['latest_invoice'],
  });
  assert.equal(sub.latest_invoice.total, 500);
  assert.equal(sub.metadata.team, '7');
  const items = await stripe.subscriptionItems.list({subscription: sub.id});
  assert.deepEqual(items.data.map((i) => i.quantity).toSorted(), [1, 3]);
});

check('subscription: canceled at the end of the period, and not after all', async () => {
  const sub = await subscribed(await customer(), await price(1000));
  const ending = await stripe.subscriptions.update(sub.id, {cancel_at_period_end: true});
  assert.equal(ending.cancel_at_period_end, true);
  assert.equal(ending.status, 'active');
  assert.equal(ending.cancel_at, ending.items.data[0].current_period_end);
  const kept = await stripe.subscriptions.update(sub.id, {cancel_at_period_end: false});
  assert.equal(kept.cancel_at, null);
  const gone = await stripe.subscriptions.cancel(sub.id);
  assert.equal(gone.status, 'canceled');
  const error = await refused(stripe.subscriptions.update(sub.id, {cancel_at_period_end: true}));
  assert.equal(error.type, 'StripeInvalidRequestError');
});

check('subscription: a trial costs nothing yet', async () => {
  const sub = await subscribed(await customer(''), await price(1000), {
    trial_period_days: 14, expand: ['latest_invoice'],
    trial_settings: {end_behavior: {missing_payment_method: 'cancel'}},
  });
  assert.equal(sub.status, 'trialing');
  assert.equal(sub.trial_end - sub.trial_start, 14 * day);
  assert.equal(sub.latest_invoice.total, 0);
});

check('promotion codes and coupons make it cheaper', async () => {
  const coupon = await stripe.coupons.create({percent_off: 50, duration: 'once'});
  const promotion = await stripe.promotionCodes.create(
      {promotion: {type: 'coupon', coupon: coupon.id}});
  const sub = await subscribed(await customer(), await price(2000), {
    discounts: [{promotion_code: promotion.id}], expand: ['latest_invoice'],
  });
  assert.equal(sub.latest_invoice.total, 1000);
  assert.equal((await stripe.promotionCodes.retrieve(promotion.id)).times_redeemed, 1);
});

check('a customer\'s credit pays first', async () => {
  const buyer = await customer();
  await stripe.customers.createBalanceTransaction(buyer.id, {amount: -700, currency: 'usd'});
  const sub = await subscribed(buyer, await price(1000), {expand: ['latest_invoice']});
  assert.equal(sub.latest_invoice.amount_due, 300);
  assert.equal(sub.latest_invoice.starting_balance, -700);
  assert.equal((await stripe.customers.retrieve(buyer.id)).balance, 0);
});

check('invoice: items, finalized, paid', async () => {
  const buyer = await customer();
  const draft = await stripe.invoices.create({customer: buyer.id});
  assert.equal(draft.status, 'draft');
  await stripe.invoiceItems.create(
      {customer: buyer.id, invoice: draft.id, amount: 1500, currency: 'usd', description: 'Work'});
  const open = await stripe.invoices.finalizeInvoice(draft.id);
  assert.equal(open.status, 'open');
  assert.equal(open.amount_due, 1500);
  assert.ok(open.number);
  const paid = await stripe.invoices.pay(draft.id);
  assert.equal(paid.status, 'paid');
  const lines = await stripe.invoices.listLineItems(draft.id);
  assert.deepEqual(lines.data.map((l) => l.description), ['Work']);
  const error = await refused(stripe.invoices.pay(draft.id));
  assert.match(error.message, /already paid/);
});

check('invoice: voided, uncollectible, deleted as a draft', async () => {
  const buyer = await customer();
  const open = async () => {
    const draft = await stripe.invoices.create(
        {customer: buyer.id, collection_method: 'send_invoice', days_until_due: 30});
    await stripe.invoiceItems.create(
        {customer: buyer.id, invoice: draft.id, amount: 100, currency: 'usd'});
    return stripe.invoices.finalizeInvoice(draft.id);
  };
  assert.equal((await stripe.invoices.voidInvoice((await open()).id)).status, 'void');
  const bad = await stripe.invoices.markUncollectible((await open()).id);
  assert.equal(bad.status, 'uncollectible');
  const draft = await stripe.invoices.create({customer: buyer.id});
  assert.equal((await stripe.invoices.del(draft.id)).deleted, true);
  assert.equal((await refused(stripe.invoices.retrieve(draft.id))).statusCode, 404);
});

check('test clock: a month passes and the renewal is paid', async () => {
  const start = Date.UTC(2026, 0, 1) / 1000;
  const clock = await stripe.testHelpers.testClocks.create({frozen_time: start});
  const buyer = await customer('pm_card_visa', {test_clock: clock.id});
  const sub = await subscribed(buyer, await price(2000));
  assert.equal(sub.items.data[0].current_period_start, start);
  const advance = async (to) => {
    await stripe.testHelpers.testClocks.advance(clock.id, {frozen_time: to});
    await until(async () =>
      (await stripe.testHelpers.testClocks.retrieve(clock.id)).status === 'ready', 'ready');
  };
  await advance(sub.items.data[0].current_period_end + 2 * 3600);
  const now = await stripe.subscriptions.retrieve(sub.id, {expand: ['latest_invoice']});
  assert.equal(now.status, 'active');
  assert.equal(now.latest_invoice.billing_reason, 'subscription_cycle');
  assert.equal(now.latest_invoice.status, 'paid');
  const invoices = await stripe.invoices.list({customer: buyer.id});
  assert.equal(invoices.data.length, 2);
  for await (const one of stripe.customers.list({email: buyer.email})) assert.fail(one.id);
  const mine = await stripe.customers.list({test_clock: clock.id});
  assert.equal(mine.data.length, 1);
  assert.equal((await stripe.testHelpers.testClocks.del(clock.id)).deleted, true);
});

check('test clock: a trial ends without a card and the subscription is canceled', async () => {
  const start = Date.UTC(2026, 0, 1) / 1000;
  const clock = await stripe.testHelpers.testClocks.create({frozen_time: start});
  const buyer = await customer('', {test_clock: clock.id});
  const sub = await subscribed(buyer, await price(2000), {
    trial_period_days: 7, trial_settings: {end_behavior: {missing_payment_method: 'cancel'}},
  });
  await stripe.testHelpers.testClocks.advance(clock.id, {frozen_time: start + 8 * day});
  await until(async () => (await stripe.subscriptions.retrieve(sub.id)).status === 'canceled',
      'it is canceled');
});
