'use strict';

// A pool of connections without a time limit for waiting. One failed query in a thousand does not give its connection back; once none is
// left, every request waits in the pool's queue, long after it has been answered with an error.

const { createPool } = require('generic-pool');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'pool-waiters',
  framework: 'generic-pool',
  culprit: {
    fn: 'acquire',
    also: ['fetchOrder', 'withTimeout', 'Deferred', 'ResourceRequest'],
    retain: '_waitingClientsQueue',
  },
  set: 'tuning',
  load: { rps: 450, conns: 64, routes: [[1, 'GET', '/order/{n}', 0]] },
};

const FAILS_EVERY = 100;
const PATIENCE_MS = 50;

class Connection {
  statements = new Map();

  async run(number) {
    await query(2);
    if (number % FAILS_EVERY === 0) throw new Error('deadlock detected');
    return { number, rows: 3 };
  }
}

const pool = createPool({ create: async () => new Connection(), destroy: async () => {} }, { max: 12 });

async function fetchOrder(number, url, headers) {
  const context = { url, headers: { ...headers }, since: Date.now(), steps: ['acquire'] }; // @alloc
  const connection = await pool.acquire(); // @retain
  context.steps.push('query');
  const order = await connection.run(number);
  await pool.release(connection);
  return { ...order, context };
}

function withTimeout(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, PATIENCE_MS, new Error('no connection in time'));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

serve(truth, () => ({
  handler: async (request, response) => {
    const number = Number(request.url.split('/').pop());
    const page = renderPage(request.url);
    try {
      await withTimeout(fetchOrder(number, request.url, request.headers));
      answerJson(response, page);
    } catch (error) {
      answerJson(response, JSON.stringify({ error: error.message }), 503);
    }
  },
}));
