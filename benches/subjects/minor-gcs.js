'use strict';

// Forces minor GCs on a small heap and writes the CPU time of one, in microseconds, as JSON. Run with --expose-gc.

const fs = require('node:fs');
const { setImmediate: turn } = require('node:timers/promises');

const WARM_UP = 500;
const COUNT = 8000;
const BEFORE_TURN = 100;

/** @param {number} count */
async function collect(count) {
  const gc = /** @type {NodeJS.GCFunction} */ (globalThis.gc);
  for (let i = 1; i <= count; i++) {
    gc({ type: 'minor' });
    // A PerformanceObserver is called when the loop turns: whoever watches shall pay in full.
    if (i % BEFORE_TURN === 0) await turn();
  }
}

async function main() {
  await collect(WARM_UP);
  const start = process.cpuUsage();
  await collect(COUNT);
  const { user, system } = process.cpuUsage(start);
  fs.writeSync(1, JSON.stringify({ cpu: (user + system) / COUNT }));
}

main();
