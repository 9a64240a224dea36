'use strict';

const interleave = require('./interleave');
const { differences, medianAtMost, row } = require('./row');
const { LEAKGUARD, subjectPath } = require('./subject');
const Worker = require('./worker');

const ROUNDS = 20;
const QUICK_ROUNDS = 5;

const GCS = { warmUp: 500, block: 500 };
const BLOCKS = 16;

const LIMIT_US = 3;

/** @type {import('./run').Benchmark} */
module.exports = {
  name: 'gc',
  title: 'A minor GC: CPU',

  async run({ quick, progress }) {
    /** @param {string[]} preload */
    const worker = (...preload) => new Worker('minor-gcs', ['--expose-gc', ...preload], GCS);
    const usage = await interleave(
      quick ? QUICK_ROUNDS : ROUNDS,
      BLOCKS,
      {
        plain: () => worker(),
        callbacks: () => worker('--require', subjectPath('arm-gc-only')),
        armed: () => worker('--require', LEAKGUARD),
        observer: () => worker('--require', subjectPath('observe-gc')),
      },
      progress,
    );

    /** @param {import('./interleave').Usage[]} usages */
    const cpu = (usages) => usages.map((used) => used.cpu / (BLOCKS * GCS.block));
    const plain = cpu(usage.plain);
    return [
      row('no one watches', 'us', plain),
      row('+ callbacks only', 'us', differences(cpu(usage.callbacks), plain), medianAtMost(LIMIT_US)),
      row('+ armed', 'us', differences(cpu(usage.armed), plain), medianAtMost(LIMIT_US)),
      row('+ PerformanceObserver', 'us', differences(cpu(usage.observer), plain)),
    ];
  },
};
