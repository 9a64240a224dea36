'use strict';

// Metrics by route, status and tenant: six hundred series, of which the rarer ones come late.

const { Counter, Histogram, Registry } = require('prom-client');
const fastify = require('fastify');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'metrics-bounded',
  framework: 'prom-client',
  set: 'tuning',
  load: { rps: 400, routes: [[1, 'GET', '/tenant/{tenant}/article/{article}', 0]] },
};

const STATUS = [200, 200, 200, 304, 404, 503];
const SCRAPE_MS = 5000;

const register = new Registry();
const labelNames = ['route', 'status', 'tenant'];
const took = new Histogram({ name: 'request_seconds', help: 'how long', labelNames, registers: [register] });
const answered = new Counter({ name: 'requests_total', help: 'how many', labelNames, registers: [register] });

serve(truth, async () => {
  setInterval(() => register.metrics(), SCRAPE_MS).unref();
  const app = fastify({ logger: false });
  app.addHook('onResponse', async (request, reply) => {
    const { tenant, article } = request.params;
    const labels = { route: request.routeOptions.url, status: STATUS[article % STATUS.length], tenant };
    answered.inc(labels);
    took.observe(labels, reply.elapsedTime / 1000);
  });
  app.get('/tenant/:tenant/article/:article', async (request, reply) => {
    await query(3);
    reply.type('application/json');
    return renderPage(request.params.article);
  });
  await app.ready();
  return { handler: (request, response) => app.routing(request, response) };
});
