'use strict';
// What the suite's files share: checks, a client, and things that most checks begin with.
//
// A check that the server answers with 501 (it has not got that part of Stripe) counts as skipped.

const assert = require('node:assert/strict');
const path = require('node:path');
const {createRequire} = require('node:module');

const [modules, base, key] = process.argv.slice(2);
const control = process.env.SDK_CONTROL;
const Stripe = createRequire(path.join(path.resolve(modules), 'node_modules', '_'))('stripe');
const server = new URL(base);

function client(options = {}) {
  return new Stripe(options.key || key, {
    host: options.host || server.hostname,
    port: options.port || server.port,
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 0,
    ...(options.config || {}),
  });
}

const stripe = client();
const checks = [];

function check(title, act) {
  checks.push({title, act});
}

class Skip extends Error {}

// For the few things that only a sandbox can do; elsewhere their checks are skipped.
async function sandbox(verb, at, body) {
  if (!control) throw new Skip('needs the sandbox\'s control calls');
  const answer = await fetch(control + at, {
    method: verb,
    headers: {Authorization: `Bearer ${key}`, 'Content-Type': 'application/json'},
    body: body && JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

// What the sandbox does wrong on request; a server in between would not pass the request on.
async function faults() {
  if (process.env.SDK_THROUGH) throw new Skip('tilld does not pass on a wish for a fault');
  return sandbox('GET', '/_sandbox/clock');
}

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    if (error.statusCode === 501) throw error;
    return error;
  }
  throw new assert.AssertionError({message: 'it was not refused'});
}

async function until(condition, what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

let count = 0;
const unique = (prefix) => `${prefix}-${process.pid}-${++count}`;

async function customer(card = 'pm_card_visa', more = {}) {
  const params = {email: `${unique('someone')}@example.com`, ...more};
  if (card) {
    params.payment_method = card;
    params.invoice_settings = {default_payment_method: card};
  }
  return stripe.customers.create(params);
}

async function price(amount = 2000, more = {}) {
  return stripe.prices.create({
    currency: 'usd', unit_amount: amount, recurring: {interval: 'month'},
    product_data: {name: unique('Gold')}, ...more,
  });
}

async function run() {
  const counts = {ok: 0, FAIL: 0, skip: 0};
  for (const {title, act} of checks) {
    let verdict = 'ok';
    let why = '';
    try {
      await act();
    } catch (error) {
      const missing = error instanceof Skip || error.statusCode === 501;
      verdict = missing ? 'skip' : 'FAIL';
      why = missing ? error.message : (error.stack || String(error)).split('\n')
          .slice(0, 6).join('\n     ');
    }
    counts[verdict] += 1;
    console.log(`${verdict.padEnd(4)} node: ${title}${why ? ': ' + why : ''}`);
  }
  console.log(`node: ${counts.ok} passed, ${counts.FAIL} failed, ${counts.skip} skipped`);
  process.exitCode = counts.FAIL || !counts.ok ? 1 : 0;
}

module.exports = {
  Stripe, assert, check, client, customer, faults, price, refused, run, sandbox, server, stripe,
  unique, until,
};
