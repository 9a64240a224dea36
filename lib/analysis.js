'use strict';

// What is in a snapshot file. Works without being armed.

const { loadAddon } = require('./addon');
const { LeakguardError, optionError, unwrap } = require('./errors');

const DEFAULT_ROWS = 20;
const MAX_ROWS = 10_000;

/**
 * @typedef {object} AnalyzeOptions
 * @property {number} [rows]
 * @property {boolean} [partial]
 * @property {(fraction: number) => void} [progress]
 * @property {AbortSignal} [signal]
 */

/**
 * How a terminal wants to have it.
 *
 * @typedef {{ width: number, colour: boolean, full: boolean }} Page
 */

/** @type {Record<keyof AnalyzeOptions, (value: any) => string | undefined>} What is wrong with a value, if anything. */
const CHECKS = {
  rows: (value) =>
    Number.isInteger(value) && value >= 1 && value <= MAX_ROWS ? undefined : `a whole number from 1 to ${MAX_ROWS}`,
  partial: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  progress: (value) => (typeof value === 'function' ? undefined : 'a function'),
  signal: (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal'),
};

/**
 * @param {unknown} options
 * @returns {AnalyzeOptions}
 */
function check(options) {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) throw optionError(TypeError, 'the options must be an object');
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(CHECKS, name))
      throw optionError(TypeError, `there is no option "${name}"; there are ${Object.keys(CHECKS).join(', ')}`);
    const expected = value === undefined ? undefined : CHECKS[/** @type {keyof AnalyzeOptions} */ (name)](value);
    if (expected !== undefined) throw optionError(TypeError, `"${name}" must be ${expected}`);
  }
  return options;
}

/**
 * @param {unknown} file
 * @param {unknown} [options]
 * @returns {Promise<any>}
 */
async function analyze(file, options) {
  if (typeof file !== 'string' || file === '' || file.includes('\0'))
    throw optionError(TypeError, 'the file must be a path');
  return analyzeFile(file, options);
}

/**
 * The report and, with `page`, its text.
 *
 * @param {string | undefined} file undefined: standard input
 * @param {unknown} options
 * @param {Page} [page]
 * @returns {Promise<any>}
 */
async function analyzeFile(file, options, page) {
  const { rows = DEFAULT_ROWS, partial = false, progress, signal } = check(options);
  signal?.throwIfAborted();
  const { addon, reason } = loadAddon();
  if (addon === undefined) throw new LeakguardError('ERR_LEAKGUARD_UNAVAILABLE', `analyze: ${reason}`);
  const cancellation = new addon.Cancellation();
  const cancel = () => cancellation.cancel();
  signal?.addEventListener('abort', cancel);
  try {
    const wanted = { rows, partial, colour: false, full: false, ...page };
    const answer = await addon.analyze(file, wanted, cancellation, progress);
    signal?.throwIfAborted();
    return unwrap(/** @type {string} */ (answer));
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

module.exports = { analyze, analyzeFile };
