'use strict';

// A snapshot file without what its strings say.

const { CHECKS, checkFile, checkOptions } = require('./options');
const { work } = require('./work');

/** @typedef {import('./work').Watched & { output: string, keys: boolean, compress: 'none' | 'gzip' }} RedactOptions */

const OPTIONS = {
  output: CHECKS.path,
  keys: CHECKS.flag,
  compress: CHECKS.compress,
  progress: CHECKS.progress,
  signal: CHECKS.signal,
};

const SUFFIX = '.heapsnapshot';

/**
 * @param {unknown} file
 * @param {unknown} [options]
 * @returns {Promise<any>}
 */
async function redact(file, options) {
  const checked = checkFile(file);
  /** @type {Partial<RedactOptions>} */
  const { compress = 'none', output = outputFor(checked, compress), ...others } = checkOptions(options, OPTIONS);
  return redactFile(checked, output, { compress, ...others });
}

/**
 * @param {string | undefined} file undefined: standard input
 * @param {string | undefined} output undefined: standard output
 * @param {Partial<Omit<RedactOptions, 'output'>>} options
 * @returns {Promise<any>}
 */
async function redactFile(file, output, { keys = true, compress = 'none', ...watched }) {
  return work('redact', { file, output, keys, gzip: compress === 'gzip' }, watched);
}

/**
 * `a.heapsnapshot.gz` becomes `a.redacted.heapsnapshot`.
 *
 * @param {string} file
 * @param {'none' | 'gzip'} compress
 */
function outputFor(file, compress) {
  const unpacked = file.replace(/\.(gz|zst)$/, '');
  const stem = unpacked.endsWith(SUFFIX) ? unpacked.slice(0, -SUFFIX.length) : unpacked;
  return `${stem}.redacted${SUFFIX}${compress === 'gzip' ? '.gz' : ''}`;
}

module.exports = { outputFor, redact, redactFile };
