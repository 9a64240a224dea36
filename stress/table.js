'use strict';

const os = require('node:os');

/** @typedef {import('./record').Record} Record */

const MIB = 2 ** 20;

/** @type {Array<[string, (record: Record) => string]>} */
const ROWS = [
  ['forks through the GC', ({ forks, amounts }) => `${forks} of ${amounts.forks}`],
  ['whole files', ({ whole, amounts }) => `${whole} of ${amounts.snapshots + 1}`],
  ['errors', ({ errors }) => String([...errors.values()].reduce((sum, count) => sum + count, 0))],
  ['second children', ({ retries }) => String(retries)],
  ['longest capture', ({ longestMs }) => `${(longestMs / 1000).toFixed(1)} s`],
  ['pause: median', ({ pauses }) => milliseconds(pauses, 0.5)],
  ['pause: p99', ({ pauses }) => milliseconds(pauses, 0.99)],
  ['pause: max', ({ pauses }) => milliseconds(pauses, 1)],
  ['largest live heap', ({ after }) => mebibytes(after?.mostHeap)],
  ['descriptors', change(({ descriptors }) => String(descriptors))],
  ['files without a name', change(({ deletedFiles }) => String(deletedFiles))],
  ['threads', change(({ threads }) => String(threads))],
  ['children', change(({ children }) => String(children))],
  ['zombies', change(({ zombies }) => String(zombies))],
  ['RSS', change(({ rss }) => mebibytes(rss))],
  ['mappings with `dc`', change(({ kept }) => String(kept))],
  ['kept', change(({ keptBytes }) => mebibytes(keptBytes))],
  ['open', change(({ openBytes }) => mebibytes(openBytes))],
  ['left in the folder', ({ left }) => String(left.length)],
  ['end', ({ end }) => end],
  ['faults', (record) => String(record.faults().length)],
];

/** @param {(condition: NonNullable<Record['before']>) => string} show */
function change(show) {
  return (/** @type {Record} */ { before, after }) => `${before ? show(before) : '?'} → ${after ? show(after) : '?'}`;
}

/** @param {number[]} sorted @param {number} quantile */
function milliseconds(sorted, quantile) {
  if (sorted.length === 0) return '-';
  return `${sorted[Math.ceil(sorted.length * quantile) - 1].toFixed(1)} ms`;
}

/** @param {number | undefined} bytes */
function mebibytes(bytes) {
  return bytes === undefined ? '?' : `${(bytes / MIB).toFixed(1)} MiB`;
}

/** @param {Record[]} records */
function cells(records) {
  return [
    ['', ...records.map(({ version }) => `Node ${version}`)],
    ...ROWS.map(([name, show]) => [name, ...records.map(show)]),
  ];
}

/** @param {Record[]} records @returns {string} lines, aligned */
function renderTable(records) {
  const lines = cells(records);
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const table = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  return [...table, ...records.flatMap(errorLines)].join('\n');
}

/** @param {Record} record */
function errorLines({ version, errors }) {
  return [...errors].map(([text, count]) => `${count} on Node ${version}: ${text}`);
}

/** @param {Record[]} records */
function renderMarkdown(records) {
  const [head, ...rows] = cells(records).map((line) => `| ${line.join(' | ')} |`);
  const rule = `|${'---|'.repeat(records.length + 1)}`;
  const found = records.flatMap((record) => [
    ...errorLines(record),
    ...record.faults().map((fault) => `FAULT on Node ${record.version}: ${fault}`),
  ]);
  return [
    '# Results of `npm run stress`',
    '',
    `Written by the command on ${new Date().toISOString().slice(0, 10)}, on Linux ${os.release()}, ${os.cpus().length} cores of ${os.cpus()[0].model},`,
    'which others used as well: what is counted holds anywhere, times do not. `npm run stress -- --help` says what the rows mean.',
    '',
    head,
    rule,
    ...rows,
    ...(found.length > 0 ? ['', ...found.map((line) => `- ${line}`)] : []),
    '',
  ].join('\n');
}

module.exports = { renderMarkdown, renderTable };
