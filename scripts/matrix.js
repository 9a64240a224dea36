'use strict';

// npm run test:matrix                                        the JavaScript tests on every Node and by every route
// npm run test:matrix -- --node 24 --route fallback FILE...  some of that; each option may be repeated

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { testFiles, testRunnerArguments } = require('./javascript-tests.js');
const { NODES, nodeBinary } = require('./nodes.js');

process.chdir(path.join(__dirname, '..'));

/** Too old for leakguard to run on, but not for its snapshots to be read: __test__/devtools.test.js has it write some. */
const WRITES_SNAPSHOTS = '18.20.8';

/** Tests that take a minute or two and hang on neither Node's version nor the route: `npm test` runs them once. */
const ONCE = ['flat.test.js', 'source-maps.test.js'];

/**
 * @type {Record<string, string>}
 */
const ROUTES = { native: '', fallback: 'v8=fallback' };

/**
 * @typedef {{ node: string, route: string, passed: boolean, counts: Record<string, number>, failures: string[], seconds: number }} Outcome
 */

function main() {
  const { values, positionals } = parseArgs({
    options: { node: { type: 'string', multiple: true }, route: { type: 'string', multiple: true } },
    allowPositionals: true,
  });
  const nodes = choose('node', values.node, NODES);
  const routes = choose('route', values.route, ROUTES);

  nodeBinary(WRITES_SNAPSHOTS);
  const outcomes = nodes.flatMap((node) => {
    const binary = nodeBinary(NODES[node]);
    return routes.map((route) => test(NODES[node], binary, route, positionals.length > 0 ? positionals : files()));
  });
  print(outcomes);
  printFailures(outcomes);
  process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
}

function files() {
  return testFiles().filter((file) => !ONCE.includes(path.basename(file)));
}

/**
 * @param {string} option
 * @param {string[] | undefined} chosen
 * @param {Record<string, string>} all
 */
function choose(option, chosen, all) {
  const unknown = chosen?.find((name) => !Object.hasOwn(all, name));
  if (unknown !== undefined) {
    process.stderr.write(`--${option} ${unknown}: there are ${Object.keys(all).join(', ')}\n`);
    process.exit(2);
  }
  return chosen ?? Object.keys(all);
}

/**
 * @param {string} node
 * @param {string} binary
 * @param {string} route
 * @param {string[]} files
 * @returns {Outcome}
 */
function test(node, binary, route, files) {
  process.stdout.write(`\n──── Node ${node}, ${route} ────\n`);
  const record = path.resolve('build', 'matrix', `${node}-${route}.tap`);
  fs.mkdirSync(path.dirname(record), { recursive: true });
  // A runner that dies before it writes must not leave the counts of the last run.
  fs.writeFileSync(record, '');
  const start = performance.now();
  const { status } = spawnSync(
    binary,
    testRunnerArguments(['--test-reporter=tap', `--test-reporter-destination=${record}`, ...files]),
    { stdio: 'inherit', env: { ...process.env, LEAKGUARD_OPTIONS: ROUTES[route] } },
  );
  const seconds = (performance.now() - start) / 1000;
  const tap = fs.readFileSync(record, 'utf8');
  return { node, route, passed: status === 0, counts: readCounts(tap), failures: readFailures(tap), seconds };
}

/**
 * The counts at the end of the runner's TAP output: `# pass 12`.
 *
 * @param {string} tap
 * @returns {Record<string, number>}
 */
function readCounts(tap) {
  const lines = tap.matchAll(/^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, count]) => [name, Number(count)]));
}

/**
 * What the runner wrote of each test that failed by itself, not through one within it: `not ok 1 - name` and the block under it.
 *
 * @param {string} tap
 */
function readFailures(tap) {
  const blocks = Array.from(tap.matchAll(/^( *)not ok .*\n\1 {2}---\n[\s\S]*?\n\1 {2}\.\.\.$/gm), ([block]) => block);
  return blocks.filter((block) => !block.includes("failureType: 'subtestsFailed'"));
}

/** @param {Outcome[]} outcomes */
function print(outcomes) {
  const columns = ['tests', 'pass', 'fail', 'cancelled', 'skipped'];
  const rows = [['node', 'route', ...columns, 'seconds', '']];
  for (const { node, route, passed, counts, seconds } of outcomes) {
    rows.push([
      node,
      route,
      ...columns.map((name) => String(counts[name] ?? '-')),
      seconds.toFixed(1),
      passed ? 'ok' : 'FAILED',
    ]);
  }
  process.stdout.write('\n');
  for (const row of rows) {
    const cells = row.map((cell, column) => (column < 2 ? cell.padEnd(10) : cell.padStart(10)));
    process.stdout.write(`${cells.join('').trimEnd()}\n`);
  }
}

/**
 * Once more and last, so that they need not be looked for among thousands of lines.
 *
 * @param {Outcome[]} outcomes
 */
function printFailures(outcomes) {
  for (const { node, route, failures } of outcomes) {
    for (const failure of failures) process.stdout.write(`\n──── Node ${node}, ${route} ────\n${failure}\n`);
  }
}

main();
