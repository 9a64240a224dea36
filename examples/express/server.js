'use strict';

// A small shop with the classic leak: a module-level Map that gets an entry on every visit and never loses one.
// `demo.js` runs it under load; README.md says how to play with it by hand.

const leakguard = require('leakguard');
const { randomUUID } = require('node:crypto');
const { subscribe } = require('node:diagnostics_channel');
const express = require('express');

const PRODUCTS = ['apple', 'bread', 'cheese'];

const maps = new Map();
let visitors = 0;

const app = express();

app.use(function assignRequestId(req, res, next) {
  req.id = randomUUID();
  req.user = { name: `Visitor ${++visitors}` };
  next();
});

// The leak: no id comes twice, and nobody deletes one.
app.get('/', function rememberVisitor(req, res) {
  maps.set(req.id, req.user.name);
  res.send(`Hello, ${req.user.name}`);
});

// Not a leak: the array dies with the call.
app.get('/products', function listProducts(req, res) {
  const page = new Array(10000);
  PRODUCTS.forEach((product, index) => {
    page[index] = product;
  });
  res.json({ products: page.slice(0, PRODUCTS.length), pageSize: page.length });
});

// Not a leak either: the array dies with the request.
app.get('/cart', function showCart(req, res) {
  req.garbage = new Array(10000);
  res.json({ user: req.user.name, items: req.garbage.length });
});

/** @type {import('leakguard').Leak[]} */
const leaks = [];
process.on('leak', (leak) => {
  leaks.push(leak);
  console.log(describeLeak(leak));
});

/** @type {unknown[]} */
const snapshots = [];
subscribe('leakguard:snapshot', (snapshot) => {
  snapshots.push(snapshot);
});

app.get('/health', function showHealth(req, res) {
  res.json({ heapUsed: leakguard.memory().heapUsed, leaks, snapshots, routes: leakguard.status().routes });
});

/** @param {import('leakguard').Leak} leak */
function describeLeak({ id, kind, growth, reason, sites }) {
  const where = sites.slice(0, 3).map((site) => `  ${site.functionName} (${site.scriptName}:${site.lineNumber})`);
  return [`leak ${id}: ${kind} +${(growth / 1e6).toFixed(1)} MB. ${reason}`, ...where].join('\n');
}

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
server.once('listening', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`pid ${process.pid}, listening on http://127.0.0.1:${port}`);
});
