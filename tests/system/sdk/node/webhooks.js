'use strict';
// Events and their deliveries.

const http = require('node:http');
const {assert, check, customer, price, refused, Stripe, stripe, until} = require('./kit');

async function receiver(act) {
  const got = [];
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      got.push({body: Buffer.concat(parts), signature: request.headers['stripe-signature']});
      response.end('ok');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  try {
    await act(`http://127.0.0.1:${server.address().port}/hook`, got);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

check('webhooks: deliveries arrive, hold their signature, and tampered ones do not', async () => {
  await receiver(async (url, got) => {
    const endpoint = await stripe.webhookEndpoints.create({
      url, enabled_events: ['customer.created', 'customer.subscription.created', 'invoice.paid'],
    });
    assert.match(endpoint.secret, /^whsec_/);
    try {
      const buyer = await customer();
      await stripe.subscriptions.create(
          {customer: buyer.id, items: [{price: (await price(500)).id}]});
      const read = (d) => stripe.webhooks.constructEvent(d.body, d.signature, endpoint.secret);
      await until(() => got.length >= 3, 'three deliveries');
      const types = got.map((d) => read(d).type).toSorted();
      assert.deepEqual(types,
          ['customer.created', 'customer.subscription.created', 'invoice.paid']);
      const about = read(got.find((d) => read(d).type === 'customer.created'));
      assert.equal(about.data.object.id, buyer.id);
      assert.equal(about.object, 'event');
      const forged = Buffer.from(got[0].body.toString().replace('evt_', 'evt_x'));
      assert.throws(() => read({body: forged, signature: got[0].signature}),
          Stripe.errors.StripeSignatureVerificationError);
      assert.throws(() => stripe.webhooks.constructEvent(
          got[0].body, got[0].signature, 'whsec_other'),
      Stripe.errors.StripeSignatureVerificationError);
    } finally {
      await stripe.webhookEndpoints.del(endpoint.id);
    }
  });
});

check('webhook endpoints: created, changed, listed without their secret, deleted', async () => {
  const made = await stripe.webhookEndpoints.create(
      {url: 'https://example.com/hook', enabled_events: ['*'], description: 'all'});
  const changed = await stripe.webhookEndpoints.update(made.id, {disabled: true});
  assert.equal(changed.status, 'disabled');
  const listed = await stripe.webhookEndpoints.list();
  const mine = listed.data.find((e) => e.id === made.id);
  assert.equal(mine.secret, undefined);
  assert.equal((await stripe.webhookEndpoints.del(made.id)).deleted, true);
  assert.equal((await refused(stripe.webhookEndpoints.retrieve(made.id))).statusCode, 404);
});

check('events: listed by type and read, with what changed', async () => {
  const made = await customer('');
  await stripe.customers.update(made.id, {name: 'After'});
  const events = await stripe.events.list({type: 'customer.updated', limit: 20});
  const mine = events.data.find((e) => e.data.object.id === made.id);
  assert.equal(mine.data.previous_attributes.name, null);
  assert.equal(mine.data.object.name, 'After');
  assert.match(mine.request.id, /^req_/);
  const again = await stripe.events.retrieve(mine.id);
  assert.deepEqual(again.data, mine.data);
});
