'use strict';

// The child process that gives the load. It sends as many requests as are due by the clock, as long as connections are free: a server
// that cannot keep up gets fewer, and `meant` tells how many it should have got.

const { performance } = require('node:perf_hooks');
const { HttpClients } = require('./http-clients');
const { share } = require('./pace');

const TICK_MS = 5;
const REPORT_MS = 500;

process.once('message', (message) => {
  const { port, seconds, load } = /** @type {{ port: number, seconds: number, load: import('./harness').Load }} */ (
    message
  );
  // `ws` is there only once the corpus is installed.
  const clients =
    load.protocol === 'ws' ? new (require('./ws-clients').WsClients)(port, load) : new HttpClients(port, load);
  const began = performance.now();
  let last = began;
  let meant = 0;
  let owed = 0;
  setInterval(() => {
    const now = performance.now();
    const due = (load.rps * share(load.shape, (now - began) / 1000, seconds) * (now - last)) / 1000;
    last = now;
    meant += due;
    // What a busy server has missed is not made up for beyond this.
    owed = Math.min(owed + due, load.conns * 2);
    while (owed >= 1 && clients.send()) owed--;
  }, TICK_MS);
  setInterval(() => process.send?.(meant), REPORT_MS);
});
process.once('disconnect', () => process.exit());
