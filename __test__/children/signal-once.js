'use strict';

// Sends itself the signal, tells what came of it, and ends.

const { subscribe } = require('node:diagnostics_channel');
const fs = require('node:fs');
const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

reportSnapshots();
leakguard.start(given.options);
const stay = setInterval(() => {}, 60_000);
subscribe('leakguard:snapshot', () => {
  say('left', { left: fs.readdirSync(given.options.dir) });
  clearInterval(stay);
});
process.kill(process.pid, 'SIGUSR2');
