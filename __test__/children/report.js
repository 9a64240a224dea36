'use strict';

// What the scripts in this folder have in common: they are told what to do by JSON in their first argument, and tell the test what
// happens by lines of JSON on stdout.

const { subscribe } = require('node:diagnostics_channel');
const fs = require('node:fs');

/** @type {Record<string, any>} */
const given = JSON.parse(process.argv[2] ?? '{}');

/**
 * Tells the test something, at once, whether the event loop turns or not.
 *
 * @param {string} event
 * @param {object} [data]
 */
function say(event, data) {
  fs.writeSync(1, `${JSON.stringify({ event, ...data })}\n`);
}

/** Tells the test of every snapshot, as `leakguard:snapshot` has it. */
function reportSnapshots() {
  subscribe('leakguard:snapshot', (message) => say('snapshot', { message }));
}

/**
 * Leaves no room in a small file system but for the beginning of a file.
 *
 * @param {string} folder
 */
function fillDisk(folder) {
  const file = fs.openSync(`${folder}/filling`, 'w');
  try {
    for (;;) fs.writeSync(file, Buffer.alloc(64 * 1024));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOSPC') throw error;
  }
  fs.ftruncateSync(file, fs.fstatSync(file).size - 64 * 1024);
  fs.closeSync(file);
}

module.exports = { fillDisk, given, reportSnapshots, say };
