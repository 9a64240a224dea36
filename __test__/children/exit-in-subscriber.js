'use strict';

// Ends the process where it hears of a snapshot.

const { subscribe } = require('node:diagnostics_channel');
const leakguard = require('../..');
const { given, say } = require('./report');

leakguard.start(given.options);
subscribe('leakguard:snapshot', (message) => {
  say('snapshot', { message });
  process.exit(7);
});
setInterval(() => {}, 60_000);
if (given.by === 'signal') process.kill(process.pid, 'SIGUSR2');
else leakguard.writeHeapSnapshot();
