'use strict';

// The last 500 answers are kept as Buffers in a ring, whose slots take ever other sizes: external memory is noisy, and level.

const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'buffer-ring',
  framework: 'http',
  set: 'held-back',
  load: { rps: 350, shape: 'bursts', conns: 100 },
};

const SLOTS = 500;
const LEAST_BYTES = 8 * 1024;
const SPREAD_BYTES = 60 * 1024;

const ring = new Array(SLOTS).fill(null);
let answers = 0;

function record(text) {
  const copy = Buffer.alloc(LEAST_BYTES + ((answers * 7907) % SPREAD_BYTES));
  copy.write(text);
  ring[answers++ % SLOTS] = copy;
}

serve(truth, () => ({
  handler: async (request, response) => {
    const page = renderPage(request.url);
    record(page);
    await query(5);
    answerJson(response, page);
  },
}));
