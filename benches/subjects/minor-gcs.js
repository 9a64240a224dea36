'use strict';

// Forces minor GCs on a small heap. Run with --expose-gc.

const { setImmediate: turn } = require('node:timers/promises');
const serve = require('./serve');

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

serve(collect);
