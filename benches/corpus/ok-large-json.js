'use strict';

// Large documents are parsed, changed and written again; nearly all of the work is the garbage collector's.

const Koa = require('koa');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'gc-heavy-json',
  framework: 'koa',
  set: 'held-back',
  load: { rps: 300, routes: [[1, 'GET', '/document/{article}', 0]] },
};

const document = JSON.stringify(
  Array.from({ length: 500 }, (_, line) => ({
    line,
    text: `line ${line}`,
    marks: [line, line + 1],
    style: { bold: line % 2 === 0 },
  })),
);

serve(truth, () => {
  const app = new Koa();
  app.use(async (ctx) => {
    const lines = JSON.parse(document);
    await query(8);
    const changed = JSON.stringify(lines.map((line) => ({ ...line, by: ctx.path })));
    ctx.type = 'json';
    ctx.body = renderPage(changed.length);
  });
  return { handler: app.callback() };
});
