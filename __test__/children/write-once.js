'use strict';

// Writes a snapshot by call, tells what came of it, and ends.

const fs = require('node:fs');
const leakguard = require('../..');
const { fillDisk, given, reportSnapshots, say } = require('./report');

if (given.fill) fillDisk(given.options.dir);
reportSnapshots();
leakguard.start(given.options);
leakguard.writeHeapSnapshot().then(
  ({ file }) => say('written', { file }),
  ({ name, code, message }) => say('failed', { name, code, message, left: fs.readdirSync(given.options.dir) }),
);
