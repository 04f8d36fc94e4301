'use strict';
// Lists, their filters and pages; expansion; search.

const {assert, check, customer, price, refused, stripe, unique, until} = require('./kit');

const ids = (page) => page.data.map((one) => one.id);

async function walk(list) {
  const all = [];
  for await (const one of list) all.push(one.id);
  return all;
}

check('a list is walked page by page, forward and backward', async () => {
  const product = (await stripe.products.create({name: unique('Walk')})).id;
  const made = [];
  for (let n = 0; n < 7; n += 1) {
    made.push((await stripe.prices.create({product, currency: 'usd', unit_amount: 100 + n})).id);
  }
  const newest = made.toReversed();
  assert.deepEqual(await walk(stripe.prices.list({product, limit: 3})), newest);
  const first = await stripe.prices.list({product, limit: 3});
  assert.equal(first.has_more, true);
  assert.equal(first.url, '/v1/prices');
  const second = await stripe.prices.list({product, limit: 3, starting_after: first.data[2].id});
  assert.deepEqual(ids(second), newest.slice(3, 6));
  const back = await stripe.prices.list({product, limit: 2, ending_before: newest[3]});
  assert.deepEqual(ids(back), newest.slice(1, 3));
  assert.equal(back.has_more, true);
  const up = await walk(stripe.prices.list({product, limit: 3, ending_before: newest[6]}));
  assert.deepEqual(up, newest.slice(0, 6).toReversed());
  const some = await stripe.prices.list({product, limit: 3}).autoPagingToArray({limit: 5});
  assert.deepEqual(some.map((p) => p.id), newest.slice(0, 5));
});

check('limits and cursors that are none are refused', async () => {
  for (const params of [{limit: 0}, {limit: 101}, {starting_after: 'cus_none'},
    {ending_before: 'cus_none'}]) {
    const error = await refused(stripe.customers.list(params));
    assert.equal(error.type, 'StripeInvalidRequestError');
    assert.equal(error.statusCode, 400);
    assert.equal(error.param, Object.keys(params)[0]);
  }
});

check('lists are filtered by created, in ranges', async () => {
  const made = await customer('');
  const has = async (created) => ids(await stripe.customers.list(
      {email: made.email, created})).length === 1;
  assert.ok(await has(made.created));
  assert.ok(await has({gte: made.created, lte: made.created}));
  assert.ok(!await has({gt: made.created}));
  assert.ok(!await has({lt: made.created}));
  assert.ok(await has({gt: made.created - 1, lt: made.created + 1}));
});

check('lists are filtered by customer, status, price, active and lookup_keys', async () => {
  const buyer = await customer();
  const lookup = unique('key');
  const gold = await price(700, {lookup_key: lookup});
  const sub = await stripe.subscriptions.create({customer: buyer.id, items: [{price: gold.id}]});
  assert.deepEqual(ids(await stripe.prices.list({lookup_keys: [lookup]})), [gold.id]);
  assert.deepEqual(ids(await stripe.prices.list({product: gold.product, active: false})), []);
  assert.deepEqual(ids(await stripe.prices.list({product: gold.product, type: 'recurring'})),
      [gold.id]);
  assert.deepEqual(ids(await stripe.subscriptions.list({price: gold.id})), [sub.id]);
  assert.deepEqual(ids(await stripe.subscriptions.list({customer: buyer.id, status: 'active'})),
      [sub.id]);
  for (const [list, params] of [
    ['invoices', {customer: buyer.id, status: 'paid'}],
    ['invoices', {subscription: sub.id}],
    ['charges', {customer: buyer.id}],
    ['paymentIntents', {customer: buyer.id}],
  ]) {
    assert.equal(ids(await stripe[list].list(params)).length, 1, list);
  }
  assert.equal(ids(await stripe.invoices.list({customer: buyer.id, status: 'open'})).length, 0);
  await stripe.subscriptions.cancel(sub.id);
  const by = async (status) => ids(await stripe.subscriptions.list({customer: buyer.id, status}));
  assert.deepEqual(await by(undefined), []);
  assert.deepEqual(await by('all'), [sub.id]);
  assert.deepEqual(await by('canceled'), [sub.id]);
  const products = await stripe.products.list({ids: [gold.product]});
  assert.deepEqual(ids(products), [gold.product]);
});

