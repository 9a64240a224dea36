'use strict';

// Allocates objects, arrays, strings and closures, keeping each for a short while.

const { setImmediate: turn } = require('node:timers/promises');
const serve = require('./serve');

const KEPT = 20_000;
const BATCH = 10_000;

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

serve(allocate);
