'use strict';

// What fails is kept for the health page, each error with its cause, its stack and its request.

const Koa = require('koa');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'errors-kept',
  framework: 'koa',
  culprit: {
    fn: 'noteFailure',
    also: ['checkStock', 'reserve', 'failing', 'OutOfStock', 'answer'],
    retain: 'recentFailures',
  },
  set: 'held-back',
  load: { rps: 400, routes: [[1, 'GET', '/reserve/{n}', 0]] },
};

class OutOfStock extends Error {}

const recentFailures = [];

async function checkStock(number) {
  await query(2);
  if (number % 4 === 0) throw new OutOfStock(`article ${number} is sold out`); // @alloc
}

async function reserve(number) {
  try {
    await checkStock(number);
  } catch (error) {
    throw new Error('the reservation failed', { cause: error }); // @alloc
  }
}

function noteFailure(error, ctx) {
  // Reading the stack makes the text.
  const lines = `${error.stack}\n${error.cause?.stack}`.split('\n');
  recentFailures.push({ error, lines, request: ctx.request.toJSON(), at: new Date() }); // @alloc @retain
}

serve(truth, () => {
  const app = new Koa();
  app.use(async function failing(ctx, next) {
    try {
      await next();
    } catch (error) {
      noteFailure(error, ctx);
      ctx.body = JSON.stringify({ error: error.message });
    }
  });
  app.use(async function answer(ctx) {
    const page = renderPage(ctx.path);
    await reserve(Number(ctx.path.split('/').pop()));
    ctx.type = 'json';
    ctx.body = page;
  });
  return { handler: app.callback() };
});
