'use strict';
// Payment intents, refunds, setup intents, payment methods.

const {assert, check, customer, refused, sandbox, stripe} = require('./kit');

const automatic = {enabled: true, allow_redirects: 'never'};

check('payment intent: created, confirmed, refunded in part and in full', async () => {
  const buyer = await customer();
  const made = await stripe.paymentIntents.create(
      {amount: 3000, currency: 'usd', customer: buyer.id, automatic_payment_methods: automatic});
  assert.equal(made.status, 'requires_payment_method');
  const updated = await stripe.paymentIntents.update(made.id, {description: 'a thing'});
  assert.equal(updated.description, 'a thing');
  const paid = await stripe.paymentIntents.confirm(made.id,
      {payment_method: 'pm_card_visa', expand: ['latest_charge.balance_transaction']});
  assert.equal(paid.status, 'succeeded');
  assert.equal(paid.amount_received, 3000);
  assert.equal(paid.latest_charge.balance_transaction.amount, 3000);
  const part = await stripe.refunds.create({payment_intent: made.id, amount: 1000});
  assert.equal(part.status, 'succeeded');
  await stripe.refunds.create({charge: paid.latest_charge.id});
  const charge = await stripe.charges.retrieve(paid.latest_charge.id, {expand: ['refunds']});
  assert.equal(charge.refunded, true);
  assert.equal(charge.amount_refunded, 3000);
  assert.equal(charge.refunds.data.length, 2);
  const error = await refused(stripe.refunds.create({payment_intent: made.id}));
  assert.equal(error.code, 'charge_already_refunded');
});

check('payment intent: captured by hand, in part', async () => {
  const made = await stripe.paymentIntents.create({
    amount: 5000, currency: 'usd', capture_method: 'manual', payment_method: 'pm_card_visa',
    confirm: true, automatic_payment_methods: automatic,
  });
  assert.equal(made.status, 'requires_capture');
  assert.equal(made.amount_capturable, 5000);
  const captured = await stripe.paymentIntents.capture(made.id, {amount_to_capture: 4000});
  assert.equal(captured.status, 'succeeded');
  assert.equal(captured.amount_received, 4000);
});

check('payment intent: canceled, and then it stays so', async () => {
  const made = await stripe.paymentIntents.create(
      {amount: 500, currency: 'eur', automatic_payment_methods: automatic});
  const canceled = await stripe.paymentIntents.cancel(made.id,
      {cancellation_reason: 'abandoned'});
  assert.equal(canceled.status, 'canceled');
  assert.equal(canceled.cancellation_reason, 'abandoned');
  const error = await refused(stripe.paymentIntents.confirm(made.id,
      {payment_method: 'pm_card_visa'}));
  assert.equal(error.code, 'payment_intent_unexpected_state');
});

check('payment intent: declined, then paid with another card', async () => {
  const made = await stripe.paymentIntents.create(
      {amount: 700, currency: 'usd', automatic_payment_methods: automatic});
  const error = await refused(stripe.paymentIntents.confirm(made.id,
      {payment_method: 'pm_card_visa_chargeDeclined'}));
  assert.equal(error.type, 'StripeCardError');
  const waiting = await stripe.paymentIntents.retrieve(made.id);
  assert.equal(waiting.status, 'requires_payment_method');
  assert.equal(waiting.last_payment_error.decline_code, 'generic_decline');
  const paid = await stripe.paymentIntents.confirm(made.id, {payment_method: 'pm_card_visa'});
  assert.equal(paid.status, 'succeeded');
});

check('payment intent: 3D Secure, passed in the browser', async () => {
  const made = await stripe.paymentIntents.create({
    amount: 900, currency: 'usd', payment_method: 'pm_card_authenticationRequired', confirm: true,
    automatic_payment_methods: {enabled: true}, return_url: 'https://example.com/back',
  });
  assert.equal(made.status, 'requires_action');
  assert.ok(made.next_action);
  await sandbox('POST', '/_sandbox/authenticate', {intent: made.id, result: 'pass'});
  assert.equal((await stripe.paymentIntents.retrieve(made.id)).status, 'succeeded');
});

check('setup intent: a card is kept for later and used off session', async () => {
  const buyer = await customer('');
  const made = await stripe.setupIntents.create({
    customer: buyer.id, payment_method: 'pm_card_visa', confirm: true,
    automatic_payment_methods: automatic,
  });
  assert.equal(made.status, 'succeeded');
  const cards = await stripe.paymentMethods.list({customer: buyer.id, type: 'card'});
  assert.deepEqual(cards.data.map((c) => c.id), [made.payment_method]);
  const paid = await stripe.paymentIntents.create({
    amount: 1200, currency: 'usd', customer: buyer.id, payment_method: made.payment_method,
    off_session: true, confirm: true,
  });
  assert.equal(paid.status, 'succeeded');
  const open = await stripe.setupIntents.create({customer: buyer.id});
  assert.equal(open.status, 'requires_payment_method');
  assert.equal((await stripe.setupIntents.cancel(open.id)).status, 'canceled');
});

check('payment methods: attached, changed, detached', async () => {
  const buyer = await customer('');
  const card = await stripe.paymentMethods.attach('pm_card_mastercard', {customer: buyer.id});
  assert.equal(card.card.brand, 'mastercard');
  const changed = await stripe.paymentMethods.update(card.id,
      {billing_details: {name: 'Ada'}, metadata: {spare: 'yes'}});
  assert.equal(changed.billing_details.name, 'Ada');
  const mine = await stripe.customers.listPaymentMethods(buyer.id);
  assert.equal(mine.data.length, 1);
  assert.equal((await stripe.paymentMethods.detach(card.id)).customer, null);
});
