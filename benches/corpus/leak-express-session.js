'use strict';

// express-session with the store it comes with, and clients that take no cookies: each request begins a session that never ends.

const express = require('express');
const session = require('express-session');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'session-without-expiry',
  framework: 'express-session',
  culprit: { fn: 'set', also: ['save', 'fillCart', 'stringify', 'generate'], retain: 'sessions' },
  set: 'held-back',
  load: { rps: 350, routes: [[1, 'GET', '/shop/{article}', 0]] },
};

function fillCart(request) {
  request.session.cart = Array.from({ length: 12 }, (_, line) => ({ line, article: request.params.article, count: 1 })); // @alloc
  request.session.visitedAt = new Date();
}

serve(truth, () => {
  const app = express();
  app.disable('etag');
  const store = new session.MemoryStore(); // @retain
  app.use(session({ store, secret: 'not a secret', resave: false, saveUninitialized: true }));
  app.get('/shop/:article', async (request, response) => {
    fillCart(request);
    await query(3);
    response.type('json').send(renderPage(request.params.article));
  });
  return { handler: app };
});
