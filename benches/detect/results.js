'use strict';

// The results file: a line of JSON for each run, which is only ever added to.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');
/** A commit of results is no other leakguard: what is measured goes on under the commit before. */
const SUBJECT = ['--', '.', ':(exclude)benches/detect/results.jsonl'];

/**
 * @typedef {object} Run
 * @property {string} commit
 * @property {string} date ISO
 * @property {string} node
 * @property {string} corpus
 * @property {string} case
 * @property {boolean} leaky
 * @property {'tuning' | 'held-back' | null} set
 * @property {number} seconds
 */

/** @typedef {Run & import('./judge').Verdict} Result */

/** The commit that is measured, with a `+` where the tree has changes. */
function currentCommit() {
  const hash = git(['log', '-1', '--format=%h', ...SUBJECT]);
  return git(['status', '--porcelain', ...SUBJECT]) === '' ? hash : `${hash}+`;
}

/** @param {string[]} args */
function git(args) {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

/**
 * @param {string} file
 * @param {Result} result
 */
function addResult(file, result) {
  fs.appendFileSync(file, `${JSON.stringify(result)}\n`);
}

/**
 * @param {string} file
 * @returns {Result[]}
 */
function readResults(file) {
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

module.exports = { addResult, currentCommit, readResults };
