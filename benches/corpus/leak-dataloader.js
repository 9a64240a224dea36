'use strict';

// A DataLoader made once for the process instead of once for each request: its cache has no bound.

const DataLoader = require('dataloader');
const fastify = require('fastify');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'loader-per-process',
  framework: 'dataloader',
  culprit: { fn: 'fetchAuthors', also: ['load', 'readAuthor'], retain: '_cacheMap' },
  set: 'held-back',
  load: { rps: 400, routes: [[1, 'GET', '/author/{user}', 0]] },
};

function readAuthor(id) {
  const books = Array.from({ length: 10 }, (_, book) => ({ book, title: `volume ${book}` }));
  return { id, name: `author ${id}`, books }; // @alloc
}

async function fetchAuthors(ids) {
  await query(3);
  return ids.map(readAuthor);
}

const authors = new DataLoader(fetchAuthors); // @retain

serve(truth, async () => {
  const app = fastify({ logger: false });
  app.get('/author/:id', async (request, reply) => {
    const author = await authors.load(request.params.id);
    reply.type('application/json');
    return renderPage(author.name);
  });
  await app.ready();
  return { handler: (request, response) => app.routing(request, response) };
});
