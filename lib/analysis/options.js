'use strict';

// The options of analyze() and its like: what is wrong with a value, if anything.

const { optionError } = require('../errors');
const { parseSize } = require('../units');

const MAX_ROWS = 10_000;
/** V8's ids are 32 bits wide. */
const MAX_ID = 2 ** 32 - 1;

/** @typedef {(value: any) => string | undefined} Check what is expected, where the value is something else */

/** @type {Record<string, Check>} */
const CHECKS = {
  rows: (value) =>
    Number.isInteger(value) && value >= 1 && value <= MAX_ROWS ? undefined : `a whole number from 1 to ${MAX_ROWS}`,
  count: (value) => (Number.isSafeInteger(value) && value >= 0 ? undefined : 'a whole number from 0 on'),
  id: (value) =>
    Number.isInteger(value) && value >= 0 && value <= MAX_ID
      ? undefined
      : `an object's id: a whole number from 0 to ${MAX_ID}`,
  size: (value) => (parseSize(value) !== undefined ? undefined : "a number of bytes or a text such as '64 KiB'"),
  text: (value) => (typeof value === 'string' ? undefined : 'a text'),
  flag: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  compress: (value) => (['none', 'gzip'].includes(value) ? undefined : "'none' or 'gzip'"),
  path: (value) => (isPath(value) ? undefined : 'a path'),
  progress: (value) => (typeof value === 'function' ? undefined : 'a function'),
  signal: (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal'),
};

/**
 * @template {object} T
 * @param {unknown} options
 * @param {Record<NoInfer<keyof T & string>, Check>} checks by option
 * @returns {Partial<T>}
 */
function checkOptions(options, checks) {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) throw optionError(TypeError, 'the options must be an object');
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name))
      throw optionError(TypeError, `there is no option "${name}"; there are ${Object.keys(checks).join(', ')}`);
    const expected = value === undefined ? undefined : checks[/** @type {keyof T & string} */ (name)](value);
    if (expected !== undefined) throw optionError(TypeError, `"${name}" must be ${expected}`);
  }
  return options;
}

/** @param {unknown} file */
function checkFile(file) {
  if (!isPath(file)) throw optionError(TypeError, 'the file must be a path');
  return file;
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
function isPath(value) {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

module.exports = { CHECKS, checkFile, checkOptions };
