'use strict';

// Fills the heap to its limit: in the main thread, or in a Worker with `resourceLimits`, slowly or as fast as it can.

const { setTimeout: wait } = require('node:timers/promises');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

/** What leaks. @type {object[]} */
const kept = [];

/** @param {number} count */
function keepSome(count) {
  for (let i = 0; i < count; i++) kept.push({ number: i, text: [`${i}`, i] });
}

/** @param {number} [pause] ms */
async function leak(pause) {
  for (;;) {
    keepSome(2_000);
    if (pause) await wait(pause);
  }
}

if (!isMainThread) {
  leak(workerData.pause);
} else {
  reportSnapshots();
  leakguard.start(given.options);
  say('ready', { status: leakguard.status().nearHeapLimit });
  if (given.worker) {
    const worker = new Worker(__filename, {
      workerData: given,
      argv: process.argv.slice(2),
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 },
    });
    worker.on('error', (/** @type {any} */ { code }) => say('error', { code }));
    worker.on('exit', (code) => say('exit', { code }));
  } else leak(given.pause);
}
