'use strict';

// What `npm run bench:detect` runs: whether leakguard finds leaks, and nothing else. See USAGE, and README.md for the columns.

const { spawnSync } = require('node:child_process');
const { NODES, nodeBinary } = require('../../scripts/nodes');
const { readArguments, USAGE } = require('./arguments');
const { listCases, prepareCorpus } = require('./corpus');
const { judge } = require('./judge');
const { renderRun, renderSummary } = require('./print');
const { addResult, currentCommit, readResults } = require('./results');
const { runCase } = require('./run-case');

/** @typedef {ReturnType<typeof readArguments>} Arguments */

async function main() {
  const options = argumentsOrExit();
  if (options.help) {
    console.log(USAGE);
    return;
  }
  if (!options.report) await runCorpus(options);
  report(options);
}

/** @param {Arguments} options */
async function runCorpus(options) {
  const { dir, only, results, resume } = options;
  const node = options.node === 'this' ? process.execPath : nodeBinary(NODES[options.node]);
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const corpus = prepareCorpus(dir);
  const cases = listCases(dir, node, only).filter(({ label }) => isAsked(label, options));
  if (cases.length === 0) {
    console.error(`No case of ${dir} is asked for: --only, --set and --slow choose.`);
    process.exit(2);
  }
  for (let round = 0; round < options.runs; round++) {
    for (const { file, label } of cases) {
      const commit = currentCommit();
      const seconds = Math.max(options.seconds, label.seconds ?? 0);
      const run = { commit, node: version, corpus, case: label.case, seconds };
      // A changed tree may have changed again since.
      if (resume && !commit.endsWith('+') && timesRun(readResults(results), run) > round) continue;
      const verdict = judge(label, await runCase(node, file, seconds));
      const truth = { leaky: label.leaky, set: label.set ?? null };
      const result = { ...run, date: new Date().toISOString(), ...truth, ...verdict };
      addResult(results, result);
      console.log(renderRun(result));
    }
  }
}

/**
 * @param {import('./corpus').Label} label
 * @param {Arguments} options
 */
function isAsked(label, { set, seconds, slow }) {
  const isHeldBack = label.set === 'held-back';
  if (set !== 'all' && isHeldBack !== (set === 'held-back')) return false;
  return (label.seconds ?? 0) > seconds ? slow : !slow;
}

/**
 * How often the results file has this run: a run that failed or starved says nothing, and is to be done again.
 *
 * @param {import('./results').Result[]} results
 * @param {Pick<import('./results').Result, 'commit' | 'node' | 'corpus' | 'case' | 'seconds'>} run
 */
function timesRun(results, run) {
  const names = /** @type {(keyof typeof run)[]} */ (Object.keys(run));
  return results.filter(
    (result) => result.error === undefined && !result.starved && names.every((name) => result[name] === run[name]),
  ).length;
}

/** @param {Arguments} options */
function report({ results: file, commit = currentCommit() }) {
  const all = readResults(file);
  const results = all.filter((result) => result.commit === commit);
  if (results.length === 0) {
    const commits = [...new Set(all.map((result) => result.commit))].join(', ');
    console.log(
      `No results of ${commit}. ${commits === '' ? 'There are none at all.' : `There are some of ${commits}.`}`,
    );
    return;
  }
  const corpora = [...new Set(results.map(({ corpus }) => corpus))];
  for (const corpus of corpora) {
    const ofCorpus = results.filter((result) => result.corpus === corpus);
    console.log(`\n${renderSummary(`Results of ${commit} on ${corpus}`, ofCorpus).text}`);
  }
  const { text, met } = renderSummary(`Results of ${commit} in all`, results);
  if (corpora.length > 1) console.log(`\n${text}`);
  if (!met) process.exitCode = 1;
}

function argumentsOrExit() {
  try {
    return readArguments();
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

main();
