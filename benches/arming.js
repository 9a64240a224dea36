'use strict';

const alternate = require('./alternate');
const { differences, medianAtMost, row } = require('./row');
const { LEAKGUARD, runSubject, subjectPath } = require('./subject');

const ROUNDS = 30;
const RESIDENT_ROUNDS = 10;
const QUICK_ROUNDS = 5;

const LIMIT_MS = 15;
const LIMIT_MB = 10;

/** @type {import('./run').Benchmark} */
module.exports = {
  name: 'arming',
  title: "require('leakguard'), and being armed",

  async run({ quick, progress }) {
    const usage = ['--require', subjectPath('report-usage')];
    const lives = await alternate(
      quick ? QUICK_ROUNDS : ROUNDS,
      {
        empty: () => runSubject('empty', usage),
        armed: () => runSubject('require', usage),
      },
      progress,
    );
    const idle = await alternate(
      quick ? QUICK_ROUNDS : RESIDENT_ROUNDS,
      {
        plain: () => runSubject('idle'),
        armed: () => runSubject('idle', ['--require', LEAKGUARD]),
      },
      progress,
    );

    /** @param {ReturnType<typeof runSubject>[]} results */
    const cpu = (results) => results.map(({ answer }) => answer.cpu / 1e3);
    /** @param {ReturnType<typeof runSubject>[]} results */
    const wall = (results) => results.map((result) => result.wall);
    /** @param {'rss' | 'privateDirty'} key */
    const growth = (key) => {
      const [armed, plain] = [idle.armed, idle.plain].map((results) => results.map(({ answer }) => answer[key] / 1e6));
      return differences(armed, plain);
    };

    return [
      row('empty script: CPU', 'ms', cpu(lives.empty)),
      row('+ require: CPU', 'ms', differences(cpu(lives.armed), cpu(lives.empty)), medianAtMost(LIMIT_MS)),
      row('empty script: wall', 'ms', wall(lives.empty)),
      row('+ require: wall', 'ms', differences(wall(lives.armed), wall(lives.empty)), medianAtMost(LIMIT_MS)),
      row('+ armed: RSS', 'MB', growth('rss'), medianAtMost(LIMIT_MB)),
      row('+ armed: Private_Dirty', 'MB', growth('privateDirty')),
    ];
  },
};
