'use strict';

// npm test                          the Rust tests, then the JavaScript tests
// npm test -- --only js|rust ...    one of them
//
// Further arguments go to the runner: to `cargo test` with `--only rust`, else to `node --test`, where test files replace the
// whole set. The first failure ends the run, so that the last lines are always a runner's own summary.

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { testRunnerArguments } = require('./javascript-tests.js');

process.chdir(path.join(__dirname, '..'));

const args = process.argv.slice(2);
const at = args.indexOf('--only');
const only = at === -1 ? undefined : args.splice(at, 2)[1];

if (at !== -1 && only !== 'js' && only !== 'rust') {
  process.stderr.write('usage: npm test -- [--only js|rust] [arguments of the runner]\n');
  process.exit(2);
}
if (only !== 'js') run('cargo', ['test', ...(only === 'rust' ? args : [])]);
if (only !== 'rust') run(process.execPath, testRunnerArguments(args));

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
