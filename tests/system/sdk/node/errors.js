'use strict';
// Errors, member by member; idempotency; metadata; what is deleted; accounts of others.

const {
  assert, check, client, customer, price, refused, stripe, unique, until,
} = require('./kit');

function told(error, expected) {
  const got = Object.fromEntries(Object.keys(expected).map((name) => [name, error[name]]));
  assert.deepEqual(got, expected, error.message);
  assert.match(error.requestId, /^req_/);
  if (error.code) {
    assert.equal(error.doc_url,
        `https://stripe.com/docs/error-codes/${error.code.replaceAll('_', '-')}`);
  }
}

const invalid = {type: 'StripeInvalidRequestError', rawType: 'invalid_request_error'};

check('missing: each resource names its own parameter, twice alike', async () => {
  for (const [resource, id, param, word] of [
    ['customers', 'cus_none', 'id', 'customer'], ['products', 'prod_none', 'id', 'product'],
    ['prices', 'price_none', 'price', 'price'],
    ['subscriptions', 'sub_none', 'id', 'subscription'],
    ['invoices', 'in_none', 'invoice', 'invoice'], ['charges', 'ch_none', 'id', 'charge'],
    ['paymentIntents', 'pi_none', 'intent', 'payment_intent'],
    ['setupIntents', 'seti_none', 'intent', 'setupintent'],
    ['paymentMethods', 'pm_none', 'payment_method', 'PaymentMethod'],
    ['coupons', 'none', 'coupon', 'coupon'], ['invoiceItems', 'ii_none', 'id', 'invoiceitem'],
    ['events', 'evt_none', 'id', 'notification'],
    ['promotionCodes', 'promo_none', 'promotion_code', 'promotion code'],
    ['taxRates', 'txr_none', 'tax_rate', 'tax rate'], ['refunds', 're_none', 'refund', 'refund'],
    ['subscriptionSchedules', 'sub_sched_none', 'schedule', 'subscription_schedule'],
    ['creditNotes', 'cn_none', 'id', 'credit_note'], ['quotes', 'qt_none', 'quote', 'quote']]) {
    for (let n = 0; n < 2; n += 1) {
      told(await refused(stripe[resource].retrieve(id)), {...invalid, statusCode: 404,
        code: 'resource_missing', param, message: `No such ${word}: '${id}'`});
    }
  }
});

check('missing in a parameter: 400, and the parameter\'s own name', async () => {
  const buyer = await customer('');
  told(await refused(stripe.subscriptions.create({customer: buyer.id,
    items: [{price: 'price_none'}]})), {...invalid, statusCode: 400, code: 'resource_missing',
    param: 'items[0][price]', message: 'No such price: \'price_none\''});
  told(await refused(stripe.invoices.create({customer: 'cus_none'})), {...invalid,
    statusCode: 400, code: 'resource_missing', param: 'customer'});
  told(await refused(stripe.invoices.list({customer: 'cus_none', starting_after: 'in_no'})),
      {...invalid, statusCode: 400, code: 'resource_missing'});
});

check('wrong parameters: unknown, absent, empty, no number, out of range, no choice', async () => {
  told(await refused(stripe.customers.create({nonsense: 1})),
      {...invalid, statusCode: 400, code: 'parameter_unknown', param: 'nonsense'});
  told(await refused(stripe.customers.create({address: {nonsense: 'x'}})),
      {...invalid, statusCode: 400, code: 'parameter_unknown', param: 'address[nonsense]'});
  told(await refused(stripe.customers.list({nonsense: 1})),
      {...invalid, statusCode: 400, code: 'parameter_unknown', param: 'nonsense'});
  told(await refused(stripe.prices.create({unit_amount: 5, product_data: {name: 'x'}})),
      {...invalid, statusCode: 400, code: 'parameter_missing', param: 'currency'});
  told(await refused(stripe.products.create({name: ''})),
      {...invalid, statusCode: 400, code: 'parameter_invalid_empty', param: 'name'});
  told(await refused(stripe.paymentIntents.create({amount: 'x', currency: 'usd'})),
      {...invalid, statusCode: 400, code: 'parameter_invalid_integer', param: 'amount'});
  for (const limit of [0, 101, 'many', -1]) {
    told(await refused(stripe.customers.list({limit})),
        {...invalid, statusCode: 400, code: 'parameter_invalid_integer', param: 'limit'});
  }
  told(await refused(stripe.customers.list({created: {gte: 'yesterday'}})),
      {...invalid, statusCode: 400, code: 'parameter_invalid_integer', param: 'created[gte]'});
  told(await refused(stripe.coupons.create({percent_off: 5, duration: 'sometimes'})),
      {...invalid, statusCode: 400, param: 'duration'});
});

