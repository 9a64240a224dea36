'use strict';

// Does nothing, and stays; if told to, with a heap of so many objects.

const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

const kept = Array.from({ length: given.objects ?? 0 }, (_, index) => ({ index, own: [index] }));
reportSnapshots();
leakguard.start(given.options);
if (given.stop) leakguard.stop();
const { signal } = leakguard.status();
say('ready', { pid: process.pid, signal, listeners: process.listenerCount(given.listened ?? 'SIGUSR2') });
setInterval(() => kept, 60_000);
