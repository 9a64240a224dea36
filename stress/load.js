'use strict';

// A process as busy as a server: JavaScript that is compiled, optimized and thrown away, a heap that is marked incrementally, two Workers
// that allocate, and zlib, crypto and fs on libuv's threads.

const crypto = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { promisify } = require('node:util');
const { Worker, isMainThread } = require('node:worker_threads');
const zlib = require('node:zlib');

const WORKERS = 2;
/** How long a thread works and rests, in ms. With less rest, forked children, which yield to everybody, take many times as long. */
const [WORK_MS, REST_MS] = [4, 12];
/** Objects that are kept for a while, so that they grow old: the heap stays below 20 MB. */
const KEPT = isMainThread ? 12_000 : 4_000;

/** @type {object[]} */
const kept = [];
let made = 0;

/** Works on this thread until `isOver` says so. @param {() => boolean} isOver */
async function churn(isOver) {
  while (!isOver()) {
    const end = performance.now() + WORK_MS;
    while (performance.now() < end) {
      const work = compile();
      for (let i = 0; i < 500; i++) work(i);
    }
    await delay(REST_MS);
  }
}

/** A function that V8 has not seen before, and soon optimizes. */
function compile() {
  const round = made++;
  const source = `
    const entry = { round: ${round}, i, name: 'entry ' + i, list: [i, ${round}], next: undefined };
    const at = (i * 7919 + ${round}) % ${KEPT};
    entry.next = { of: kept[at] && kept[at].name };
    kept[at] = entry;
    return entry.list.map((value) => value * ${round % 17}).reduce((a, b) => a + b, 0);`;
  const work = new Function('kept', 'i', source);
  return (/** @type {number} */ i) => work(kept, i);
}

/** Keeps libuv's threads busy until `isOver` says so. @param {string} dir @param {() => boolean} isOver */
function backgroundWork(dir, isOver) {
  const data = crypto.randomBytes(256 * 1024);
  const file = path.join(dir, 'data');
  const jobs = [
    () => promisify(zlib.gzip)(data),
    () => promisify(crypto.pbkdf2)('password', 'salt', 2_000, 64, 'sha512'),
    async () => {
      await fs.promises.writeFile(file, data);
      await fs.promises.readFile(file);
    },
  ];
  return jobs.map(async (job) => {
    while (!isOver()) {
      await job();
      await delay(REST_MS);
    }
  });
}

class Load {
  #dir;
  #over = true;
  /** @type {Promise<void>[]} */
  #running = [];
  /** @type {Worker[]} */
  #workers = [];

  /** @param {string} dir where it writes */
  constructor(dir) {
    this.#dir = dir;
  }

  async open() {
    this.#workers = Array.from({ length: WORKERS }, () => new Worker(__filename));
    await Promise.all(this.#workers.map((worker) => once(worker, 'message')));
  }

  start() {
    this.#over = false;
    const isOver = () => this.#over;
    this.#running = [churn(isOver), ...backgroundWork(this.#dir, isOver)];
  }

  /** Ends the work of this thread and of libuv's; the Workers go on. */
  async rest() {
    this.#over = true;
    await Promise.all(this.#running);
  }

  async close() {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

module.exports = { Load };

if (!isMainThread) {
  require('node:worker_threads').parentPort?.postMessage('ready');
  churn(() => false);
}
