'use strict';
// Errors of each class, idempotency, retries.

const http = require('node:http');
const {
  assert, check, client, customer, faults, refused, server, stripe, unique,
} = require('./kit');

check('InvalidRequest: code, param, message and requestId are there', async () => {
  const missing = await refused(stripe.customers.retrieve('cus_none'));
  assert.equal(missing.type, 'StripeInvalidRequestError');
  assert.equal(missing.statusCode, 404);
  assert.equal(missing.code, 'resource_missing');
  assert.equal(missing.message, 'No such customer: \'cus_none\'');
  assert.equal(missing.param, 'id');
  assert.match(missing.requestId, /^req_/);
  assert.match(missing.doc_url, /resource-missing/);
  const unknown = await refused(stripe.customers.create({shoe_size: 44}));
  assert.equal(unknown.code, 'parameter_unknown');
  assert.equal(unknown.param, 'shoe_size');
  const absent = await refused(stripe.prices.create({unit_amount: 5}));
  assert.equal(absent.param, 'currency');
  const type = await refused(stripe.paymentIntents.create({amount: 'many', currency: 'usd'}));
  assert.equal(type.code, 'parameter_invalid_integer');
  const path = await refused(stripe.rawRequest('GET', '/v1/nonsense'));
  assert.equal(path.statusCode, 404);
});

check('Card: a decline has its code, decline_code and the charge', async () => {
  const error = await refused(stripe.paymentIntents.create({
    amount: 1000, currency: 'usd', payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds',
    confirm: true, automatic_payment_methods: {enabled: true, allow_redirects: 'never'},
  }));
  assert.equal(error.type, 'StripeCardError');
  assert.equal(error.statusCode, 402);
  assert.equal(error.code, 'card_declined');
  assert.equal(error.decline_code, 'insufficient_funds');
  assert.match(error.charge, /^ch_/);
  assert.equal(error.payment_intent.status, 'requires_payment_method');
});

check('Authentication: a wrong key is refused and not told again', async () => {
  const error = await refused(client({key: 'sk_test_wrong_key_000000'}).customers.list());
  assert.equal(error.type, 'StripeAuthenticationError');
  assert.equal(error.statusCode, 401);
  assert.ok(!error.message.includes('wrong_key_000'));
});

check('idempotency: the same key gives the same answer, other parameters are refused', async () => {
  const idempotencyKey = unique('key');
  const first = await stripe.customers.create({name: 'Once'}, {idempotencyKey});
  const second = await stripe.customers.create({name: 'Once'}, {idempotencyKey});
  assert.equal(second.id, first.id);
  assert.equal(second.lastResponse.idempotencyKey, idempotencyKey);
  const error = await refused(stripe.customers.create({name: 'Twice'}, {idempotencyKey}));
  assert.equal(error.type, 'StripeIdempotencyError');
  assert.equal(error.statusCode, 400);
  const elsewhere = await refused(stripe.products.create({name: 'Once'}, {idempotencyKey}));
  assert.equal(elsewhere.type, 'StripeIdempotencyError');
});

check('idempotency: a refused request leaves its key free', async () => {
  const idempotencyKey = unique('key');
  await refused(stripe.customers.create({shoe_size: 44}, {idempotencyKey}));
  const made = await stripe.customers.create({name: 'Ada'}, {idempotencyKey});
  assert.equal(made.name, 'Ada');
});

check('every answer has its request id', async () => {
  const list = await stripe.customers.list({limit: 1});
  assert.match(list.lastResponse.requestId, /^req_/);
  assert.equal(list.lastResponse.statusCode, 200);
});

// A door that answers the first requests by itself and lets the rest through. {fault} lets one
// through, too, and asks the sandbox to make it go wrong in that way.
async function troubled(first, act) {
  let asked = 0;
  const keys = new Set();
  const door = http.createServer((request, response) => {
    asked += 1;
    keys.add(request.headers['idempotency-key']);
    const trouble = first[asked - 1];
    if (trouble === 'hang up') return request.socket.destroy();
    if (trouble && !trouble.fault) {
      response.writeHead(trouble.status, {'Content-Type': 'application/json', ...trouble.headers});
      return response.end(JSON.stringify({error: trouble.error}));
    }
    const through = http.request({
      host: server.hostname, port: server.port, path: request.url, method: request.method,
      headers: {...request.headers, ...(trouble && {'Tilld-Sandbox-Fault': trouble.fault})},
    }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    through.on('error', () => request.socket.destroy());
    return request.pipe(through);
  });
  await new Promise((done) => door.listen(0, '127.0.0.1', done));
  try {
    await act(client({
      host: '127.0.0.1', port: door.address().port, config: {maxNetworkRetries: 2},
    }), () => ({asked, keys}));
  } finally {
    door.closeAllConnections();
    door.close();
  }
}

const broken = {status: 500, error: {type: 'api_error', message: 'down'}};

check('maxNetworkRetries: what fails on the way is made once', async () => {
  const email = `${unique('retried')}@example.com`;
  await troubled([broken, 'hang up'], async (patient, seen) => {
    const made = await patient.customers.create({email});
    assert.equal(made.email, email);
    assert.equal(seen().asked, 3);
    assert.equal(seen().keys.size, 1);
  });
  assert.equal((await stripe.customers.list({email})).data.length, 1);
});

check('maxNetworkRetries: what was done but not answered is not done twice (sandbox)', async () => {
  await faults();
  for (const fault of ['error_before', 'error_after', 'lost_answer', 'reset', 'conflict']) {
    const email = `${unique(fault)}@example.com`;
    await troubled([{fault}], async (patient, seen) => {
      const made = await patient.customers.create({email});
      assert.equal(made.email, email);
      assert.equal(seen().asked, 2, fault);
    });
    assert.equal((await stripe.customers.list({email})).data.length, 1, fault);
  }
});

check('RateLimit: Stripe says which limit it was (sandbox)', async () => {
  await faults();
  await troubled([{fault: 'endpoint_rate'}], async (patient) => {
    const error = await refused(patient.customers.list());
    assert.equal(error.type, 'StripeRateLimitError');
    assert.equal(error.headers['stripe-rate-limited-reason'], 'endpoint-rate');
  });
});

check('RateLimit: a 429 is an error of its own class', async () => {
  const limit = {
    status: 429, error: {type: 'invalid_request_error', code: 'rate_limit', message: 'slow'},
  };
  await troubled([limit], async (patient) => {
    const error = await refused(patient.customers.list());
    assert.equal(error.type, 'StripeRateLimitError');
    assert.equal(error.code, 'rate_limit');
  });
});

check('a retried POST that had succeeded is not done twice', async () => {
  const made = await customer('');
  const idempotencyKey = unique('topup');
  const params = {amount: -100, currency: 'usd'};
  for (let n = 0; n < 3; n += 1) {
    await stripe.customers.createBalanceTransaction(made.id, params, {idempotencyKey});
  }
  assert.equal((await stripe.customers.retrieve(made.id)).balance, -100);
});
