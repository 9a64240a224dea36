'use strict';

// An HTTP server with a large heap, that takes snapshots of it. Its parent tells it what to do; it answers each time.
// node --expose-gc heap.js MEGABYTES FOLDER [HEAPDUMP_FOLDER]

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises');
const v8 = require('node:v8');

const [megabytes, folder, heapdump] = process.argv.slice(2);

/** Those of the heaps that were measured for the targets: small objects up to 250 MB, longer strings at 1 GB. */
const MOST_NODES = 6e6;
const NODES_PER_MEGABYTE = 21e3;
/** An entry is an object, a string, an array and its elements; so many bytes without what the string says. */
const ENTRY = { nodes: 4, bytes: 110 };

/** So many connections wait while the thread stands still. */
const BACKLOG = 4_096;

const KEPT = 20_000;
const BATCH = 10_000;

/** @type {unknown[]} */
const heap = [];

/** @param {number} size in MB */
function fill(size) {
  const entries = Math.round(Math.min(size * NODES_PER_MEGABYTE, MOST_NODES) / ENTRY.nodes);
  const padding = Math.round((size * 1e6) / entries - ENTRY.bytes);
  for (let id = 0; id < entries; id++) {
    const text = Buffer.alloc(padding, `${id} `).toString('latin1');
    heap.push({ id, text, tags: [id, heap[id >> 1]] });
  }
}

/** @type {Record<string, (onProgress?: (progress: { phase: string }) => void) => unknown>} */
const TAKE = {
  nothing: () => {},
  fork: (onProgress) => leakguardSnapshot('fork', onProgress),
  'in-process': () => leakguardSnapshot('in-process'),
  v8: () => v8.writeHeapSnapshot(path.join(folder, 'v8.heapsnapshot')),
  heapdump: () => require(heapdump).writeSnapshot(path.join(folder, 'heapdump.heapsnapshot')),
};

/**
 * @param {'fork' | 'in-process'} mode
 * @param {(progress: { phase: string }) => void} [onProgress]
 */
function leakguardSnapshot(mode, onProgress) {
  return require('leakguard').writeHeapSnapshot(path.join(folder, 'leakguard.heapsnapshot'), { mode, onProgress });
}

/** CPU time of this thread in ms (proc(5), schedstat). Asleep for a moment, it is accounted for up to now. */
function threadCpu() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  return Number(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/**
 * Takes a snapshot while nothing else happens. The CPU time is that of this thread until a child is at work: what an armed process does from
 * time to time while it waits for one is not counted.
 *
 * @param {string} how
 */
async function take(how) {
  const cpu = threadCpu();
  const start = performance.now();
  /** @type {number | undefined} */
  let used;
  const onProgress = (/** @type {{ phase: string }} */ { phase }) => {
    if (phase !== 'waiting') used ??= threadCpu() - cpu;
  };
  const result = /** @type {any} */ (await TAKE[how](how === 'fork' ? onProgress : undefined));
  const wall = performance.now() - start;
  used ??= threadCpu() - cpu;
  removeFiles();
  return { cpu: used, pause: result?.pauseMs ?? wall, wall };
}

/**
 * The longest time between two turns of a timer of 1 ms, from before a snapshot until after it, or just for so long.
 *
 * @param {[string, number]} what
 */
async function gap([how, ms]) {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  await sleep(100);
  longest = 0;
  await TAKE[how]();
  await sleep(ms);
  clearInterval(timer);
  removeFiles();
  return longest;
}

function removeFiles() {
  for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name));
}

/**
 * Allocates for a short while, and tells the CPU time of all threads in ms: half of what V8 does is collecting, elsewhere.
 *
 * @param {number} batches
 */
async function allocate(batches) {
  const kept = new Array(KEPT).fill(null);
  const before = process.cpuUsage();
  for (let batch = 0; batch < batches; batch++) {
    for (let n = 0; n < BATCH; n++) kept[(batch * BATCH + n) % KEPT] = { id: n, name: `item ${n}`, tags: [n, { n }] };
    await turn();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e3;
}

/** @type {Record<string, (argument: any) => unknown>} */
const ACTIONS = { take, gap, allocate, rss: () => process.memoryUsage.rss() };

fill(Number(megabytes));
/** @type {NodeJS.GCFunction} */ (globalThis.gc)();
const server = http.createServer((_request, response) => response.end(`${heap.length}`));
// Its connections idle while it stands still.
server.keepAliveTimeout = 0;
server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.send?.({ port });
});
process.on('message', async (/** @type {[string, any]} */ [action, argument]) => {
  process.send?.(await ACTIONS[action](argument));
});
process.once('disconnect', () => process.exit());
