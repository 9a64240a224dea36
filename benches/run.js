'use strict';

// What `npm run bench` runs. See README.md for how to read what it prints.

const fs = require('node:fs');
const os = require('node:os');
const { parseArgs } = require('node:util');
const { runSubject } = require('./subject');
const { renderTable } = require('./table');

/**
 * @typedef {object} Benchmark
 * @property {string} name
 * @property {string} title
 * @property {(how: { quick: boolean, large: boolean, progress: (text: string) => void }) => Promise<import('./row').Row[]>} run
 */

/** @type {Benchmark[]} */
const BENCHMARKS = [
  require('./arming'),
  require('./gc'),
  require('./express'),
  require('./allocation'),
  require('./analyze'),
  require('./capture'),
];

const USAGE = `Usage: npm run bench -- [--only NAME]... [--quick] [--large] [--json FILE]

  --only NAME   this benchmark only: ${BENCHMARKS.map(({ name }) => name).join(', ')}
  --quick       a few rounds of each: to see that it works, not to judge by
  --large       analyze: also files of 400 MB and of 20 million nodes, which takes half an hour;
                capture: also a heap of 1 GB, which takes another
  --json FILE   also write the results, with every sample, to FILE
  --help

Exit code: 0 all targets are met, or --quick; 1 a target is missed; 2 wrong usage.`;

async function main() {
  const { only, quick, large, json, help } = readArguments();
  if (help) {
    console.log(USAGE);
    return;
  }

  const machine = {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: os.cpus()[0].model,
    cores: os.cpus().length,
    routes: runSubject('routes').answer,
  };
  console.log(`Node ${machine.node}, ${machine.platform}, ${machine.cores} x ${machine.cpu}`);
  console.log(`leakguard's route into V8: ${describeRoutes(machine.routes)}`);
  const results = [];
  for (const { name, title, run } of BENCHMARKS.filter((benchmark) => !only || only.includes(benchmark.name))) {
    const rows = await run({ quick, large, progress: (text) => progress(`${name}: ${text}`) });
    progress('');
    console.log(`\n${renderTable(title, rows)}`);
    results.push({ name, rows });
  }

  if (json) fs.writeFileSync(json, `${JSON.stringify({ ...machine, quick, results }, null, 2)}\n`);
  if (quick) console.log('\n--quick: too few samples to judge by.');
  else if (results.some(({ rows }) => rows.some(({ met }) => met === false))) process.exitCode = 1;
}

/** @param {Record<string, { route: string, reason: string | null }>} routes */
function describeRoutes(routes) {
  const others = Object.entries(routes).filter(([, { route }]) => route !== 'native');
  return others.length === 0
    ? 'native'
    : `native, but for ${others.map(([name, { route, reason }]) => `${name} (${route}: ${reason})`).join(', ')}`;
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        quick: { type: 'boolean', default: false },
        large: { type: 'boolean', default: false },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const unknown = values.only?.find((name) => BENCHMARKS.every((benchmark) => benchmark.name !== name));
    if (unknown !== undefined) throw new Error(`there is no benchmark ${unknown}`);
    return values;
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** @param {string} text replaces the last one; nothing without a terminal */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

main();
