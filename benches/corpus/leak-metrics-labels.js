'use strict';

// A histogram whose labels include the user: a series of a dozen buckets for everyone who was ever there.

const { Histogram, Registry } = require('prom-client');
const express = require('express');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'metrics-cardinality',
  framework: 'prom-client',
  culprit: {
    fn: 'observe',
    also: ['measured', 'createBaseValues', 'createValue', 'hashObject', 'startTimer', 'convertLabelsAndValues'],
    retain: 'hashMap',
  },
  set: 'tuning',
  load: { rps: 350, routes: [[1, 'GET', '/user/{user}/orders', 0]] },
};

const register = new Registry();
const took = new Histogram({
  // @retain
  name: 'http_request_seconds',
  help: 'How long requests take',
  labelNames: ['route', 'status', 'user'],
  registers: [register],
});

async function measured(request, response) {
  const since = process.hrtime.bigint();
  await query(3);
  response.type('json').send(renderPage(request.params.user));
  const seconds = Number(process.hrtime.bigint() - since) / 1e9;
  took.observe({ route: request.route.path, status: response.statusCode, user: request.params.user }, seconds); // @alloc
}

serve(truth, () => {
  const app = express();
  app.disable('etag');
  app.get('/user/:user/orders', measured);
  return { handler: app };
});
