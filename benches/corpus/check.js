'use strict';

// Whether the cases are what their labels say, told without a detector: each runs for a while, with a full collection now and then.
//
//   node check.js [--only REGEXP] [--seconds 40]
//
// A leaky server has more at its highest in the last third of the run than in the second one, a healthy one has not, unless its label says
// where its bound stands. A third has a wave of the load in it, and the warm-up ends before the last. The whole process counts where the
// label's `measure` is 'rss': its numbers are rough.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');

/** As the judges of detectors have it: below this share of its load, what a server does is not what its label says. */
const STARVED_BELOW = 0.6;
/** What a full collection shows in this share of the time that a detector is given. */
const SLOW_SHARE = 0.3;
/** Bytes a second; a leak of `seconds: 600` is slower than what the others' noise allows. */
const GROWS = 30_000;
const GROWS_SLOWLY = 2000;

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, seconds: { type: 'string', default: '40' } },
});
const out = path.join(os.tmpdir(), `corpus-check.${process.pid}.jsonl`);
let wrong = 0;
for (const file of fs.readdirSync(__dirname).filter((name) => /^(leak|ok)-.*\.m?js$/.test(name))) {
  if (new RegExp(values.only).test(file)) check(file);
}
process.exitCode = wrong > 0 ? 1 : 0;

/** @param {string} file */
function check(file) {
  const label = JSON.parse(node([file, '--label']).stdout);
  const seconds = Math.max(Number(values.seconds), (label.seconds ?? 0) * SLOW_SHARE);
  const { stderr } = node(['--expose-gc', file, '--memory', '--seconds', String(seconds), '--out', out]);
  if (!fs.existsSync(out)) {
    wrong++;
    console.log(`${label.case.padEnd(26)} FAILED ${stderr.slice(-300)}`);
    return;
  }
  const events = fs
    .readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  fs.rmSync(out);
  const end = events.at(-1);
  const readings = events.filter(({ event }) => event === 'memory');
  const bytes = readings.map(({ heapUsed, external, rss }) => (label.measure === 'rss' ? rss : heapUsed + external));
  const third = Math.floor(bytes.length / 3);
  const growth = (Math.max(...bytes.slice(-third)) - Math.max(...bytes.slice(third, -third))) / (seconds / 3);
  const grows = growth > (label.seconds === undefined ? GROWS : GROWS_SLOWLY);
  const isRight = grows === label.leaky || (!label.leaky && label.bound !== undefined);
  const word = end.requests < STARVED_BELOW * end.meant ? 'starved' : isRight ? 'right' : 'WRONG';
  if (word !== 'right') wrong++;
  const megabytes = bytes.filter((_, at) => at % 2 === 1).map((value) => (value / 1e6).toFixed(1));
  console.log(
    `${label.case.padEnd(26)} ${word.padEnd(7)} ${(growth / 1000).toFixed(0).padStart(5)} KB/s  ` +
      `${end.requests} of ${end.meant}, ${end.cpuSeconds.toFixed(1)} s CPU  MB: ${megabytes.join(' ')}`,
  );
}

/** @param {string[]} args */
function node(args) {
  return spawnSync(process.execPath, args, { cwd: __dirname, encoding: 'utf8', timeout: 900_000 });
}
