'use strict';

const interleave = require('./interleave');
const { medianAtMost, ratios, row } = require('./row');
const { LEAKGUARD } = require('./subject');
const Worker = require('./worker');

const ROUNDS = 20;
const QUICK_ROUNDS = 3;

const BATCHES = { warmUp: 200, block: 150 };
const BLOCKS = 40;
const QUICK_BLOCKS = 10;

const LIMIT = 1.04;

/** @type {import('./run').Benchmark} */
module.exports = {
  name: 'allocation',
  title: 'A script that only allocates: CPU',

  async run({ quick, progress }) {
    const usage = await interleave(
      quick ? QUICK_ROUNDS : ROUNDS,
      quick ? QUICK_BLOCKS : BLOCKS,
      {
        plain: () => new Worker('allocate', [], BATCHES),
        armed: () => new Worker('allocate', ['--require', LEAKGUARD], BATCHES),
      },
      progress,
    );

    /** @param {import('./interleave').Usage[]} usages */
    const cpu = (usages) => usages.map((used) => used.cpu / 1e3);
    return [
      row('unarmed', 'ms', cpu(usage.plain)),
      row('armed / unarmed', 'ratio', ratios(cpu(usage.armed), cpu(usage.plain)), medianAtMost(LIMIT)),
    ];
  },
};
