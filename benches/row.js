'use strict';

const { summarize } = require('./statistics');

/** @typedef {import('./statistics').Summary} Summary */

/**
 * One line of the table.
 *
 * @typedef {Summary & { what: string, unit: string, target?: string, met?: boolean }} Row
 */

/** @typedef {{ text: string, isMet: (summary: Summary) => boolean }} Target */

/**
 * @param {string} what
 * @param {string} unit
 * @param {number[]} samples
 * @param {Target} [target]
 * @returns {Row}
 */
function row(what, unit, samples, target) {
  const summary = summarize(samples);
  return { what, unit, ...summary, ...(target && { target: target.text, met: target.isMet(summary) }) };
}

/**
 * @param {number} limit
 * @returns {Target}
 */
function medianAtMost(limit) {
  return { text: `median ≤ ${limit}`, isMet: ({ median }) => median <= limit };
}

/**
 * @param {number[]} values
 * @param {number[]} baseline of the same rounds
 */
function differences(values, baseline) {
  return values.map((value, round) => value - baseline[round]);
}

/**
 * @param {number[]} values
 * @param {number[]} baseline of the same rounds
 */
function ratios(values, baseline) {
  return values.map((value, round) => value / baseline[round]);
}

module.exports = { differences, medianAtMost, ratios, row };
