'use strict';

// The load rises sevenfold during the run, and with it what is in flight: a slow query holds half a megabyte for a second.

const Koa = require('koa');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'load-ramp',
  framework: 'koa',
  set: 'tuning',
  bound: 'what is in flight, which follows the load',
  load: { rps: 450, conns: 800, shape: 'ramp', routes: [[1, 'GET', '/report/{article}', 0]] },
};

serve(truth, () => {
  const app = new Koa();
  app.use(async (ctx) => {
    const draft = Array.from({ length: 300 }, (_, line) => ({ line, text: `${ctx.path} ${line}` }));
    await query(1000);
    ctx.type = 'json';
    ctx.body = renderPage(`${ctx.path} ${draft.length}`, 12);
  });
  return { handler: app.callback() };
});
