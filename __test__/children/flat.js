'use strict';

// Forces ten thousand major GCs on a heap that rises until it is suspected, or even told as a leak, falls, and rises again. Prints the
// memory early and late.

const leakguard = require('../..');

// Nobody is to be warned.
process.on('leak', () => {});

const MAJORS = 10_000;
/** Two proofs at least. */
const SNAPSHOTS = 4;
/** From here on everything that is taken once has been taken. */
const EARLY = 2_500;
const TICK_MS = 50;
/** In each turn: so many GCs, and so many things more that are kept, for so long. */
const GCS = 8;
const KEPT = 100;
const RISE_MS = 36_000;

const collect = /** @type {() => void} */ (globalThis.gc);
/** @type {unknown[]} */
let kept = [];
let majors = 0;
let turns = 0;
let risenSince = performance.now();
/** @type {NodeJS.MemoryUsage | undefined} */
let early;

function settled() {
  kept = [];
  collect();
  return process.memoryUsage();
}

setInterval(() => {
  turns++;
  if (performance.now() - risenSince > RISE_MS) {
    kept = [];
    risenSince = performance.now();
  }
  for (let count = 0; count < KEPT; count++) kept.push({ at: turns, text: `${turns}:${count}`.repeat(3) });
  for (let count = 0; count < GCS; count++, majors++) collect();
  if (majors >= EARLY) early ??= settled();
  const { cost } = leakguard.status();
  // How soon something is suspected again hangs on the machine: it goes on until that was so often enough.
  if (majors < MAJORS || !cost || cost.snapshots < SNAPSHOTS) return;
  const late = settled();
  process.stdout.write(JSON.stringify({ majors, early, late, cost }), () => process.exit(0));
}, TICK_MS);
