'use strict';

// A service that leaks in two places at once, until the leak is told; then it clears both, and works on. Prints the leak and its end as
// JSON, in an array, with what it cost, and ends; gives up after a while.

const leakguard = require('../..');

const TICK_MS = 20;
const GIVE_UP_MS = 115_000;

const sessions = new Map();
/** @type {unknown[]} */
const drafts = [];
let id = 0;
let leaks = true;

function work() {
  return JSON.stringify(Array.from({ length: 2_000 }, (_, index) => ({ index, name: `row ${index}`, tags: [index] })));
}

/** @param {string} what */
function notes(what) {
  return Array.from({ length: 40 }, (_, index) => ({ index, text: `${what} ${id}:${index}` }));
}

function openSession() {
  sessions.set(`session-${id}`, { id, notes: notes('session') });
}

function saveDraft() {
  drafts.push({ draft: `draft-${id}`, notes: notes('draft') });
}

setInterval(() => {
  work();
  if (!leaks) return;
  for (let times = 0; times < 3; times++, id++) {
    openSession();
    saveDraft();
  }
}, TICK_MS);

/** @type {import('leakguard').Leak[]} */
const told = [];
process.on('leak', (leak) => {
  told.push(leak);
  leaks = false;
  sessions.clear();
  drafts.length = 0;
});
process.on('leakResolved', (leak) => {
  told.push(leak);
  process.stdout.write(JSON.stringify([told, leakguard.status().cost]), () => process.exit(0));
});
setTimeout(() => process.exit(1), GIVE_UP_MS);
