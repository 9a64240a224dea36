'use strict';

// Is asked for a snapshot by signal and goes its way: by `act`, its loop ends, or it exits, so many milliseconds after the signal; or a Worker
// that is asked as well is terminated. Tells when it begins to end.

const { setTimeout: delay } = require('node:timers/promises');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const leakguard = require('../..');
const { given, say } = require('./report');

const bulk = Array.from({ length: given.bulk ?? 0 }, (_, i) => ({ name: `number ${i}` }));

if (isMainThread) main();
else parentPort?.once('message', () => {}).postMessage('ready');

async function main() {
  leakguard.start(given.options);
  const worker = given.act === 'terminate' ? new Worker(__filename, { argv: process.argv.slice(2) }) : undefined;
  if (worker) await new Promise((resolve) => worker.once('message', resolve));
  process.kill(process.pid, 'SIGUSR2');
  await delay(given.after);
  process.on('exit', () => say('leaving', { bulk: bulk.length }));
  if (given.act === 'exit') process.exit(7);
  await worker?.terminate();
}
