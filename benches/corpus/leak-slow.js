'use strict';

// Ten objects of a kilobyte in a thousand requests: megabytes an hour.

const express = require('express');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'slow',
  framework: 'express',
  culprit: { fn: 'noteComplaint', retain: 'complaints' },
  set: 'tuning',
  seconds: 600,
  load: {
    rps: 500,
    routes: [
      [99, 'GET', '/item/{n}', 0],
      [1, 'POST', '/complaint/{n}', 200],
    ],
  },
};

const complaints = [];

function noteComplaint(request) {
  const words = Array.from({ length: 6 }, (_, at) => ({ at, text: request.body.text.slice(at, at + 8) })); // @alloc
  complaints.push({ id: request.params.id, at: new Date(), words, headers: { ...request.headers } }); // @retain
}

serve(truth, () => {
  const app = express();
  app.disable('etag');
  app.use(express.json());
  app.get('/item/:id', async (request, response) => {
    await query(3);
    response.type('json').send(renderPage(request.params.id));
  });
  app.post('/complaint/:id', (request, response) => {
    noteComplaint(request);
    response.json({ received: true });
  });
  return { handler: app };
});
