'use strict';

// Questions about single things in a snapshot file.

const { optionError } = require('../errors');
const { parseSize } = require('../units');
const { CHECKS, checkFile, checkOptions } = require('./options');
const { work } = require('./work');

/** @typedef {import('./work').Watched & { rows: number, skip: number, partial: boolean }} QueryOptions */

const OPTIONS = {
  rows: CHECKS.rows,
  skip: CHECKS.count,
  partial: CHECKS.flag,
  progress: CHECKS.progress,
  signal: CHECKS.signal,
};

const FILTERS = { minCount: CHECKS.count, minSize: CHECKS.size };
/** By question, what may be said with it; and what must be. @type {Record<string, { may: Record<string, import('./options').Check>, must?: string }>} */
const QUERIES = {
  classes: { may: { name: CHECKS.text, ...FILTERS } },
  objects: {
    may: { class: CHECKS.text, property: CHECKS.text, value: CHECKS.text, ...FILTERS },
    must: 'class',
  },
  object: { may: { id: CHECKS.id }, must: 'id' },
  retainers: { may: { id: CHECKS.id }, must: 'id' },
  paths: { may: { id: CHECKS.id }, must: 'id' },
  dominates: { may: { id: CHECKS.id }, must: 'id' },
  globals: { may: { all: CHECKS.flag } },
};

/** Of ways, a few say all. */
const DEFAULT_ROWS = 20;
const DEFAULT_PATHS = 5;

/**
 * @param {unknown} file
 * @param {unknown} query
 * @param {unknown} [options]
 * @returns {Promise<any>}
 */
async function query(file, query, options) {
  return queryFile(checkFile(file), query, options);
}

/**
 * The answer and, for a terminal, its text.
 *
 * @param {string | undefined} file undefined: standard input
 * @param {unknown} query
 * @param {unknown} options
 * @param {import('./work').Terminal} [terminal]
 * @returns {Promise<any>}
 */
async function queryFile(file, query, options, terminal) {
  const checked = checkQuery(query);
  /** @type {Partial<QueryOptions>} */
  const {
    rows = checked.what === 'paths' ? DEFAULT_PATHS : DEFAULT_ROWS,
    skip = 0,
    partial = false,
    ...watched
  } = checkOptions(options, OPTIONS);
  return work('query', { file, query: checked, rows, skip, partial, terminal }, watched);
}

/**
 * The question as the addon takes it.
 *
 * @param {any} query
 * @returns {any}
 */
function checkQuery(query) {
  if (typeof query !== 'object' || query === null) throw optionError(TypeError, 'the query must be an object');
  const { what, ...said } = query;
  if (typeof what !== 'string' || !Object.hasOwn(QUERIES, what))
    throw optionError(TypeError, `"what" must be one of ${Object.keys(QUERIES).join(', ')}`);
  const { may, must } = QUERIES[what];
  const { minSize, property, value, ...rest } = /** @type {any} */ (checkOptions(said, may));
  if (must !== undefined && rest[must] === undefined)
    throw optionError(TypeError, `a query for ${what} must have "${must}"`);
  if (value !== undefined && property === undefined)
    throw optionError(TypeError, 'a query with "value" must have "property"');
  return {
    what,
    ...rest,
    ...(minSize !== undefined && { minSize: bytesOf(minSize) }),
    ...(property !== undefined && { property: { name: property, value } }),
  };
}

/**
 * Whole bytes that the addon can read.
 *
 * @param {unknown} size
 */
function bytesOf(size) {
  return Math.min(Math.ceil(/** @type {number} */ (parseSize(size))), Number.MAX_SAFE_INTEGER);
}

module.exports = { QUERIES, query, queryFile };
