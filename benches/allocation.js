'use strict';

const alternate = require('./alternate');
const { medianAtMost, ratios, row } = require('./row');
const { LEAKGUARD, runSubject } = require('./subject');

const ROUNDS = 20;
const QUICK_ROUNDS = 5;

const LIMIT = 1.04;

/** @type {import('./run').Benchmark} */
module.exports = {
  name: 'allocation',
  title: 'A script that only allocates: CPU',

  async run({ quick, progress }) {
    const cpu = await alternate(
      quick ? QUICK_ROUNDS : ROUNDS,
      {
        plain: () => runSubject('allocate').cpu / 1e3,
        armed: () => runSubject('allocate', ['--require', LEAKGUARD]).cpu / 1e3,
      },
      progress,
    );

    return [
      row('unarmed', 'ms', cpu.plain),
      row('armed / unarmed', 'ratio', ratios(cpu.armed, cpu.plain), medianAtMost(LIMIT)),
    ];
  },
};
