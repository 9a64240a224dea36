'use strict';

const interleave = require('./interleave');
const Load = require('./load');
const { ratios, row } = require('./row');
const { LEAKGUARD, LiveSubject } = require('./subject');

const PAIRS = 20;
const FALLBACK_PAIRS = 10;
const QUICK_PAIRS = 3;

const WARM_UP_REQUESTS = 5_000;
const BLOCKS = 50;
const QUICK_BLOCKS = 10;
const BLOCK_REQUESTS = 500;
const CONNECTIONS = 16;

/** @type {import('./row').Target} */
const TARGET = {
  text: 'median ≤ 1.01, 95 % < 1.03',
  isMet: ({ median, high }) => median <= 1.01 && high < 1.03,
};

/** @typedef {import('./interleave').Usage} Usage */

/** The shop in a process of its own, and its load, which comes from this one. */
class Shop {
  #process;
  #address;
  /** @type {Load | undefined} */
  #load;

  /**
   * @param {string[]} execArgv
   * @param {string} [options] LEAKGUARD_OPTIONS
   */
  constructor(execArgv, options) {
    this.#process = new LiveSubject('shop', execArgv, options);
    this.#address = this.#process.answer();
  }

  async open() {
    const { port } = await this.#address;
    this.#load = new Load({ port, path: '/products/food', connections: CONNECTIONS });
    await this.#load.run(WARM_UP_REQUESTS);
  }

  async work() {
    await this.#load?.run(BLOCK_REQUESTS);
  }

  usage() {
    return this.#process.ask(0);
  }

  async close() {
    this.#load?.close();
    await this.#process.close();
  }
}

/** @type {import('./run').Benchmark} */
module.exports = {
  name: 'express',
  title: 'Express under load: CPU per request',

  async run({ quick, progress }) {
    const blocks = quick ? QUICK_BLOCKS : BLOCKS;
    const plain = () => new Shop([]);
    /** @param {string} [options] */
    const armed = (options) => new Shop(['--require', LEAKGUARD], options);
    const native = await interleave(quick ? QUICK_PAIRS : PAIRS, blocks, { plain, armed: () => armed() }, progress);
    const fallback = await interleave(
      quick ? QUICK_PAIRS : FALLBACK_PAIRS,
      blocks,
      { plain, armed: () => armed('v8=fallback') },
      (text) => progress(`v8=fallback: ${text}`),
    );

    /** @param {Usage[]} usages */
    const cpu = (usages) => usages.map((usage) => usage.cpu / (blocks * BLOCK_REQUESTS));
    /** @param {Usage[]} usages */
    const rss = (usages) => usages.map((usage) => usage.rss / 1e6);
    return [
      row('unarmed', 'us', cpu(native.plain)),
      row('armed / unarmed', 'ratio', ratios(cpu(native.armed), cpu(native.plain)), TARGET),
      row('armed, v8=fallback / unarmed', 'ratio', ratios(cpu(fallback.armed), cpu(fallback.plain))),
      row('RSS in the end: unarmed', 'MB', rss(native.plain)),
      row('RSS in the end: armed', 'MB', rss(native.armed)),
    ];
  },
};
