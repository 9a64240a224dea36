'use strict';

const { inAWord } = require('./judge');
const { summarizeRuns } = require('./summary');

const CASE_WIDTH = 28;
const WORD_WIDTH = 12;

/** @typedef {ReturnType<typeof summarizeRuns>[number]} Row */

/**
 * A run in a line.
 *
 * @param {import('./results').Result} result
 */
function renderRun(result) {
  const { case: name, leaky, alarm, alarmSeconds, alarmKind, growth, takenBack, error, sites, retainer } = result;
  const parts = [name.padEnd(CASE_WIDTH), inAWord(leaky, result).padEnd(WORD_WIDTH)];
  if (error !== undefined) parts.push(error.replaceAll('\n', ' '));
  if (alarm) {
    parts.push(`${alarmSeconds?.toFixed(0)} s, ${alarmKind}, ${((growth ?? 0) / 1e6).toFixed(1)} MB`);
    parts.push(
      `sites: ${sites?.join(', ') || 'none'}${functionMark(result)}; retainer ${retainer ? 'named' : 'not named'}`,
    );
  }
  if (takenBack) parts.push(`(${takenBack} taken back)`);
  return parts.join(' ').trimEnd();
}

/** @param {import('./results').Result} result */
function functionMark({ leaky, functionFirst, functionInThree }) {
  if (!leaky) return '';
  if (functionFirst) return ' (right)';
  return functionInThree ? ' (right, not first)' : ' (wrong)';
}

/**
 * A table of what the runs of a commit say together, those held back also apart, against the targets.
 *
 * @param {string} title
 * @param {import('./results').Result[]} results
 * @returns {{ text: string, met: boolean }}
 */
function renderSummary(title, results) {
  const all = summarizeRuns(results);
  const tuning = summarizeRuns(results.filter(({ set }) => set !== 'held-back'));
  const heldBack = summarizeRuns(results.filter(({ set }) => set === 'held-back'));
  const lines = [
    ['', 'all', 'tuning', 'held back', 'target', ''],
    ...all.map((row, at) => [
      row.name,
      ...[row, tuning[at], heldBack[at]].map(renderValue),
      renderTarget(row),
      row.met === undefined ? '' : row.met ? 'met' : 'MISSED',
    ]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const table = lines.map((line) =>
    `  ${line.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd(),
  );
  return { text: [title, ...table].join('\n'), met: all.every(({ met }) => met !== false) };
}

/** @param {Row} row */
function renderValue({ unit, value }) {
  if (value === null) return '-';
  switch (unit) {
    case 'count':
      return String(value);
    case 'share':
      return `${(value * 100).toFixed(1)} %`;
    default:
      return `${value.toFixed(1)} ${unit}`;
  }
}

/** @param {Row} row */
function renderTarget({ unit, target }) {
  if (target === undefined) return '';
  const [words, value] = 'atMost' in target ? ['at most', target.atMost] : ['at least', target.atLeast];
  return `${words} ${unit === 'share' ? `${value * 100} %` : unit === 'count' ? value : `${value} ${unit}`}`;
}

module.exports = { renderRun, renderSummary };
