'use strict';

const path = require('node:path');
const { parseArgs } = require('node:util');
const { NODES } = require('../../scripts/nodes');

const CORPUS = path.join(__dirname, '..', 'corpus');
const RESULTS = path.join(__dirname, 'results.jsonl');
const SETS = ['tuning', 'held-back', 'all'];
const SECONDS = 60;

const USAGE = `Usage: npm run bench:detect -- [options]

Runs servers, leaky and healthy, under load with leakguard armed, one after the other; tells which leaks it found, where it saw some that
are none, and whether it named who allocates and who retains. Every run is added to the results file as it ends, so that the whole can be
done in pieces. In the end it prints what the file has of this commit, against the targets.

  --dir DIR       the corpus (the project's own): files leak-*.js and ok-*.js, or .mjs, each with --label, --seconds and --out
  --only REGEXP   these cases only
  --set SET       'tuning' leaves out what is held back, 'held-back' runs nothing else (all)
  --seconds N     how long a case runs (${SECONDS}); one whose label asks for more is slow
  --slow          the slow cases, which are left out otherwise, each as long as its label says
  --runs N        goes through the cases so many times (1)
  --resume        only what the results file does not have of this commit yet, as often as --runs says
  --node VERSION  one of ${Object.keys(NODES).join(', ')}, or 'this', the one that runs (this)
  --results FILE  another results file (benches/detect/results.jsonl)
  --report        runs nothing, only prints
  --commit HASH   with --report: of another commit, as the results file writes it
  --help

Examples:
  npm run bench:detect -- --only 'ws|fastify'            some of it, a minute a case
  npm run bench:detect -- --set tuning --resume          while the detector is worked on: the next piece
  npm run bench:detect -- --slow --only slow             ten minutes
  npm run bench:detect -- --dir ../other/corpus          another corpus, which is installed if need be

Exit code: 0 all targets are met; 1 one is missed, a run failed, or more than two starved; 2 wrong usage.`;

function readArguments() {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string', default: CORPUS },
      only: { type: 'string', default: '' },
      set: { type: 'string', default: 'all' },
      seconds: { type: 'string', default: String(SECONDS) },
      slow: { type: 'boolean', default: false },
      runs: { type: 'string', default: '1' },
      resume: { type: 'boolean', default: false },
      node: { type: 'string', default: 'this' },
      results: { type: 'string', default: RESULTS },
      report: { type: 'boolean', default: false },
      commit: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { node, set, slow, resume, report, commit, help } = values;
  if (node !== 'this' && !Object.hasOwn(NODES, node)) throw new Error(`there is no Node ${node} to choose`);
  if (!SETS.includes(set)) throw new Error(`--set takes ${SETS.join(', ')}`);
  if (commit !== undefined && !report) throw new Error('--commit goes with --report');
  return {
    ...{ node, set, slow, resume, report, commit, help },
    dir: path.resolve(values.dir),
    results: path.resolve(values.results),
    only: new RegExp(values.only),
    seconds: positive('seconds', values.seconds),
    runs: positive('runs', values.runs),
  };
}

/**
 * @param {string} option
 * @param {string} text
 */
function positive(option, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${option} takes a whole number of at least 1`);
  return number;
}

module.exports = { readArguments, USAGE };
