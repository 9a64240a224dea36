'use strict';

// The process that is captured, under load. Tells the runner by messages what becomes of each capture, and in what condition it is before
// and after.

const fs = require('node:fs');
const leakguard = require('..');
const { condition } = require('./condition');
const { Load } = require('./load');

/** @typedef {{ aim: 'fork' | 'snapshot', phase: string, retries: number, durationMs: number, file?: string, nodes?: number, pauseMs?: number, error?: { code: string, message: string } }} Outcome */

/** In the order in which a capture goes through them. */
const PHASES = ['waiting', 'collecting', 'building', 'writing', 'syncing', 'done'];

const { forks, snapshots, dir, workDir } = JSON.parse(process.argv[2]);
/** The largest heap that a major GC has left, in bytes. */
let mostHeap = 0;

async function main() {
  leakguard.start({ dir, detect: false, dumpSignal: 'none' });
  const load = new Load(workDir);
  await load.open();
  load.start();
  // What is made once and kept, such as the helper's descriptor, is there before anything is counted.
  await capture('snapshot');
  await report('before', load);
  for (let n = 0; n < forks; n++) await capture('fork');
  for (let n = 0; n < snapshots; n++) await capture('snapshot');
  await report('after', load);
  await load.rest();
  await load.close();
  leakguard.stop();
  process.disconnect();
}

/** @param {'before' | 'after'} when @param {Load} load */
async function report(when, load) {
  await load.rest();
  mostHeap = Math.max(mostHeap, ...leakguard.history().map(({ used }) => used));
  send({ condition: { ...condition(), when, mostHeap, fork: leakguard.status().routes.fork } });
  load.start();
}

/** @param {Outcome['aim']} aim a whole file, or a child that has gone through V8's garbage collection */
async function capture(aim) {
  const abort = new AbortController();
  const start = performance.now();
  let phase = 'waiting';
  let retries = 0;
  const onProgress = (/** @type {import('..').SnapshotProgress} */ progress) => {
    // The second child begins anew.
    if (PHASES.indexOf(progress.phase) < PHASES.indexOf(phase)) retries++;
    phase = progress.phase;
    if (aim === 'fork' && PHASES.indexOf(phase) >= PHASES.indexOf('building')) abort.abort();
  };
  /** @type {Partial<Outcome>} */
  let result = {};
  try {
    const { file, nodes, pauseMs } = await leakguard.writeHeapSnapshot(undefined, {
      mode: 'fork',
      signal: abort.signal,
      onProgress,
    });
    result = { file, nodes, pauseMs };
  } catch (error) {
    const { name, code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    result = { error: { code: name === 'AbortError' ? name : (code ?? name), message } };
  }
  send({ outcome: { aim, phase, retries, durationMs: performance.now() - start, ...result } });
}

/** @param {object} message */
function send(message) {
  process.send?.(message);
}

// With the runner.
process.once('disconnect', () => process.exit());
fs.mkdirSync(workDir, { recursive: true });
main();