check('wrong expansions: of each kind, on retrieve, list and create', async () => {
  const buyer = await customer('');
  for (const [expand, code] of [['nonsense'], ['email'], ['test_clock.nonsense'],
    ['a.b.c.d.e', 'property_expansion_max_depth']].map(([e, c]) => [[e], c])) {
    for (const ask of [() => stripe.customers.retrieve(buyer.id, {expand}),
      () => stripe.customers.list({expand: [`data.${expand[0]}`]}),
      () => stripe.customers.create({expand})]) {
      told(await refused(ask()), {...invalid, statusCode: 400, code});
    }
  }
  const outside = await refused(stripe.customers.list({expand: ['default_source']}));
  assert.match(outside.message, /You may want to try expanding 'data.default_source' instead/);
});

check('a path that there is not, and a verb that it has not', async () => {
  for (const [verb, path] of [['GET', '/v1/nonsense'], ['POST', '/v1/nonsense'],
    ['DELETE', '/v1/prices/price_1'], ['GET', '/v1/customers/cus_1/nonsense']]) {
    const error = await refused(stripe.rawRequest(verb, path));
    told(error, {...invalid, statusCode: 404});
    assert.match(error.message, /^Unrecognized request URL/);
  }
});

check('authentication: no key, a wrong one', async () => {
  const error = await refused(client({key: 'sk_test_0123456789abcdef'}).customers.list());
  assert.equal(error.type, 'StripeAuthenticationError');
  assert.equal(error.rawType, 'invalid_request_error');
});

check('idempotency: replayed, refused with other parameters, and once if at the same time',
    async () => {
      const idempotencyKey = unique('once');
      const name = unique('Ada');
      const first = await stripe.customers.create({name}, {idempotencyKey});
      const again = await stripe.customers.create({name}, {idempotencyKey});
      assert.deepEqual(JSON.parse(JSON.stringify(again)), JSON.parse(JSON.stringify(first)));
      told(await refused(stripe.customers.create({name: 'B'}, {idempotencyKey})),
          {type: 'StripeIdempotencyError', rawType: 'idempotency_error', statusCode: 400});
      const key = unique('race');
      const asked = Array.from({length: 8}, () =>
        stripe.customers.create({name: key}, {idempotencyKey: key}).catch((error) => error));
      const got = await Promise.all(asked);
      const made = new Set(got.filter((one) => one.id).map((one) => one.id));
      assert.equal(made.size, 1);
      for (const error of got.filter((one) => !one.id)) {
        assert.deepEqual([error.statusCode, error.code], [409, 'idempotency_key_in_use']);
      }
    });

check('idempotency: a decline is kept and told again', async () => {
  const idempotencyKey = unique('decline');
  const params = {amount: 500, currency: 'usd', payment_method: 'pm_card_visa_chargeDeclined',
    confirm: true, automatic_payment_methods: {enabled: true, allow_redirects: 'never'}};
  const first = await refused(stripe.paymentIntents.create(params, {idempotencyKey}));
  const second = await refused(stripe.paymentIntents.create(params, {idempotencyKey}));
  assert.equal(first.type, 'StripeCardError');
  assert.deepEqual([second.code, second.payment_intent.id, second.charge],
      [first.code, first.payment_intent.id, first.charge]);
});

