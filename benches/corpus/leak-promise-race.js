'use strict';

// Each answer is raced against the server's shutdown, a promise that never settles: it keeps a reaction of every race, and each of those
// keeps the answer.

const fastify = require('fastify');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'promise-race',
  framework: 'fastify',
  culprit: { fn: 'untilShutdown', also: ['race', 'readStock', 'stockAnswer'], retain: 'shutdown' },
  set: 'held-back',
  load: { rps: 450, routes: [[1, 'GET', '/stock/{article}', 0]] },
};

const shutdown = new Promise((resolve) => process.once('SIGTERM', resolve)); // @retain

function untilShutdown(work) {
  return Promise.race([shutdown, work]); // @alloc
}

async function readStock(article) {
  await query(3);
  return { article, shelves: Array.from({ length: 20 }, (_, shelf) => ({ shelf, count: shelf * 3 })) }; // @alloc
}

serve(truth, async () => {
  const app = fastify({ logger: false });
  app.get('/stock/:article', async function stockAnswer(request, reply) {
    const stock = await untilShutdown(readStock(request.params.article));
    reply.type('application/json');
    return renderPage(`${stock.article}-${stock.shelves.length}`);
  });
  await app.ready();
  return { handler: (request, response) => app.routing(request, response) };
});
