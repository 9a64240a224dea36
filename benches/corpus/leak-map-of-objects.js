'use strict';

// Rights are remembered per user object. Each request makes its own, so the Map, which should have been a WeakMap, never finds one.

const express = require('express');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'map-keyed-by-object',
  framework: 'express',
  culprit: { fn: 'rightsOf', also: ['userOf'], retain: 'rightsByUser' },
  set: 'tuning',
  load: { rps: 400, routes: [[1, 'GET', '/document/{article}', 0]] },
};

const rightsByUser = new Map();

function userOf(request) {
  return { session: request.headers.cookie, groups: ['staff', 'editors'], since: new Date() }; // @alloc
}

function rightsOf(user) {
  let rights = rightsByUser.get(user);
  if (rights === undefined) {
    const granted = Array.from({ length: 14 }, (_, index) => [`right-${index}`, { on: index % 2 === 0 }]);
    rights = Object.fromEntries(granted); // @alloc
    rightsByUser.set(user, rights); // @retain
  }
  return rights;
}

serve(truth, () => {
  const app = express();
  app.disable('etag');
  app.use((request, _response, next) => {
    request.user = userOf(request);
    next();
  });
  app.get('/document/:id', async (request, response) => {
    const rights = rightsOf(request.user);
    await query(3);
    response.type('json').send(renderPage(`${request.params.id}-${Object.keys(rights).length}`));
  });
  return { handler: app };
});
