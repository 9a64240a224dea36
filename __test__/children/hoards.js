'use strict';

// Keeps things in each kind of collection, and writes a snapshot of it all to the file that it is given.

const { writeHeapSnapshot } = require('node:v8');

class Session {
  /** @param {number} id */
  constructor(id) {
    this.id = id;
    this.notes = Array.from({ length: 20 }, (_, index) => `note ${id}:${index}`);
  }
}

const maps = new Map();
const seen = new Set();
/** @type {Record<string, object>} */
const byName = {};

/** @param {number} count */
function keeper(count) {
  /** @type {object[]} */
  const rows = [];
  for (let row = 0; row < count; row++) rows.push({ row });
  return () => rows;
}

for (let id = 0; id < 3_000; id++) maps.set(`req-${id}`, new Session(id));
for (let id = 0; id < 400; id++) seen.add(`visitor ${id}`);
for (let id = 0; id < 200; id++) byName[`name${id}`] = { id };
const rows = keeper(300);

// What no function uses that outlives the module would be the stack's alone.
module.exports = () => [maps, seen, byName, rows];

writeHeapSnapshot(process.argv[2]);
