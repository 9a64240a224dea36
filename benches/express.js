'use strict';

const { fork } = require('node:child_process');
const { once } = require('node:events');
const Load = require('./load');
const { ratios, row } = require('./row');
const { LEAKGUARD, environment, subjectPath } = require('./subject');

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

/** @typedef {{ cpu: number, rss: number }} Usage in microseconds and bytes */

/** The shop in a process of its own, and its load, which comes from this one. */
class Shop {
  #child;
  #ended;
  /** @type {Load | undefined} */
  #load;

  /**
   * @param {string[]} execArgv
   * @param {string} [options] LEAKGUARD_OPTIONS
   */
  constructor(execArgv, options) {
    this.#child = fork(subjectPath('shop'), { execArgv, env: environment(options) });
    this.#ended = once(this.#child, 'exit');
  }

  async open() {
    const { port } = await this.#message();
    this.#load = new Load({ port, path: '/products/food', connections: CONNECTIONS });
    await this.serve(WARM_UP_REQUESTS);
  }

  /** @param {number} requests */
  async serve(requests) {
    await this.#load?.run(requests);
  }

  /** @returns {Promise<Usage>} */
  usage() {
    this.#child.send('usage');
    return this.#message();
  }

  async close() {
    this.#load?.close();
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }

  async #message() {
    const ended = this.#ended.then(([code, signal]) => {
      throw new Error(`subjects/shop.js ended with ${signal ?? `code ${code}`}`);
    });
    const [message] = await Promise.race([once(this.#child, 'message'), ended]);
    return message;
  }
}

/**
 * Two shops that live at the same time and are loaded in turn, a block of requests each. Short blocks, because the
 * machine's speed may change within a second. What a shop does while the other one is loaded counts too: a
 * watcher's timers cannot hide there.
 *
 * @param {Shop[]} shops
 * @param {number} blocks
 * @returns {Promise<Usage[]>} CPU per request, and RSS in the end, of each
 */
async function compare(shops, blocks) {
  try {
    for (const shop of shops) await shop.open();
    const before = await Promise.all(shops.map((shop) => shop.usage()));
    for (let block = 0; block < blocks; block++) {
      for (const shop of block % 2 ? shops.toReversed() : shops) await shop.serve(BLOCK_REQUESTS);
    }
    const after = await Promise.all(shops.map((shop) => shop.usage()));
    return after.map(({ cpu, rss }, i) => ({ cpu: (cpu - before[i].cpu) / (blocks * BLOCK_REQUESTS), rss }));
  } finally {
    await Promise.all(shops.map((shop) => shop.close()));
  }
}

/** @type {import('./run').Benchmark} */
module.exports = {
  name: 'express',
  title: 'Express under load: CPU per request',

  async run({ quick, progress }) {
    /**
     * @param {string} name
     * @param {number} pairs
     * @param {string} [options]
     */
    async function comparePairs(name, pairs, options) {
      const results = { plain: /** @type {Usage[]} */ ([]), armed: /** @type {Usage[]} */ ([]) };
      for (let pair = 0; pair < pairs; pair++) {
        progress(`${name}: pair ${pair + 1} of ${pairs}`);
        const shops = [new Shop([]), new Shop(['--require', LEAKGUARD], options)];
        const [plain, armed] = await compare(shops, quick ? QUICK_BLOCKS : BLOCKS);
        results.plain.push(plain);
        results.armed.push(armed);
      }
      return results;
    }

    const byDefault = await comparePairs('default', quick ? QUICK_PAIRS : PAIRS);
    const fallback = await comparePairs('fallback', quick ? QUICK_PAIRS : FALLBACK_PAIRS, 'v8=fallback');
    /** @param {Usage[]} usages */
    const cpu = (usages) => usages.map((usage) => usage.cpu);
    /** @param {Usage[]} usages */
    const rss = (usages) => usages.map((usage) => usage.rss / 1e6);

    return [
      row('unarmed', 'us', cpu(byDefault.plain)),
      row('armed / unarmed', 'ratio', ratios(cpu(byDefault.armed), cpu(byDefault.plain)), TARGET),
      row('armed, v8=fallback / unarmed', 'ratio', ratios(cpu(fallback.armed), cpu(fallback.plain))),
      row('RSS in the end: unarmed', 'MB', rss(byDefault.plain)),
      row('RSS in the end: armed', 'MB', rss(byDefault.armed)),
    ];
  },
};
