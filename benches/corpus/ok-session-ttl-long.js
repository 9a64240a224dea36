'use strict';

// Sessions that live for half an hour, far longer than the run: it grows throughout, and that it will not do so for ever stands in each
// session's expiry.

const Koa = require('koa');
const { serve } = require('./lib/harness');
const { SessionStore } = require('./lib/session-store');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'session-ttl-beyond-run',
  framework: 'koa',
  set: 'tuning',
  bound: 'expires of each session, half an hour ahead',
  load: { rps: 350, routes: [[1, 'GET', '/shop/{n}', 0]] },
};

const HALF_AN_HOUR_MS = 1_800_000;

serve(truth, () => {
  const sessions = new SessionStore({ ttlMs: HALF_AN_HOUR_MS });
  const app = new Koa();
  app.use(async (ctx) => {
    const basket = Array.from({ length: 10 }, (_, line) => ({ line, count: 2 }));
    sessions.save(ctx.path, { basket, language: 'en' });
    await query(3);
    ctx.type = 'json';
    ctx.body = renderPage(ctx.path);
  });
  return { handler: app.callback() };
});
