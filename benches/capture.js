'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const alternate = require('./alternate');
const latencies = require('./pace');
const { installPeer } = require('./peers');
const { medianAtMost, row } = require('./row');
const { LEAKGUARD, LiveSubject } = require('./subject');

const ROUNDS = 5;

/** In MB; how long the main thread may be blocked, in ms. */
const SIZES = [
  { size: 64, limit: 8 },
  { size: 250, limit: 20 },
];
const LARGE = { size: 1000, limit: 80 };
/** So many times the blocked time may be the longest gap between two turns of the event loop. */
const GAP = 2;
const ALLOCATION_LIMIT = 1.05;
const RSS_LIMIT = 1.1;

const BATCHES = 300;
/** After a snapshot, until what the process has to tidy up is done. */
const SETTLE_MS = 2_000;

/** After a snapshot, until its end has been seen. */
const SHORT_MS = 100;

const NODE = ['--expose-gc', '--max-old-space-size=8192'];

/** @typedef {{ cpu: number, pause: number, gap: number, usualGap: number, p99?: number, allocation: number, rss: number }} Measured */

/** @type {import('./run').Benchmark} */
module.exports = {
  name: 'capture',
  title: 'Heap snapshots: what they cost the process',

  async run({ quick, large, progress }) {
    const sizes = quick ? SIZES.slice(0, 1) : large ? [...SIZES, LARGE] : SIZES;
    const heapdump = installPeer('heapdump', true);
    const rows = [];
    for (const { size, limit } of sizes) {
      const ways = ['fork', 'in-process', 'v8', ...(heapdump ? ['heapdump'] : [])];
      const measured = await alternate(
        quick ? 1 : ROUNDS,
        Object.fromEntries(ways.map((how) => [how, () => measure(how, size, heapdump)])),
        (text) => progress(`${size} MB: ${text}`),
      );
      rows.push(...rowsOf(size, limit, measured));
    }
    return rows;
  },
};

/**
 * @param {string} how
 * @param {number} size in MB
 * @param {string | undefined} heapdump its folder
 * @returns {Promise<Measured>}
 */
async function measure(how, size, heapdump) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leakguard-bench-'));
  const isOurs = how === 'fork' || how === 'in-process';
  const preload = isOurs ? ['--require', LEAKGUARD] : [];
  const args = [String(size), folder, ...(heapdump ? [heapdump] : [])];
  const subject = new LiveSubject('heap', [...NODE, ...preload], 'snapshot.minInterval=0', args);
  try {
    const { port } = await subject.answer();
    await subject.ask(['allocate', BATCHES]);
    const allocationBefore = await subject.ask(['allocate', BATCHES]);
    const rssBefore = await subject.ask(['rss', undefined]);
    const { cpu, pause, wall } = await subject.ask(['take', how]);
    await sleep(SETTLE_MS);
    const rssAfter = await subject.ask(['rss', undefined]);
    await subject.ask(['allocate', BATCHES]);
    const allocationAfter = await subject.ask(['allocate', BATCHES]);
    // What V8 and heapdump do, they do in one piece.
    const gap = isOurs ? await subject.ask(['gap', [how, SHORT_MS]]) : wall;
    const usualGap = how === 'fork' ? await subject.ask(['gap', ['nothing', wall]]) : 0;
    const took = isOurs ? await latencies(port, subject.ask(['take', how])) : undefined;
    const p99 = took?.sort((a, b) => a - b)[Math.floor(took.length * 0.99)];
    return {
      cpu,
      pause,
      gap,
      usualGap,
      p99,
      allocation: allocationAfter / allocationBefore,
      rss: rssAfter / rssBefore,
    };
  } finally {
    await subject.close();
    fs.rmSync(folder, { recursive: true });
  }
}

/**
 * @param {number} size
 * @param {number} limit
 * @param {Record<string, Measured[]>} measured by what has taken the snapshots
 */
function rowsOf(size, limit, measured) {
  return Object.entries(measured).flatMap(([how, results]) => {
    const isOurs = how === 'fork' || how === 'in-process';
    const isForked = how === 'fork';
    const what = (/** @type {string} */ text) => `${size} MB, ${how}: ${text}`;
    /** @param {keyof Measured} key */
    const values = (key) => results.map((result) => Number(result[key]));
    /** @param {boolean} isBound @param {number} most */
    const target = (isBound, most) => (isBound ? medianAtMost(most) : undefined);
    return [
      row(what("main thread's CPU"), 'ms', values('cpu'), target(isForked, limit)),
      row(what('blocked'), 'ms', values('pause'), target(isForked, limit)),
      row(what('longest gap, idle'), 'ms', values('gap'), target(isForked, GAP * limit)),
      ...(isForked ? [row(what('longest gap, as long without'), 'ms', values('usualGap'))] : []),
      ...(isOurs ? [row(what('p99 of requests meanwhile'), 'ms', values('p99'))] : []),
      row(what('allocation, after / before'), 'ratio', values('allocation'), target(isOurs, ALLOCATION_LIMIT)),
      row(what('RSS, after / before'), 'ratio', values('rss'), target(isOurs, RSS_LIMIT)),
    ];
  });
}
