'use strict';

// Two worker threads do the sums; each is replaced after a few hundred of them, as pools do.

const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const { serve } = require('./lib/harness');
const { answerJson, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'worker-churn',
  framework: 'worker_threads',
  set: 'held-back',
  load: { rps: 250, routes: [[1, 'GET', '/sum/{n}', 0]] },
};

const WORKERS = 2;
const JOBS_A_WORKER = 800;

class Pool {
  #workers = Array.from({ length: WORKERS }, () => this.#start());
  #next = 0;

  run(numbers) {
    const at = this.#next++ % WORKERS;
    const member = this.#workers[at];
    if (++member.given === JOBS_A_WORKER) this.#workers[at] = this.#start();
    return new Promise((resolve) => {
      member.waiting.push(resolve);
      member.worker.postMessage(numbers);
    });
  }

  #start() {
    const member = { worker: new Worker(__filename), waiting: [], given: 0 };
    member.worker.on('message', (sum) => {
      member.waiting.shift()(sum);
      if (member.given >= JOBS_A_WORKER && member.waiting.length === 0) member.worker.terminate();
    });
    return member;
  }
}

if (!isMainThread) {
  parentPort.on('message', (numbers) =>
    parentPort.postMessage(numbers.map((n) => n * n).reduce((sum, n) => sum + n, 0)),
  );
} else {
  serve(truth, () => {
    const pool = new Pool();
    return {
      handler: async (request, response) => {
        const sum = await pool.run(Array.from({ length: 500 }, (_, n) => n));
        answerJson(response, renderPage(`${request.url}-${sum}`));
      },
    };
  });
}
