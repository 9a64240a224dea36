'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const LEAKGUARD = path.join(__dirname, '..', '..', 'index.js');
/** For the start, and for an end that a busy machine delays. */
const GRACE_MS = 60_000;
const STDERR_KEPT = 2000;

/**
 * What came of a run: the events it logged, and how the process ended.
 *
 * @typedef {{ events: import('./judge').Event[], exit: string | null, stderr: string }} Outcome
 */

/**
 * Runs a case with leakguard armed as it comes.
 *
 * @param {string} node
 * @param {string} file
 * @param {number} seconds
 * @returns {Promise<Outcome>}
 */
async function runCase(node, file, seconds) {
  // Also the working directory: whatever leakguard writes goes with it.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leakguard-detect-'));
  const out = path.join(folder, 'events.jsonl');
  // Options from outside would go into the results unseen.
  const { NODE_OPTIONS, LEAKGUARD_OPTIONS, ...env } = process.env;
  try {
    const child = spawn(node, ['--require', LEAKGUARD, file, '--seconds', String(seconds), '--out', out], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: seconds * 1000 + GRACE_MS,
      killSignal: 'SIGKILL',
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr = (stderr + text).slice(-STDERR_KEPT);
    });
    /** @type {string | null} */
    const exit = await new Promise((resolve, reject) => {
      child.once('error', reject);
      // Not 'close': the load may hold stderr a moment longer.
      child.once('exit', (code, signal) => resolve(code === 0 ? null : (signal ?? `code ${code}`)));
    });
    return { events: fs.existsSync(out) ? readEvents(out) : [], exit, stderr };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} file */
function readEvents(file) {
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

module.exports = { runCase };
