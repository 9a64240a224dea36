'use strict';

const { Guard, version } = require('./lib/guard');

/** Under this name the copies of leakguard in a process find each other: the newest is in charge, the others pass calls on to it. */
const KEY = Symbol.for('leakguard');
/** @type {any} */
const registry = globalThis;

if (!registry[KEY] || isOlder(registry[KEY].version, version)) {
  registry[KEY]?.guard.stop();
  Object.defineProperty(globalThis, KEY, { value: { version, guard: new Guard() }, configurable: true });
}

/** @returns {Guard} */
function guard() {
  return registry[KEY].guard;
}

/**
 * @param {string} a
 * @param {string} b
 */
function isOlder(a, b) {
  return a.localeCompare(b, 'en', { numeric: true }) < 0;
}

/** @param {object} [options] */
function start(options) {
  guard().start(options);
  return module.exports;
}

function stop() {
  guard().stop();
}

function status() {
  return guard().status();
}

/** `v8.getHeapStatistics()` with its names in camelCase. A native reading would say the same and be no faster. */
function heapStatistics() {
  // Not before it is needed: it costs 4 ms to load.
  const v8 = require('node:v8');
  return {
    ...camelCased(v8.getHeapStatistics()),
    spaces: v8.getHeapSpaceStatistics().map((space) => ({
      name: space.space_name,
      size: space.space_size,
      used: space.space_used_size,
      available: space.space_available_size,
      physical: space.physical_space_size,
    })),
  };
}

/** @param {object} statistics */
function camelCased(statistics) {
  return Object.fromEntries(
    Object.entries(statistics).map(([name, value]) => [
      name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()),
      value,
    ]),
  );
}

/** @param {{ detail?: boolean }} [options] */
function memory(options) {
  return guard().memory(options);
}

function history() {
  return guard().history();
}

/**
 * @param {string} [file]
 * @param {object} [options]
 */
async function writeHeapSnapshot(file, options) {
  return guard().writeHeapSnapshot(file, options);
}

/** @param {{ format?: 'object' | 'pprof' | 'heapprofile' }} [options] */
async function heapProfile(options) {
  return guard().heapProfile(options);
}

/**
 * @param {string} file
 * @param {object} [options]
 */
async function analyze(file, options) {
  return require('./lib/analysis/analyze').analyze(file, options);
}

/**
 * @param {string[]} files
 * @param {object} [options]
 */
async function diff(files, options) {
  return require('./lib/analysis/diff').diff(files, options);
}

/**
 * @param {string} file
 * @param {object} query
 * @param {object} [options]
 */
async function query(file, query, options) {
  return require('./lib/analysis/query').query(file, query, options);
}

/**
 * @param {string} file
 * @param {object} [options]
 */
async function redact(file, options) {
  return require('./lib/analysis/redact').redact(file, options);
}

module.exports = {
  analyze,
  diff,
  query,
  redact,
  start,
  stop,
  status,
  heapStatistics,
  memory,
  history,
  writeHeapSnapshot,
  heapProfile,
};
