'use strict';

// Forked children that take snapshots, as the kernel shows them.

const fs = require('node:fs');

/**
 * The forked children of a process that are there at this moment.
 *
 * @param {number} pid
 * @returns {number[]}
 */
function forkedChildren(pid) {
  return list(`/proc/${pid}/task`)
    .flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(' '))
    .map(Number)
    .filter((child) => child > 0 && read(`/proc/${child}/comm`) === 'leakguard-child\n');
}

/**
 * Whether a process is there; one that nobody has waited for is not.
 *
 * @param {number} pid
 */
function isAlive(pid) {
  const state = /\) (\w) [^)]*$/.exec(read(`/proc/${pid}/stat`))?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** @param {string} folder */
function list(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/** @param {string} file */
function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

module.exports = { forkedChildren, isAlive };
