'use strict';

// Ends Workers while their snapshot is due: some idle, some spinning, some by themselves.

const { once } = require('node:events');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

if (isMainThread) {
  reportSnapshots();
  leakguard.start(given.options);
  main();
} else {
  parentPort?.on('message', () => process.exit());
  parentPort?.postMessage('ready');
  while (workerData === 'spin');
}

async function main() {
  for (const how of ['idle', 'spin', 'exit', 'idle', 'spin', 'exit']) {
    const worker = new Worker(__filename, { workerData: how });
    await once(worker, 'message');
    process.kill(process.pid, 'SIGUSR2');
    if (how === 'exit') worker.postMessage('exit');
    else worker.terminate();
    await once(worker, 'exit');
  }
  say('done');
}
