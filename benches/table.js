'use strict';

const DIGITS = /** @type {Record<string, number>} */ ({ ratio: 3, s: 2 });
const DEFAULT_DIGITS = 1;

const HEADINGS = ['', 'median', 'min … max', '95 % of the median', 'n', 'target', ''];

/**
 * @param {string} title
 * @param {import('./row').Row[]} rows
 * @returns {string} lines, aligned
 */
function renderTable(title, rows) {
  const cells = [HEADINGS, ...rows.map(renderRow)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  const lines = cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  return [title, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** @param {import('./row').Row} row */
function renderRow({ what, unit, median, min, max, low, high, samples, target, met }) {
  /** @param {number} value */
  const format = (value) => value.toFixed(DIGITS[unit] ?? DEFAULT_DIGITS);
  return [
    what,
    unit === 'ratio' ? format(median) : `${format(median)} ${unit}`,
    `${format(min)} … ${format(max)}`,
    `${format(low)} … ${format(high)}`,
    String(samples.length),
    target ?? '',
    target === undefined ? '' : met ? 'met' : 'MISSED',
  ];
}

module.exports = { renderTable };
