'use strict';

// lru-cache with a time to live but no bound: what has expired goes only when it is asked for again, and most keys never are.

const { LRUCache } = require('lru-cache');
const express = require('express');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'cache-without-bound',
  framework: 'express',
  culprit: { fn: 'loadProfile', retain: 'profiles' },
  set: 'tuning',
  load: { rps: 400, routes: [[1, 'GET', '/profile/{user}?session={n}', 0]] },
};

const profiles = new LRUCache({ ttl: 5000 });

async function loadProfile(key) {
  const cached = profiles.get(key);
  if (cached !== undefined) return cached;
  await query(3);
  const profile = {
    key,
    name: `user ${key}`,
    rights: ['read', 'write', 'share'].map((right) => ({ right, since: Date.now() })),
    settings: { theme: 'dark', columns: Array.from({ length: 12 }, (_, column) => ({ column, width: 80 })) }, // @alloc
  };
  profiles.set(key, profile); // @retain
  return profile;
}

serve(truth, () => {
  const app = express();
  app.disable('etag');
  app.get('/profile/:user', async (request, response) => {
    const profile = await loadProfile(request.url);
    response.type('json').send(renderPage(profile.name));
  });
  return { handler: app };
});
