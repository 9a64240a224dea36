'use strict';

// Writes a snapshot by call, tells what came of it, and ends. With `fill`, the disk is full as soon as the snapshot is begun.

const fs = require('node:fs');
const leakguard = require('../..');
const { fillDisk, given, reportSnapshots, say } = require('./report');

reportSnapshots();
leakguard.start(given.options);
// Enough that writing takes longer than it takes to hear of it.
const bulk = given.fill ? Array.from({ length: 200_000 }, (_, i) => ({ name: `number ${i}` })) : [];
let filled = !given.fill;
const onProgress = (/** @type {import('../..').SnapshotProgress} */ { phase }) => {
  if (filled || phase === 'waiting') return;
  filled = true;
  fillDisk(given.options.dir);
};
leakguard
  .writeHeapSnapshot(undefined, { onProgress })
  .then(
    ({ file }) => say('written', { file }),
    ({ name, code, message }) => say('failed', { name, code, message }),
  )
  .finally(() => say('left', { left: fs.readdirSync(given.options.dir), bulk: bulk.length }));
