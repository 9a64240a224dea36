'use strict';

// A search index is built anew every ten seconds beside the one in use, in steps, and then takes its place.

const express = require('express');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'index-rebuild',
  framework: 'express',
  set: 'held-back',
  load: { rps: 400, routes: [[1, 'GET', '/find/{article}', 0]] },
};

const REBUILD_MS = 10_000;
const DOCUMENTS = 20_000;
const DOCUMENTS_A_STEP = 400;
const STEP_MS = 80;

function addDocument(index, document) {
  for (const word of [`w${document % 900}`, `x${document % 70}`, `y${document % 4001}`]) {
    if (!index.has(word)) index.set(word, []);
    index.get(word).push({ document, position: document % 13 });
  }
}

async function buildIndex() {
  const index = new Map();
  for (let document = 0; document < DOCUMENTS; document++) {
    addDocument(index, document);
    if (document % DOCUMENTS_A_STEP === 0) await query(STEP_MS);
  }
  return index;
}

serve(truth, async () => {
  let index = await buildIndex();
  setInterval(async () => {
    index = await buildIndex();
  }, REBUILD_MS).unref();
  const app = express();
  app.disable('etag');
  app.get('/find/:article', async (request, response) => {
    const hits = index.get(`w${request.params.article % 900}`) ?? [];
    await query(3);
    response.type('json').send(renderPage(`${request.params.article}-${hits.length}`));
  });
  return { handler: app };
});
