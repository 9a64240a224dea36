'use strict';

// A cluster of four that share a folder; each tells when it is ready, and what became of its snapshots. Ends when it is told so by SIGHUP.

/** @type {import('node:cluster').Cluster} */
const cluster = /** @type {any} */ (require('node:cluster'));
const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

const MEMBERS = 4;

leakguard.start(given.options);
if (cluster.isPrimary) {
  cluster.setupPrimary({ args: process.argv.slice(2) });
  const members = Array.from({ length: MEMBERS }, () => cluster.fork());
  let ready = 0;
  cluster.on('message', () => {
    if (++ready === MEMBERS) say('ready', { pids: members.map((member) => member.process.pid) });
  });
  process.once('SIGHUP', () => cluster.disconnect());
} else {
  reportSnapshots();
  process.send?.('ready');
}
