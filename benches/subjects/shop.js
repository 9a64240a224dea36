'use strict';

// A healthy Express app. Tells its parent its port; the load comes from there.

const { randomUUID } = require('node:crypto');
const express = require('express');
const serve = require('./serve');

const ROWS = 40;

const app = express();
app.use(express.json());

app.use(function identify(req, res, next) {
  res.locals.id = randomUUID();
  res.locals.user = { name: `Visitor ${res.locals.id}` };
  next();
});

app.get('/products/:category', function listProducts(req, res) {
  const rows = Array.from({ length: ROWS }, (_, index) => ({
    id: `${req.params.category}:${index}`,
    name: `product ${index}`,
    price: (index * 7919) % 1000,
    tags: [`tag ${index}`, `tag ${index % 7}`],
  }));
  const affordable = rows.filter((row) => row.price < 800).map((row) => ({ ...row, label: row.name.toUpperCase() }));
  res.json({ ...res.locals, products: affordable });
});

const server = app.listen(0, '127.0.0.1');
// Its connections idle while other subjects work.
server.keepAliveTimeout = 0;
server.once('listening', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.send?.({ port });
});

serve(async () => {});