check('metadata: set, changed, unset and emptied, of each kind of object', async () => {
  const sub = await stripe.subscriptions.create(
      {customer: (await customer()).id, items: [{price: (await price()).id}]});
  for (const [resource, made] of [
    ['customers', await customer('')], ['products', await stripe.products.create({name: 'x'})],
    ['prices', await price()], ['subscriptions', sub],
    ['coupons', await stripe.coupons.create({percent_off: 5, duration: 'once'})],
    ['subscriptionItems', sub.items.data[0]],
    ['invoices', await stripe.invoices.create({customer: sub.customer})]]) {
    const update = (metadata) => stripe[resource].update(made.id, {metadata});
    const read = async () => ({...(await stripe[resource].retrieve(made.id)).metadata});
    await update({a: '1', b: 'zwei \u00fc \u{1f600} " \\'});
    assert.deepEqual(await read(), {a: '1', b: 'zwei \u00fc \u{1f600} " \\'}, resource);
    await update({a: '', c: 3});
    assert.deepEqual(await read(), {b: 'zwei \u00fc \u{1f600} " \\', c: '3'}, resource);
    await update('');
    assert.deepEqual(await read(), {}, resource);
    const error = await refused(update({['k'.repeat(41)]: 'x'}));
    assert.equal(error.statusCode, 400, resource);
    assert.equal((await refused(update({k: 'x'.repeat(501)}))).statusCode, 400, resource);
  }
});

check('deleted: a customer leaves a stub, others a 404, and lists forget them', async () => {
  const buyer = await customer('');
  const stub = {id: buyer.id, object: 'customer', deleted: true};
  assert.deepEqual({...await stripe.customers.del(buyer.id)}, stub);
  for (let n = 0; n < 2; n += 1) {
    assert.deepEqual({...await stripe.customers.retrieve(buyer.id)}, stub);
  }
  told(await refused(stripe.customers.del(buyer.id)), {...invalid, statusCode: 404,
    code: 'resource_missing', param: 'id'});
  const draft = await stripe.invoices.create({customer: (await customer('')).id});
  const item = await stripe.invoiceItems.create(
      {customer: (await customer('')).id, amount: 5, currency: 'usd'});
  for (const [resource, made, param] of [
    ['products', await stripe.products.create({name: 'x'}), 'id'],
    ['coupons', await stripe.coupons.create({percent_off: 5, duration: 'once'}), 'coupon'],
    ['invoices', draft, 'invoice'], ['invoiceItems', item, 'id'],
    ['webhookEndpoints', await stripe.webhookEndpoints.create(
        {url: 'https://example.invalid/x', enabled_events: ['*']}), 'webhook_endpoint']]) {
    const gone = await stripe[resource].del(made.id);
    assert.equal(gone.deleted, true, resource);
    for (let n = 0; n < 2; n += 1) {
      told(await refused(stripe[resource].retrieve(made.id)),
          {...invalid, statusCode: 404, code: 'resource_missing', param});
    }
    for await (const one of stripe[resource].list({limit: 100})) assert.notEqual(one.id, made.id);
  }
});

