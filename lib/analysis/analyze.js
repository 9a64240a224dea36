'use strict';

// What is in a snapshot file.

const { CHECKS, checkFile, checkOptions } = require('./options');
const { work } = require('./work');

/** @typedef {import('./work').Watched & { rows: number, partial: boolean }} AnalyzeOptions */

const OPTIONS = { rows: CHECKS.rows, partial: CHECKS.flag, progress: CHECKS.progress, signal: CHECKS.signal };

/**
 * @param {unknown} file
 * @param {unknown} [options]
 * @returns {Promise<any>}
 */
async function analyze(file, options) {
  return analyzeFile(checkFile(file), options);
}

/**
 * The report and, for a terminal, its text.
 *
 * @param {string | undefined} file undefined: standard input
 * @param {unknown} options
 * @param {import('./work').Terminal} [terminal]
 * @returns {Promise<any>}
 */
async function analyzeFile(file, options, terminal) {
  /** @type {Partial<AnalyzeOptions>} */
  const { rows = 20, partial = false, ...watched } = checkOptions(options, OPTIONS);
  return work('analyze', { file, rows, partial, terminal }, watched);
}

module.exports = { analyze, analyzeFile };
