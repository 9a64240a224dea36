'use strict';

// Writes snapshots by call, `times` times, of a heap in which each phase can be met, and tells every phase; then ends. `at` is a phase, and
// `act` what it does as soon as it hears of it. With `where: 'worker'` all of that happens in a Worker. With `waits` it begins when SIGHUP
// tells it to.

const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const { setTimeout: delay } = require('node:timers/promises');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const leakguard = require('../..');
const { given, say } = require('./report');

const captures = !(isMainThread && given.where === 'worker');
/** About a second of work for V8. */
const bulk = Array.from({ length: captures ? (given.bulk ?? 150_000) : 0 }, (_, i) => ({ name: `number ${i}` }));
const stay = setInterval(() => {}, 60_000);

leakguard.start(given.options);
if (given.library) load(given.library);
if (given.listensToChildren) process.once('SIGCHLD', () => say('SIGCHLD'));
if (captures) capture();
else main();

async function capture() {
  if (given.waits) {
    const told = once(process, 'SIGHUP');
    say('ready');
    await told;
  }
  for (let time = 0; time < (given.times ?? 1); time++) {
    const { mode } = given;
    await leakguard.writeHeapSnapshot(undefined, { ...(mode && { mode }), onProgress }).then(
      (written) => say('written', written),
      ({ name, code, message }) => say('failed', { name, code, message }),
    );
    if (given.spawns) say('spawned', { counts: await spawning });
  }
  say('left', { left: fs.readdirSync(given.options.dir), bulk: bulk.length });
  leakguard.stop();
  clearInterval(stay);
  parentPort?.close();
}

let last = '';
/** Of processes that were started beside the capture. @type {Promise<{ right: number, wrong: number }> | undefined} */
let spawning;

/** @param {import('../..').SnapshotProgress} progress */
function onProgress({ phase }) {
  if (phase === last) return;
  last = phase;
  say('progress', { phase });
  if (given.spawns && phase === 'waiting') spawning = spawnProcesses();
  if (given.at !== phase) return;
  say('met', { phase });
  if (given.act === 'exit') process.exit(7);
  if (given.act === 'stop') {
    leakguard.stop();
    say('stopped', { left: fs.readdirSync(given.options.dir) });
  }
  if (given.act === 'tell') parentPort?.postMessage(phase);
}

async function spawnProcesses() {
  const counts = { right: 0, wrong: 0 };
  do {
    const { status, stdout } = spawnSync('echo', ['right'], { encoding: 'utf8' });
    counts[status === 0 && stdout === 'right\n' ? 'right' : 'wrong']++;
    await delay(5);
  } while (last !== 'done' && counts.right + counts.wrong < 400);
  return counts;
}

/** Runs what a library does when it is loaded; that it is no addon does not matter. @param {string} library */
function load(library) {
  try {
    process.dlopen({ exports: {} }, library);
  } catch (error) {
    if (!/did not self-register/.test(/** @type {Error} */ (error).message)) throw error;
  }
}

/** The main thread goes on after its Worker has ended, and writes a snapshot of its own. */
async function main() {
  const worker = new Worker(__filename, { argv: process.argv.slice(2) });
  worker.on('message', () => worker.terminate());
  const code = await new Promise((resolve) => worker.once('exit', resolve));
  say('worker ended', { code });
  const { file } = await leakguard.writeHeapSnapshot();
  say('main written', { file });
  clearInterval(stay);
}
