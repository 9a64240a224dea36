'use strict';

// Does nothing, and stays.

const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

reportSnapshots();
leakguard.start(given.options);
if (given.stop) leakguard.stop();
const { signal } = leakguard.status();
say('ready', { pid: process.pid, signal, listeners: process.listenerCount(given.listened ?? 'SIGUSR2') });
setInterval(() => {}, 60_000);
