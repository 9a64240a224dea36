'use strict';

// Keeps things in each kind of collection, and writes a snapshot of it all to the file that it is given.

const { EventEmitter } = require('node:events');
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

const feed = new EventEmitter();
feed.setMaxListeners(0);

/** @param {number} id */
function subscribe(id) {
  const subscriber = { inbox: `inbox ${id}` };
  feed.on('news', function deliver() {
    return subscriber;
  });
}

/** @param {number} id */
function remind(id) {
  const reminder = { text: `reminder ${id}` };
  setTimeout(function ring() {
    return reminder;
  }, 60_000).unref();
}

for (let id = 0; id < 3_000; id++) maps.set(`req-${id}`, new Session(id));
Object.assign(/** @type {Session} */ (maps.get('req-2999')), { name: 'last' });
for (let id = 0; id < 400; id++) seen.add(`visitor ${id}`);
for (let id = 0; id < 200; id++) byName[`name${id}`] = { id };
for (let id = 0; id < 150; id++) subscribe(id);
for (let id = 0; id < 120; id++) remind(id);
const rows = keeper(300);
/** @type {any} */ (globalThis).hoard = ['global'];

// What no function uses that outlives the module would be the stack's alone.
module.exports = () => [maps, seen, byName, rows];

writeHeapSnapshot(process.argv[2]);
