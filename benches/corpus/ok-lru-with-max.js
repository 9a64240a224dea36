'use strict';

// lru-cache with a bound that is reached only towards the end of the run: until then it fills, as a leak would.

const { LRUCache } = require('lru-cache');
const fastify = require('fastify');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'cache-filling',
  framework: 'lru-cache',
  set: 'tuning',
  bound: 'max of the cache, reached after nine tenths of the run',
  load: { rps: 400, routes: [[1, 'GET', '/profile/{n}', 0]] },
};

async function loadProfile(profiles, id) {
  const known = profiles.get(id);
  if (known !== undefined) return known;
  await query(3);
  const profile = {
    id,
    name: `user ${id}`,
    columns: Array.from({ length: 14 }, (_, column) => ({ column, width: 80 })),
  };
  profiles.set(id, profile);
  return profile;
}

serve(truth, async ({ expected }) => {
  const profiles = new LRUCache({ max: Math.round(expected * 0.9) });
  const app = fastify({ logger: false });
  app.get('/profile/:id', async (request, reply) => {
    const profile = await loadProfile(profiles, request.params.id);
    reply.type('application/json');
    return renderPage(profile.name);
  });
  await app.ready();
  return { handler: (request, response) => app.routing(request, response) };
});