check('Stripe-Account: another\'s objects, lists, keys and errors', async () => {
  const shop = await stripe.accounts.create({type: 'express', country: 'US'});
  const there = {stripeAccount: shop.id};
  const theirs = await stripe.customers.create({name: 'Theirs'}, there);
  assert.equal((await stripe.customers.retrieve(theirs.id, {}, there)).name, 'Theirs');
  assert.deepEqual(ids(await stripe.customers.list({}, there)), [theirs.id]);
  told(await refused(stripe.customers.retrieve(theirs.id)),
      {...invalid, statusCode: 404, code: 'resource_missing', param: 'id'});
  const idempotencyKey = unique('shared');
  const own = await stripe.customers.create({name: 'K'}, {idempotencyKey});
  const other = await stripe.customers.create({name: 'K'}, {idempotencyKey, ...there});
  assert.notEqual(own.id, other.id);
  await stripe.customers.update(theirs.id, {name: 'Changed'}, there);
  assert.equal((await stripe.customers.retrieve(theirs.id, {}, there)).name, 'Changed');
  await stripe.customers.del(theirs.id, {}, there);
  assert.equal((await stripe.customers.retrieve(theirs.id, {}, there)).deleted, true);
  const nobody = await refused(stripe.customers.list({}, {stripeAccount: 'acct_1Nobody'}));
  assert.equal(nobody.statusCode, 403);
});

function ids(page) {
  return page.data.map((one) => one.id);
}

check('search: every operator, in each collection, and what is wrong with a query', async () => {
  const mark = unique('op');
  const gold = await price(1234, {metadata: {mark}, lookup_key: mark});
  const buyer = await customer('pm_card_visa', {metadata: {mark, n: '5'}, name: `Ada ${mark}`});
  const sub = await stripe.subscriptions.create(
      {customer: buyer.id, items: [{price: gold.id}], metadata: {mark}});
  const intent = (await stripe.paymentIntents.list({customer: buyer.id})).data[0];
  await stripe.paymentIntents.update(intent.id, {metadata: {mark}});
  await stripe.charges.update(intent.latest_charge, {metadata: {mark}});
  await stripe.invoices.update(sub.latest_invoice, {metadata: {mark}});
  await stripe.products.update(gold.product, {metadata: {mark}});
  const by = `metadata['mark']:'${mark}'`;
  const own = {customers: buyer.id, subscriptions: sub.id, invoices: sub.latest_invoice,
    charges: intent.latest_charge, paymentIntents: intent.id, prices: gold.id,
    products: gold.product};
  for (const [resource, id] of Object.entries(own)) {
    await until(async () => ids(await stripe[resource].search({query: by})).includes(id),
        resource, 60);
    const timed = !['prices', 'products'].includes(resource);  // these have no numbers
    const times = [['created>0', true], ['created>=0', true], ['created<1', false],
      ['created<=1', false], ['-created<1', true]];
    for (const [more, found] of [...(timed ? times : [['active:"true"', true]]),
      ['-metadata[\'mark\']:null', true], ['metadata[\'no\']:null', true]]) {
      const {data} = await stripe[resource].search({query: `${by} AND ${more}`});
      assert.deepEqual(data.map((one) => one.id), found ? [id] : [], `${resource}: ${more}`);
    }
    for (const query of ['nonsense', 'foo:"x"', `${by} OR created>0 AND created<1`, 'created>"x"',
      'metadata["a":"b"', `${by} AND`, ':x', `created~"1"`]) {
      const error = await refused(stripe[resource].search({query}));
      assert.equal(error.statusCode, 400, `${resource}: ${query}`);
      assert.equal(error.type, 'StripeInvalidRequestError');
    }
  }
  for (const [query, found] of [[`name~"${mark}"`, true], [`name:"ada ${mark}"`, true],
    [`name~"bob" AND ${by}`, false], [`-name~"bob" AND ${by}`, true], [`${by} ${by}`, true],
    [`email:"${buyer.email}" OR ${by}`, true], ['phone:null AND ' + by, true]]) {
    const {data} = await stripe.customers.search({query});
    assert.deepEqual(data.map((one) => one.id), found ? [buyer.id] : [], query);
  }
});

check('a raw request: written and read', async () => {
  const made = await stripe.rawRequest('POST', '/v1/customers', {name: 'Raw', metadata: {a: '1'}});
  assert.equal(made.metadata.a, '1');
  assert.equal((await stripe.rawRequest('GET', `/v1/customers/${made.id}`)).name, 'Raw');
});
