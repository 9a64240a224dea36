'use strict';

// Days and nights: the load goes up and down three times, and the working set of a cache by idle time with it.

const express = require('express');
const { LRUCache } = require('lru-cache');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'daily-wave',
  framework: 'express',
  set: 'tuning',
  load: { rps: 550, conns: 200, shape: 'wave', routes: [[1, 'GET', '/user/{user}', 0]] },
};

const IDLE_MS = 4000;
const MAX_USERS = 20_000;

const users = new LRUCache({ max: MAX_USERS, ttl: IDLE_MS, ttlAutopurge: true });

serve(truth, () => {
  const app = express();
  app.disable('etag');
  app.get('/user/:id', async (request, response) => {
    const { id } = request.params;
    if (!users.has(id))
      users.set(id, { id, feed: Array.from({ length: 40 }, (_, post) => ({ post, likes: post * 2 })) });
    await query(40);
    response.type('json').send(renderPage(id));
  });
  return { handler: app };
});
