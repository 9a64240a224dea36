'use strict';

// Keeps its event loop from turning: for ever, or until the file `until` exists.

const fs = require('node:fs');
const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

reportSnapshots();
leakguard.start(given.options);
setImmediate(() => {
  say('ready');
  while (given.until === undefined || !fs.existsSync(given.until));
  say('turning', { files: fs.readdirSync(given.options.dir) });
  setInterval(() => {}, 60_000);
});
