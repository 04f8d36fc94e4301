'use strict';
// Subscription schedules, payment links, quotes.

const {assert, check, customer, price, refused, stripe, until} = require('./kit');

check('subscription schedule: phases of a test clock, from one price to the next', async () => {
  const start = Date.UTC(2026, 0, 1) / 1000;
  const clock = await stripe.testHelpers.testClocks.create({frozen_time: start});
  const buyer = await customer('pm_card_visa', {test_clock: clock.id});
  const [silver, gold] = [await price(1000), await price(2000)];
  const month = {interval: 'month', interval_count: 1};
  const made = await stripe.subscriptionSchedules.create({
    customer: buyer.id, start_date: start, end_behavior: 'cancel',
    phases: [{items: [{price: silver.id}], duration: month},
      {items: [{price: gold.id, quantity: 2}], duration: month}]});
  assert.equal(made.status, 'active');
  assert.equal(made.phases[0].end_date, made.phases[1].start_date);
  await stripe.testHelpers.testClocks.advance(
      clock.id, {frozen_time: made.phases[0].end_date + 2 * 3600});
  await until(async () =>
    (await stripe.testHelpers.testClocks.retrieve(clock.id)).status === 'ready', 'ready');
  const now = await stripe.subscriptionSchedules.retrieve(made.id, {expand: ['subscription']});
  assert.equal(now.current_phase.start_date, made.phases[1].start_date);
  assert.equal(now.subscription.items.data[0].price.id, gold.id);
  assert.equal(now.subscription.cancel_at, made.phases[1].end_date);
  await stripe.testHelpers.testClocks.del(clock.id);
});

check('subscription schedule: from a subscription, changed, released', async () => {
  const buyer = await customer();
  const [silver, gold] = [await price(1000), await price(2000)];
  const sub = await stripe.subscriptions.create(
      {customer: buyer.id, items: [{price: silver.id}]});
  const made = await stripe.subscriptionSchedules.create({from_subscription: sub.id});
  const {start_date, end_date} = made.phases[0];
  const both = await stripe.subscriptionSchedules.update(made.id, {
    phases: [{items: [{price: silver.id, quantity: 1}], start_date, end_date},
      {items: [{price: gold.id, quantity: 1}]}]});
  assert.equal(both.phases.length, 2);
  const error = await refused(
      stripe.subscriptions.update(sub.id, {cancel_at_period_end: true}));
  assert.match(error.message, /managed by the subscription schedule/);
  const free = await stripe.subscriptionSchedules.release(made.id);
  assert.equal(free.status, 'released');
  assert.equal(free.released_subscription, sub.id);
  const again = await refused(stripe.subscriptionSchedules.cancel(made.id));
  assert.equal(again.statusCode, 400);
  const all = await stripe.subscriptionSchedules.list({customer: buyer.id});
  assert.deepEqual(all.data.map((s) => s.id), [made.id]);
});

check('payment link: made, listed, switched off', async () => {
  const made = await stripe.paymentLinks.create(
      {line_items: [{price: (await price()).id, quantity: 2}], expand: ['line_items']});
  assert.match(made.url, /^http/);
  assert.equal(made.line_items.data[0].amount_total, 4000);
  const lines = await stripe.paymentLinks.listLineItems(made.id);
  assert.equal(lines.data[0].price.unit_amount, 2000);
  const off = await stripe.paymentLinks.update(made.id, {active: false});
  assert.equal(off.active, false);
  const active = await stripe.paymentLinks.list({active: true, limit: 100});
  assert.ok(!active.data.some((link) => link.id === made.id));
});

check('quote: drafted, finalized, accepted', async () => {
  const buyer = await customer();
  const fee = await stripe.prices.create(
      {currency: 'usd', unit_amount: 5000, product_data: {name: 'Setup'}});
  const draft = await stripe.quotes.create({
    customer: buyer.id,
    line_items: [{price: (await price()).id, quantity: 1}, {price: fee.id}]});
  assert.equal(draft.amount_total, 7000);
  assert.equal(draft.computed.recurring.amount_total, 2000);
  const whole = await stripe.quotes.retrieve(
      draft.id, {expand: ['computed.upfront.line_items']});
  assert.equal(whole.computed.upfront.line_items.data.length, 2);
  const early = await refused(stripe.quotes.accept(draft.id));
  assert.equal(early.statusCode, 400);
  const open = await stripe.quotes.finalizeQuote(draft.id);
  assert.equal(open.status, 'open');
  const done = await stripe.quotes.accept(draft.id, {expand: ['subscription']});
  assert.equal(done.status, 'accepted');
  assert.equal(done.subscription.customer, buyer.id);
  const lines = [];
  for await (const line of stripe.quotes.listLineItems(draft.id)) lines.push(line.amount_total);
  assert.deepEqual(lines, [2000, 5000]);
});
