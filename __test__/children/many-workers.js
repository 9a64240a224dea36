'use strict';

// Has twenty Workers with leakguard come and go, four at a time, while ten signals arrive; ends when a snapshot of the main thread was
// written: what a signal asks for keeps no process alive.

const { subscribe } = require('node:diagnostics_channel');
const { once } = require('node:events');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

const WORKERS = 20;
const AT_ONCE = 4;
const SIGNALS = 10;

if (isMainThread) {
  reportSnapshots();
  leakguard.start(given.options);
  main();
} else {
  parentPort?.postMessage('ready');
  parentPort?.once('message', () => {});
}

async function main() {
  const alive = setInterval(() => {}, 60_000);
  const written = new Promise((resolve) => {
    subscribe('leakguard:snapshot', (/** @type {any} */ message) => {
      if (message.threadId === 0 && !message.error) resolve(undefined);
    });
  });
  let [started, signals] = [0, 0];
  const run = async () => {
    while (started < WORKERS) {
      const number = started++;
      const worker = new Worker(__filename);
      await once(worker, 'message');
      if (number % (WORKERS / SIGNALS) === 0) {
        signals++;
        process.kill(process.pid, 'SIGUSR2');
      }
      // Half of them end by themselves.
      if (number % 4 < 2) worker.terminate();
      else worker.postMessage('end');
      const [code] = await once(worker, 'exit');
      if (number % 4 >= 2 && code !== 0) throw new Error(`a Worker ended with code ${code}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  await written;
  clearInterval(alive);
  say('done', { started, signals });
}
