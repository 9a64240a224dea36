'use strict';

// What has grown between snapshots of one process.

const fs = require('node:fs');
const path = require('node:path');
const { optionError } = require('../errors');
const { CHECKS, checkFile, checkOptions } = require('./options');
const { work } = require('./work');

/** @typedef {import('./work').Watched & { rows: number, work: number[] }} DiffOptions */

const OPTIONS = {
  rows: CHECKS.rows,
  /** @param {any} value */
  work: (value) =>
    Array.isArray(value) && value.every(Number.isFinite) ? undefined : 'a list of numbers, one for each file',
  progress: CHECKS.progress,
  signal: CHECKS.signal,
};

/** Leakguard's and Node's names of snapshots say when they were taken. */
const NAMED_TIME = /^Heap\.(\d{4})(\d\d)(\d\d)\.(\d\d)(\d\d)(\d\d)\./;

/**
 * @param {unknown} files
 * @param {unknown} [options]
 * @returns {Promise<any>}
 */
async function diff(files, options) {
  if (!Array.isArray(files)) throw optionError(TypeError, 'the files must be a list of two or three paths');
  return diffFiles(files.map(checkFile), options);
}

/**
 * The difference and, for a terminal, its text.
 *
 * @param {string[]} files
 * @param {unknown} options
 * @param {import('./work').Terminal} [terminal]
 * @returns {Promise<any>}
 */
async function diffFiles(files, options, terminal) {
  if (files.length < 2 || files.length > 3)
    throw optionError(RangeError, `give two or three files, the oldest first; there are ${files.length}`);
  /** @type {Partial<DiffOptions>} */
  const { rows = 20, work: given, ...watched } = checkOptions(options, OPTIONS);
  if (given !== undefined && (given.length !== files.length || !isRising(given)))
    throw optionError(RangeError, '"work" must have a number for each file, each greater than the one before');
  return work('diff', { files, rows, ...(given ? { unit: 'work', work: given } : workOf(files)), terminal }, watched);
}

/**
 * How much work was done until each snapshot: their times, where these are in order.
 *
 * @param {string[]} files
 */
function workOf(files) {
  const times = timesByName(files) ?? files.map((file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return isRising(times)
    ? { unit: 'seconds', work: times.map((time) => time / 1e3) }
    : { unit: 'snapshots', work: files.map((_, index) => index) };
}

/** @param {string[]} files */
function timesByName(files) {
  const times = files.map((file) => {
    const parts = NAMED_TIME.exec(path.basename(file))?.slice(1).map(Number);
    return parts ? Date.UTC(parts[0], parts[1] - 1, ...parts.slice(2)) : undefined;
  });
  return times.every((time) => time !== undefined) ? times : undefined;
}

/** @param {number[]} numbers */
function isRising(numbers) {
  return numbers.every((number, index) => index === 0 || number > numbers[index - 1]);
}

module.exports = { diff, diffFiles };
