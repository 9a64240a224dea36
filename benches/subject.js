'use strict';

// Running the scripts in subjects/.

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { performance } = require('node:perf_hooks');

/** Preloading this arms leakguard with its defaults. */
const LEAKGUARD = require.resolve('leakguard');

/** @param {string} name */
function subjectPath(name) {
  return path.join(__dirname, 'subjects', `${name}.js`);
}

/**
 * The environment without what would arm, or otherwise change, every subject.
 *
 * @param {string} [options] LEAKGUARD_OPTIONS
 * @returns {NodeJS.ProcessEnv}
 */
function environment(options) {
  return { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '', LEAKGUARD_OPTIONS: options ?? '' };
}

/**
 * Runs a subject to its end.
 *
 * @param {string} name
 * @param {string[]} [execArgv]
 * @returns {Record<string, number> & { wall: number }} the JSON that it wrote, and the wall time in ms
 */
function runSubject(name, execArgv = []) {
  const start = performance.now();
  const { error, status, signal, stdout, stderr } = spawnSync(process.execPath, [...execArgv, subjectPath(name)], {
    encoding: 'utf8',
    env: environment(),
  });
  const wall = performance.now() - start;
  if (error) throw error;
  if (status !== 0) throw new Error(`subjects/${name}.js ended with ${signal ?? `code ${status}`}:\n${stderr}`);
  return { ...JSON.parse(stdout), wall };
}

module.exports = { LEAKGUARD, environment, runSubject, subjectPath };