check('expand: nested, through lists, four levels', async () => {
  const buyer = await customer();
  const gold = await price(800);
  const sub = await stripe.subscriptions.create({
    customer: buyer.id, items: [{price: gold.id}],
    expand: ['customer', 'latest_invoice.customer.invoice_settings.default_payment_method'],
  });
  assert.equal(sub.customer.email, buyer.email);
  const card = sub.latest_invoice.customer.invoice_settings.default_payment_method;
  assert.equal(card.card.last4, '4242');
  assert.equal(sub.latest_invoice.status, 'paid');
  const read = await stripe.subscriptions.retrieve(sub.id,
      {expand: ['items.data.price.product', 'default_payment_method']});
  assert.equal(read.items.data[0].price.product.object, 'product');
  assert.equal(read.default_payment_method, null);
  const listed = await stripe.subscriptions.list(
      {customer: buyer.id, expand: ['data.latest_invoice.customer']});
  assert.equal(listed.data[0].latest_invoice.customer.id, buyer.id);
});

check('expand: what cannot be expanded and what is too deep is refused with 400', async () => {
  for (const expand of [['nonsense'], ['email'], ['a.b.c.d.e'], ['']]) {
    const error = await refused(stripe.customers.list({expand}));
    assert.equal(error.statusCode, 400, expand[0]);
    assert.equal(error.type, 'StripeInvalidRequestError');
  }
  const deep = await refused(stripe.subscriptions.list({expand: ['data.a.b.c.d']}));
  assert.equal(deep.code, 'property_expansion_max_depth');
  const error = await refused(stripe.subscriptions.list({expand: ['customer']}));
  assert.match(error.message, /This property cannot be expanded \(customer\)/);
});

check('search: by field, metadata and number; pages; total_count', async () => {
  const mark = unique('mark');
  const made = [];
  for (let n = 0; n < 5; n += 1) {
    made.push((await customer('', {name: `Searched ${n}`, metadata: {mark}})).id);
  }
  const query = `metadata["mark"]:"${mark}"`;
  await until(async () => (await stripe.customers.search({query})).data.length === 5,
      'the customers are found', 120);
  const page = await stripe.customers.search({query, limit: 2, expand: ['total_count']});
  assert.equal(page.object, 'search_result');
  assert.equal(page.url, '/v1/customers/search');
  assert.equal(page.has_more, true);
  assert.equal(page.total_count, 5);
  const next = await stripe.customers.search({query, limit: 2, page: page.next_page});
  assert.equal(next.data.length, 2);
  const all = await walk(stripe.customers.search({query, limit: 2}));
  assert.deepEqual(all.toSorted(), made.toSorted());
  const one = await stripe.customers.search({query: `${query} AND name~"SEARCHED 3"`});
  assert.deepEqual(ids(one), [made[3]]);
  const others = await stripe.customers.search({query: `${query} AND -name:"Searched 3"`});
  assert.equal(others.data.length, 4);
  const either = await stripe.customers.search(
      {query: 'name:"Searched 1" OR name:"Searched 2"', expand: ['data.test_clock']});
  assert.ok(either.data.length >= 2);
});

check('search: all seven resources', async () => {
  const buyer = await customer();
  const lookup = unique('seven');
  const gold = await price(4321, {lookup_key: lookup});
  const mark = unique('seven');
  const sub = await stripe.subscriptions.create(
      {customer: buyer.id, items: [{price: gold.id}], metadata: {mark}});
  const one = async (resource, query) => {
    await until(async () => (await stripe[resource].search({query})).data.length === 1,
        `${resource}: ${query}`, 120);
  };
  await one('customers', `email:"${buyer.email.toUpperCase()}"`);
  await one('subscriptions', `status:"active" AND metadata["mark"]:"${mark}"`);
  await one('invoices', `subscription:"${sub.id}" AND total>4320`);
  await one('charges', `customer:"${buyer.id}" payment_method_details.card.last4:4242`);
  await one('paymentIntents', `customer:"${buyer.id}" AND amount>=4321 AND status:"succeeded"`);
  await one('prices', `lookup_key:"${lookup}" AND active:"true"`);
  const product = await stripe.products.retrieve(gold.product);
  await one('products', `name:"${product.name}" -url:"x" url:null`);
});

