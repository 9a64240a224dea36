'use strict';

// A Fastify instance decorated with a list: every answer is noted for an audit that nobody collects.

const fastify = require('fastify');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'decorator-list',
  framework: 'fastify',
  culprit: { fn: 'noteAnswer', also: ['describeAnswer'], retain: 'auditTrail' },
  set: 'tuning',
  load: { rps: 450, routes: [[1, 'GET', '/items/{n}', 0]] },
};

function describeAnswer(request, reply) {
  const { method, url, id, headers } = request;
  return { method, url, id, status: reply.statusCode, took: reply.elapsedTime, client: { ...headers } }; // @alloc
}

async function noteAnswer(request, reply) {
  this.auditTrail.push(describeAnswer(request, reply)); // @retain
}

serve(truth, async () => {
  const app = fastify({ logger: false });
  app.decorate('auditTrail', []);
  app.addHook('onResponse', noteAnswer);
  app.get('/items/:number', async (request, reply) => {
    await query(3);
    reply.type('application/json');
    return renderPage(request.params.number);
  });
  app.get('/audit', async () => ({ entries: app.auditTrail.length }));
  await app.ready();
  return { handler: (request, response) => app.routing(request, response) };
});
