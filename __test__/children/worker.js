'use strict';

// A Worker beside the main thread, both with leakguard. The Worker spins if it is told to.

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

if (isMainThread) {
  reportSnapshots();
  leakguard.start(given.options);
  const worker = new Worker(__filename, { workerData: given });
  worker.on('message', () => say('ready', { threadId: worker.threadId }));
} else {
  parentPort?.on('message', () => {});
  parentPort?.postMessage('ready');
  while (workerData.spin);
}
