'use strict';

// Grows in several ways between three snapshots, which it writes to the files that it is given. What is healthy comes first.

const { AsyncLocalStorage, AsyncResource } = require('node:async_hooks');
const { EventEmitter } = require('node:events');
const v8 = require('node:v8');

/** @type {object[]} */
const queue = [];
const sessions = new Map();

const maps = new Map();
const bus = new EventEmitter().setMaxListeners(0);
const settled = new Promise(() => {});
const storage = new AsyncLocalStorage();
/** @type {AsyncResource[]} */
const pool = [];
/** @type {object | undefined} */
let chain;

/** @param {object} entry */
async function audit(entry) {
  await settled;
  return entry;
}

/** @param {number} number */
function watch(number) {
  const seen = { id: `watch-${number}`, times: new Array(20).fill(number) };
  bus.on('reload', function onReload() {
    seen.times.push(number);
  });
}

/** @param {number} number */
function arm(number) {
  const state = { id: `timer-${number}`, rows: new Array(20).fill(number) };
  setInterval(function refresh() {
    state.rows.push(number);
  }, 60_000).unref();
}

/** @param {number} number */
function link(number) {
  const before = chain;
  const unused = () => before;
  chain = { text: `link ${number} `.repeat(20), use: () => number, unused: number < 0 ? unused : undefined };
}

/** @param {number} number */
function serve(number) {
  queue.push({ id: `job-${number}`, rows: new Array(100).fill(number) });
  if (queue.length > 100 + number / 4) queue.shift();
  sessions.set(`session-${number}`, { rows: new Array(100).fill(number) });
  const oldest = Math.ceil(number * 0.75) - 100;
  sessions.delete(`session-${oldest}`);

  maps.set(`req-${number}`, { user: `user ${number} `.repeat(30), at: number });
  storage.run({ trace: `trace ${number}`, spans: new Array(20).fill(number) }, () =>
    pool.push(new AsyncResource('job')),
  );
  watch(number);
  arm(number);
  link(number);
  void audit({ id: `entry-${number}`, text: `entry ${number} `.repeat(20) });
}

let number = 0;
for (const file of process.argv.slice(2)) {
  while (number < 200) serve(number++);
  for (const end = number + 1_000; number < end; ) serve(number++);
  v8.writeHeapSnapshot(file);
}
process.exit();
