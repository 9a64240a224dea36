'use strict';

// A service that leaks on its main thread and in a Worker: `remember` keeps an entry per job for good. Between that it makes the
// garbage of any service. Prints the first leak of each thread as JSON, in an array, and ends; gives up after a while.

const { isMainThread, Worker } = require('node:worker_threads');
require('../..');

const JOBS_A_TICK = 20;
const TICK_MS = 20;
const GIVE_UP_MS = 110_000;

const kept = new Map();
let id = 0;

function work() {
  return JSON.stringify(Array.from({ length: 200 }, (_, index) => ({ index, name: `row ${index}`, tags: [index] })));
}

function remember() {
  for (let job = 0; job < JOBS_A_TICK; job++) {
    work();
    kept.set(id, { id, notes: Array.from({ length: 20 }, (_, index) => ({ index, text: `note ${id}:${index}` })) });
    id++;
  }
}

setInterval(remember, TICK_MS);

if (isMainThread) {
  /** @type {Map<number, import('leakguard').Leak>} */
  const leaks = new Map();
  process.on('leak', (leak) => {
    if (leak.kind === 'heap' && !leaks.has(leak.threadId)) leaks.set(leak.threadId, leak);
    if (leaks.size === 2) process.stdout.write(JSON.stringify([...leaks.values()]), () => process.exit(0));
  });
  new Worker(__filename);
  setTimeout(() => process.exit(1), GIVE_UP_MS);
}
