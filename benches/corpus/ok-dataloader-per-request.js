'use strict';

// A DataLoader for each request: what it has cached goes with it.

const DataLoader = require('dataloader');
const fastify = require('fastify');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'loader-per-request',
  framework: 'dataloader',
  set: 'held-back',
  load: { rps: 400, routes: [[1, 'GET', '/author/{user}', 0]] },
};

function readAuthor(id) {
  return {
    id,
    name: `author ${id}`,
    books: Array.from({ length: 10 }, (_, book) => ({ book, title: `volume ${book}` })),
  };
}

async function fetchAuthors(ids) {
  await query(3);
  return ids.map(readAuthor);
}

serve(truth, async () => {
  const app = fastify({ logger: false });
  app.decorateRequest('authors', null);
  app.addHook('onRequest', async (request) => {
    request.authors = new DataLoader(fetchAuthors);
  });
  app.get('/author/:id', async (request, reply) => {
    const id = Number(request.params.id);
    const shelf = await Promise.all([id, id + 1, id + 2, id].map((author) => request.authors.load(author)));
    reply.type('application/json');
    return renderPage(shelf.map(({ name }) => name).join());
  });
  await app.ready();
  return { handler: (request, response) => app.routing(request, response) };
});
