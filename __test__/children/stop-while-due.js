'use strict';

// Stops leakguard while a snapshot is due by signal: at once, or when the first trace of it is in the folder.

const fs = require('node:fs');
const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

reportSnapshots();
leakguard.start(given.options);
process.kill(process.pid, 'SIGUSR2');
if (given.when === 'at once') {
  stop();
} else {
  const look = setInterval(() => {
    if (fs.readdirSync(given.options.dir).length === 0) return;
    clearInterval(look);
    stop();
  }, 1);
}

function stop() {
  leakguard.stop();
  say('stopped', { files: fs.readdirSync(given.options.dir) });
}
