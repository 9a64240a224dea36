'use strict';

// Notifications that an upstream refuses are tried again, and again: the queue of closures has neither a bound nor a last attempt.

const { serve } = require('./lib/harness');
const { answerJson, query, readBody, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'retry-queue',
  framework: 'http',
  culprit: { fn: 'enqueue', also: ['notify'], retain: 'waiting' },
  set: 'tuning',
  load: { rps: 350, routes: [[1, 'POST', '/order/{n}', 400]] },
};

const REFUSED_OF_TEN = 4;
const RETRIES_A_ROUND = 20;

let waiting = [];

function enqueue(order, headers) {
  const payload = { order, headers: { ...headers }, queuedAt: Date.now() }; // @alloc
  let attempts = 0;
  waiting.push(async () => {
    // @retain
    attempts++;
    return upstream(payload.order.order, attempts);
  });
}

async function upstream(number, attempts) {
  await query(1);
  // It refuses what it refused: trying again does not help.
  return attempts > 0 && number % 10 >= REFUSED_OF_TEN;
}

async function notify(order, headers) {
  if (!(await upstream(order.order, 1))) enqueue(order, headers);
}

async function retrySome() {
  const round = waiting.splice(0, RETRIES_A_ROUND);
  for (const retry of round) if (!(await retry())) waiting = waiting.concat(retry);
}

serve(truth, () => {
  setInterval(retrySome, 1000).unref();
  return {
    handler: async (request, response) => {
      const order = JSON.parse(await readBody(request));
      await notify(order, request.headers);
      answerJson(response, renderPage(request.url));
    },
  };
});
