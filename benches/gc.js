'use strict';

const alternate = require('./alternate');
const { differences, medianAtMost, row } = require('./row');
const { LEAKGUARD, runSubject, subjectPath } = require('./subject');

const ROUNDS = 20;
const QUICK_ROUNDS = 5;

const LIMIT_US = 3;

/** @type {import('./run').Benchmark} */
module.exports = {
  name: 'gc',
  title: 'A minor GC: CPU',

  async run({ quick, progress }) {
    /** @param {string[]} preload */
    const collect = (...preload) => runSubject('minor-gcs', ['--expose-gc', ...preload]).cpu;
    const cpu = await alternate(
      quick ? QUICK_ROUNDS : ROUNDS,
      {
        plain: () => collect(),
        callbacks: () => collect('--require', subjectPath('arm-gc-only')),
        armed: () => collect('--require', LEAKGUARD),
        observer: () => collect('--require', subjectPath('observe-gc')),
      },
      progress,
    );

    return [
      row('no one watches', 'us', cpu.plain),
      row('+ callbacks only', 'us', differences(cpu.callbacks, cpu.plain), medianAtMost(LIMIT_US)),
      row('+ armed', 'us', differences(cpu.armed, cpu.plain), medianAtMost(LIMIT_US)),
      row('+ PerformanceObserver', 'us', differences(cpu.observer, cpu.plain)),
    ];
  },
};
