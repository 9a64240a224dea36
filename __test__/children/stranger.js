'use strict';

// Knows nothing of leakguard, or loads it in a Worker only.

const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { given, say } = require('./report');

if (given.inWorker) {
  const script = `require(${JSON.stringify(path.join(__dirname, '..', '..'))}); setInterval(() => {}, 60_000);
    require('node:worker_threads').parentPort.postMessage('armed');`;
  new Worker(script, { eval: true }).once('message', () => say('ready'));
} else {
  say('ready');
}
setInterval(() => say('alive'), 100);
