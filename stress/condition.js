'use strict';

// What this process holds, as the kernel counts it.

const fs = require('node:fs');

/**
 * @typedef {object} Condition
 * @property {number} descriptors
 * @property {number} deletedFiles descriptors of files without a name
 * @property {number} threads
 * @property {number} children
 * @property {number} zombies children that nobody has waited for
 * @property {number} rss bytes
 * @property {number} kept mappings that forked children do not get: the flag `dc` in smaps, V8's heap
 * @property {number} keptBytes what of them is in memory
 * @property {number} openBytes what is in memory of other private mappings without a name: malloc's, stacks, and V8's heap where it has lost
 *   the flag
 */

/** @returns {Condition} */
function condition() {
  const links = fs.readdirSync('/proc/self/fd').map(linkOf);
  const threads = fs.readdirSync('/proc/self/task');
  const states = threads.flatMap(childrenOf).map(stateOf);
  const mappings = privateMappings();
  const kept = mappings.filter(({ isKept }) => isKept);
  const open = mappings.filter(({ isKept }) => !isKept);
  return {
    // Without the one that the folder was read by.
    descriptors: links.filter((link) => link !== undefined).length,
    deletedFiles: links.filter((link) => link?.startsWith('/') && link.endsWith(' (deleted)')).length,
    threads: threads.length,
    children: states.filter((state) => state !== undefined).length,
    zombies: states.filter((state) => state === 'Z').length,
    rss: process.memoryUsage.rss(),
    kept: kept.length,
    keptBytes: sumOf(kept),
    openBytes: sumOf(open),
  };
}

/** @param {string} fd */
function linkOf(fd) {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

/** @param {string} thread */
function childrenOf(thread) {
  return read(`/proc/self/task/${thread}/children`).split(' ').filter(Boolean);
}

/** @param {string} pid */
function stateOf(pid) {
  // The name in parentheses may contain anything.
  return /\) (\w) [^)]*$/.exec(read(`/proc/${pid}/stat`))?.[1];
}

/** The private mappings without a name (`proc_pid_smaps(5)`). */
function privateMappings() {
  const mappings = [];
  let [isNameless, resident] = [false, 0];
  for (const line of read('/proc/self/smaps').split('\n')) {
    if (/^[0-9a-f]+-/.test(line)) isNameless = /^\S+ ...p \S+ \S+ 0 *(\[anon.*)?$/.test(line);
    const kib = /^Rss: +(\d+) kB$/.exec(line);
    if (kib) resident = Number(kib[1]) * 1024;
    if (isNameless && line.startsWith('VmFlags:')) mappings.push({ isKept: / dc\b/.test(line), resident });
  }
  return mappings;
}

/** @param {{ resident: number }[]} mappings */
function sumOf(mappings) {
  return mappings.reduce((sum, { resident }) => sum + resident, 0);
}

/** @param {string} file */
function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    // A thread or a child that has just ended.
    return '';
  }
}

module.exports = { condition };