check('search: what is wrong with a query is said', async () => {
  for (const query of ['asdf', 'foo:"bar"', 'email:"a" AND name:"b" OR name:"c"', 'email>5',
    'email:"a', 'created>"x"']) {
    const error = await refused(stripe.customers.search({query}));
    assert.equal(error.statusCode, 400, query);
    assert.ok(error.message.length > 20);
  }
  const error = await refused(stripe.customers.search({query: 'foo:"bar"'}));
  assert.match(error.message, /Field `foo` is an unsupported search field/);
  assert.equal((await refused(stripe.customers.search({}))).param, 'query');
});

check('search and lists, once what was written has settled', async () => {
  const tag = unique('settled');
  const made = [];
  for (let n = 0; n < 3; n += 1) {
    made.push(await stripe.customers.create({name: tag, metadata: {tag}}));
  }
  const ids = made.map((c) => c.id).sort();
  await new Promise((done) => setTimeout(done, process.env.SDK_THROUGH ? 2500 : 0));
  const query = `metadata['tag']:'${tag}'`;
  await stripe.customers.list({limit: 1});
  for (let n = 0; n < 2; n += 1) {
    const found = await stripe.customers.search({query, expand: ['total_count']});
    assert.deepEqual(found.data.map((c) => c.id).sort(), ids);
    assert.equal(found.total_count, 3);
    const first = await stripe.customers.search({query, limit: 2});
    assert.equal(first.has_more, true);
    const rest = await stripe.customers.search({query, limit: 2, page: first.next_page});
    assert.deepEqual([...first.data, ...rest.data].map((c) => c.id).sort(), ids);
  }
});

check('what is listed below a customer, as it comes and goes', async () => {
  const buyer = await customer();
  const second = await stripe.paymentMethods.attach('pm_card_mastercard', {customer: buyer.id});
  const vat = await stripe.customers.createTaxId(buyer.id, {type: 'eu_vat', value: 'DE123456789'});
  const settled = () => new Promise((done) => setTimeout(done, process.env.SDK_THROUGH ? 2500 : 0));
  const cards = async () => {
    const below = ids(await stripe.customers.listPaymentMethods(buyer.id, {type: 'card'}));
    assert.deepEqual(ids(await stripe.paymentMethods.list({customer: buyer.id})), below);
    return below;
  };
  const first = buyer.invoice_settings.default_payment_method;
  assert.deepEqual((await cards()).toSorted(), [first, second.id].toSorted());
  await settled();
  for (let n = 0; n < 2; n += 1) {
    assert.deepEqual((await cards()).toSorted(), [first, second.id].toSorted());
    assert.deepEqual(ids(await stripe.customers.listTaxIds(buyer.id)), [vat.id]);
    const owner = {type: 'customer', customer: buyer.id};
    assert.deepEqual(ids(await stripe.taxIds.list({owner})), [vat.id]);
    const read = await stripe.customers.retrieve(buyer.id,
        {expand: ['tax_ids', 'subscriptions', 'invoice_settings.default_payment_method']});
    assert.deepEqual(ids(read.tax_ids), [vat.id]);
    assert.deepEqual(ids(read.subscriptions), []);
    assert.equal(read.invoice_settings.default_payment_method.id, first);
  }
  assert.equal((await stripe.customers.retrievePaymentMethod(buyer.id, second.id)).id, second.id);
  await stripe.paymentMethods.detach(second.id);
  assert.deepEqual(await cards(), [first]);
  await stripe.customers.deleteTaxId(buyer.id, vat.id);
  assert.deepEqual(ids(await stripe.customers.listTaxIds(buyer.id)), []);
  await settled();
  assert.deepEqual(await cards(), [first]);
  assert.deepEqual(ids(await stripe.customers.listTaxIds(buyer.id)), []);
});
