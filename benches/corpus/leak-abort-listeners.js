'use strict';

// Every request listens for the server's shutdown, and forgets to stop listening when it is done.

const fastify = require('fastify');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'abort-signal-listeners',
  framework: 'fastify',
  culprit: { fn: 'openTransaction', also: ['addEventListener', 'Listener'], retain: 'shutdown' },
  set: 'tuning',
  load: { rps: 450, routes: [[1, 'POST', '/transfer/{n}', 300]] },
};

const shutdown = new AbortController();

function openTransaction(request) {
  const transaction = {
    id: request.id,
    statements: [{ sql: 'begin' }, { sql: 'update accounts set balance = $1', values: [request.body.order] }],
    body: request.body, // @alloc
    isOpen: true,
  };
  shutdown.signal.addEventListener('abort', () => {
    // @retain
    transaction.isOpen = false;
  });
  return transaction;
}

serve(truth, async () => {
  // Node warns of many listeners, and this is what people do about it.
  require('node:events').setMaxListeners(0, shutdown.signal);
  const app = fastify({ logger: false });
  app.post('/transfer/:number', async (request, reply) => {
    const transaction = openTransaction(request);
    await query(4);
    transaction.statements.push({ sql: 'commit' });
    transaction.isOpen = false;
    reply.type('application/json');
    return renderPage(request.params.number);
  });
  await app.ready();
  return { handler: (request, response) => app.routing(request, response) };
});
