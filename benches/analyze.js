'use strict';

const fs = require('node:fs');
const path = require('node:path');
const alternate = require('./alternate');
const { generate } = require('./generate-snapshot');
const { engine, leakguard, othersFor, preparePeers } = require('./peers');
const { medianAtMost, ratios, row } = require('./row');

/** Kept for the next time. */
const FOLDER = path.join(__dirname, '..', 'build', 'benches');

const ROUNDS = 5;
const LARGE_ROUNDS = 2;

/** In MB; the largest has 20 million nodes and 60 million edges. */
const SIZES = [10, 100];
const LARGE_SIZES = [400, 1380];

/** CPU s per million nodes of the whole command, with Node's start, on 100 MB. */
const COMMAND_LIMIT = 0.45;
/** Of the engine on 20 million nodes. */
const LARGE_LIMITS = { seconds: 5, mebibytes: 1.6 * 1024 };
/** So many times as much CPU as leakguard's engine the others take at least, on 100 MB and more. */
const LEAST_RATIOS = /** @type {Record<string, number>} */ ({ 'v8-heap-parser': 4, DevTools: 13 });

/** @type {import('./run').Benchmark} */
module.exports = {
  name: 'analyze',
  title: 'Analysing heap snapshots: CPU and memory',

  async run({ quick, large, progress }) {
    preparePeers();
    const sizes = quick ? SIZES.slice(0, 1) : large ? [...SIZES, ...LARGE_SIZES] : SIZES;
    const rows = [];
    for (const size of sizes) {
      const rounds = quick ? 1 : LARGE_SIZES.includes(size) ? LARGE_ROUNDS : ROUNDS;
      rows.push(...(await measure(size, rounds, (text) => progress(`${size} MB: ${text}`))));
    }
    return rows;
  },
};

/**
 * @param {number} size
 * @param {number} rounds
 * @param {(text: string) => void} progress
 */
async function measure(size, rounds, progress) {
  const { file, nodes } = snapshot(size, progress);
  const others = othersFor(file);
  /** @type {Record<string, () => import('./peers').Usage>} */
  const subjects = { command: () => leakguard(file), engine: () => engine(file) };
  for (const [name, analyze] of Object.entries(others)) subjects[name] = () => analyze(file);
  const used = await alternate(rounds, subjects, progress);

  /** @param {string} name */
  const seconds = (name) => used[name].map(({ cpu }) => cpu / 1e6);
  /** @param {string} name */
  const perMillion = (name) => seconds(name).map((cpu) => cpu / (nodes / 1e6));
  /** @param {string} name */
  const mebibytes = (name) => used[name].map(({ rss }) => rss / 2 ** 20);

  const isLargest = size === LARGE_SIZES.at(-1);
  const what = (/** @type {string} */ text) => `${size} MB: ${text}`;
  const rows = [
    row(what('leakguard analyze'), 's', seconds('command')),
    row(
      what('leakguard analyze, a million nodes'),
      's',
      perMillion('command'),
      size === 100 ? medianAtMost(COMMAND_LIMIT) : undefined,
    ),
    row(what('engine'), 's', seconds('engine'), isLargest ? medianAtMost(LARGE_LIMITS.seconds) : undefined),
    row(what('engine, a million nodes'), 's', perMillion('engine')),
    row(what('engine, RSS'), 'MiB', mebibytes('engine'), isLargest ? medianAtMost(LARGE_LIMITS.mebibytes) : undefined),
  ];
  for (const name of Object.keys(others)) {
    const least = size >= 100 ? LEAST_RATIOS[name] : undefined;
    rows.push(
      row(what(name), 's', seconds(name)),
      row(what(`${name}, RSS`), 'MiB', mebibytes(name)),
      row(
        what(`${name} / engine`),
        'ratio',
        ratios(seconds(name), seconds('engine')),
        least === undefined ? undefined : medianAtLeast(least),
      ),
    );
  }
  return rows;
}

/**
 * @param {number} limit
 * @returns {import('./row').Target}
 */
function medianAtLeast(limit) {
  return { text: `median ≥ ${limit}`, isMet: ({ median }) => median >= limit };
}

/**
 * The file of a size, written if it is not there yet.
 *
 * @param {number} size
 * @param {(text: string) => void} progress
 */
function snapshot(size, progress) {
  const file = path.join(FOLDER, `${size}.heapsnapshot`);
  if (!fs.existsSync(file)) {
    progress('writing the file');
    fs.mkdirSync(FOLDER, { recursive: true });
    generate(size, `${file}.part`);
    fs.renameSync(`${file}.part`, file);
  }
  return { file, nodes: nodeCount(file) };
}

/** @param {string} file */
function nodeCount(file) {
  const header = Buffer.alloc(8192);
  const input = fs.openSync(file, 'r');
  fs.readSync(input, header);
  fs.closeSync(input);
  return Number(/"node_count":(\d+)/.exec(header.toString('latin1'))?.[1]);
}
