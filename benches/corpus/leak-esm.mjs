// An ES module: visits are kept per day and visitor, and days never end.

import { createRequire } from 'node:module';
import Koa from 'koa';

const require = createRequire(import.meta.url);
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'module-map',
  framework: 'koa, ESM',
  culprit: { fn: 'countVisit', retain: 'visitsByDay' },
  set: 'tuning',
  load: { rps: 400, routes: [[1, 'GET', '/page/{article}?visitor={n}', 0]] },
};

const visitsByDay = new Map();

function countVisit({ path, query: { visitor } }) {
  const day = new Date().toISOString().slice(0, 10);
  if (!visitsByDay.has(day)) visitsByDay.set(day, {});
  const visits = visitsByDay.get(day);
  visits[`${path}#${visitor}`] ??= { pages: [], first: Date.now(), device: { kind: 'phone', screen: [390, 844] } }; // @alloc @retain
  visits[`${path}#${visitor}`].pages.push({ path, at: Date.now() });
}

serve(truth, () => {
  const app = new Koa();
  app.use(async (ctx) => {
    countVisit(ctx);
    await query(3);
    ctx.type = 'json';
    ctx.body = renderPage(ctx.path);
  });
  return { handler: app.callback() };
});
