'use strict';

// Allocates objects, arrays, strings and closures, keeps each for a short while, and writes the CPU time as JSON.

const fs = require('node:fs');
const { setImmediate: turn } = require('node:timers/promises');

const KEPT = 20_000;
const BATCH = 10_000;
const WARM_UP_BATCHES = 100;
const BATCHES = 3000;

/** @type {unknown[]} */
const kept = new Array(KEPT).fill(null);
let next = 0;

/** @param {unknown} value */
function keep(value) {
  kept[next] = value;
  next = (next + 1) % KEPT;
}

/** @param {number} n */
function makeObject(n) {
  return { id: n, name: 'item', price: n * 1.25, tags: { first: n, second: n + 1 } };
}

/** @param {number} n */
function makeArray(n) {
  return [n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7].map((value) => value * 2);
}

/** @param {number} n */
function makeString(n) {
  return `item number ${n} of the batch, at ${n * 3}`;
}

/** @param {number} n */
function makeClosure(n) {
  return () => n;
}

const MAKERS = [makeObject, makeArray, makeString, makeClosure];

/** @param {number} batches */
async function allocate(batches) {
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < BATCH; i++) keep(MAKERS[i % MAKERS.length](i));
    await turn();
  }
}

async function main() {
  await allocate(WARM_UP_BATCHES);
  const start = process.cpuUsage();
  await allocate(BATCHES);
  const { user, system } = process.cpuUsage(start);
  fs.writeSync(1, JSON.stringify({ cpu: user + system }));
}

main();
