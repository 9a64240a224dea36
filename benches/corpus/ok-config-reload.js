'use strict';

// A configuration of some 10 MB is read anew every eight seconds. The old one stays until the last request with it is done, and one
// generation longer, to compare.

const fastify = require('fastify');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'config-reload',
  framework: 'fastify',
  set: 'tuning',
  load: { rps: 400, routes: [[1, 'GET', '/price/{article}', 0]] },
};

const RELOAD_MS = 8000;
const RULES = 40_000;

function readConfiguration(version) {
  const rules = new Map();
  for (let rule = 0; rule < RULES; rule++)
    rules.set(`article-${rule}`, { version, discount: rule % 30, zones: [rule % 5, rule % 7] });
  return { version, rules };
}

serve(truth, async () => {
  let current = readConfiguration(1);
  let previous = null;
  setInterval(() => {
    previous = current;
    current = readConfiguration(previous.version + 1);
  }, RELOAD_MS).unref();
  const app = fastify({ logger: false });
  app.get('/price/:article', async (request, reply) => {
    const { rules, version } = current;
    await query(3);
    const rule = rules.get(`article-${request.params.article}`);
    reply.type('application/json').header('x-previous', previous?.version ?? version);
    return renderPage(`${rule?.discount}-${version}`);
  });
  await app.ready();
  return { handler: (request, response) => app.routing(request, response) };
});
