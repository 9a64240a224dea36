'use strict';

// Sessions that live for a fifth of the run.

const express = require('express');
const { serve } = require('./lib/harness');
const { SessionStore } = require('./lib/session-store');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'session-ttl',
  framework: 'express',
  set: 'tuning',
  load: { rps: 400, routes: [[1, 'GET', '/shop/{n}', 0]] },
};

serve(truth, ({ seconds }) => {
  const sessions = new SessionStore({ ttlMs: seconds * 200 });
  const app = express();
  app.disable('etag');
  app.get('/shop/:visit', async (request, response) => {
    const cart = Array.from({ length: 18 }, (_, line) => ({ line, count: 1, note: null }));
    sessions.save(request.params.visit, { cart, agent: request.headers['user-agent'] });
    await query(3);
    response.type('json').send(renderPage(request.params.visit));
  });
  return { handler: app };
});
