'use strict';
// Credit notes, tax IDs, single items and lines, files, connected accounts.

const {assert, check, customer, price, refused, stripe} = require('./kit');

check('credit note: what has been paid goes back to the card and to the balance', async () => {
  const buyer = await customer();
  await stripe.invoiceItems.create({customer: buyer.id, amount: 5000, currency: 'usd'});
  const draft = await stripe.invoices.create(
      {customer: buyer.id, pending_invoice_items_behavior: 'include'});
  const paid = await stripe.invoices.pay(draft.id);
  const asked = {invoice: paid.id, amount: 2000, refund_amount: 1500, credit_amount: 500};
  const foreseen = await stripe.creditNotes.preview(asked);
  assert.equal(foreseen.total, 2000);
  const note = await stripe.creditNotes.create({...asked, expand: ['refunds.refund']});
  assert.equal(note.type, 'post_payment');
  assert.equal(note.refunds[0].refund.amount, 1500);
  assert.equal((await stripe.customers.retrieve(buyer.id)).balance, -500);
  const lines = [];
  for await (const line of stripe.creditNotes.listLineItems(note.id)) lines.push(line);
  assert.equal(lines.length, 1);
  const error = await refused(stripe.creditNotes.create({invoice: paid.id, amount: 9000}));
  assert.equal(error.type, 'StripeInvalidRequestError');
});

check('tax IDs: of a customer, listed and deleted', async () => {
  const buyer = await customer('', {tax_id_data: [{type: 'eu_vat', value: 'DE123456789'}]});
  const all = await stripe.customers.listTaxIds(buyer.id);
  assert.equal(all.data[0].country, 'DE');
  const gone = await stripe.customers.deleteTaxId(buyer.id, all.data[0].id);
  assert.equal(gone.deleted, true);
  const error = await refused(
      stripe.customers.createTaxId(buyer.id, {type: 'eu_vat', value: 'nothing'}));
  assert.equal(error.code, 'tax_id_invalid');
});

check('subscription items: added, changed, deleted by themselves', async () => {
  const buyer = await customer();
  const made = await stripe.subscriptions.create(
      {customer: buyer.id, items: [{price: (await price()).id}]});
  const item = await stripe.subscriptionItems.create(
      {subscription: made.id, price: (await price(500)).id, quantity: 2});
  const more = await stripe.subscriptionItems.update(item.id, {quantity: 3});
  assert.equal(more.quantity, 3);
  const gone = await stripe.subscriptionItems.del(item.id, {proration_behavior: 'none'});
  assert.equal(gone.deleted, true);
  const now = await stripe.subscriptions.retrieve(made.id);
  assert.equal(now.items.data.length, 1);
  const last = await refused(stripe.subscriptionItems.del(now.items.data[0].id));
  assert.equal(last.statusCode, 400);
});

check('invoice lines: several at once, while it is a draft', async () => {
  const buyer = await customer();
  const draft = await stripe.invoices.create({customer: buyer.id});
  const added = await stripe.invoices.addLines(draft.id, {
    lines: [{amount: 700, description: 'Work'}, {amount: 300, description: 'Parts'}]});
  assert.equal(added.total, 1000);
  const first = added.lines.data[0].id;
  const changed = await stripe.invoices.updateLineItem(draft.id, first, {amount: 900});
  assert.equal(changed.amount, 900);
  const left = await stripe.invoices.removeLines(draft.id,
      {lines: [{id: first, behavior: 'delete'}]});
  assert.equal(left.total, 300);
});

check('connected accounts: each has its own customers', async () => {
  const shop = await stripe.accounts.create({type: 'express', country: 'US'});
  const there = {stripeAccount: shop.id};
  const theirs = await stripe.customers.create({email: 'a@example.com'}, there);
  assert.equal((await stripe.customers.retrieve(theirs.id, {}, there)).id, theirs.id);
  const missing = await refused(stripe.customers.retrieve(theirs.id));
  assert.equal(missing.code, 'resource_missing');
  const listed = await stripe.customers.list({}, there);
  assert.deepEqual(listed.data.map((c) => c.id), [theirs.id]);
  const error = await refused(stripe.customers.list({}, {stripeAccount: 'acct_1Nobody'}));
  assert.equal(error.type, 'StripePermissionError');
  assert.equal((await stripe.accounts.del(shop.id)).deleted, true);
});
