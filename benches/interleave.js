'use strict';

/** @typedef {{ cpu: number, rss: number }} Usage CPU time in microseconds, resident memory in bytes */

/**
 * What takes turns.
 *
 * @typedef {object} Worker
 * @property {() => Promise<unknown>} open waits for its start and warms it up
 * @property {() => Promise<unknown>} work does one block of work
 * @property {() => Promise<Usage>} usage since its start
 * @property {() => Promise<unknown>} close
 */

/**
 * Runs all subjects at the same time, each in a fresh process, and lets them work in turn, a block each (A B, B A, ...).
 * For work that takes seconds: the machine's speed changes faster than that, so the blocks are short. What a subject
 * uses while another one works counts too: a watcher's timers and threads cannot hide there.
 *
 * @template {string} Name
 * @param {number} rounds of fresh processes
 * @param {number} blocks a round
 * @param {Record<Name, () => Worker>} subjects
 * @param {(text: string) => void} progress
 * @returns {Promise<Record<Name, Usage[]>>} by subject, CPU time from the first block to the last one and RSS in the end;
 *   those with the same index are of the same round
 */
async function interleave(rounds, blocks, subjects, progress) {
  const names = /** @type {Name[]} */ (Object.keys(subjects));
  /** @type {Usage[][]} */
  const usages = names.map(() => []);
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    const used = await takeTurns(
      names.map((name) => subjects[name]()),
      blocks,
    );
    used.forEach((usage, subject) => {
      usages[subject].push(usage);
    });
  }
  return /** @type {Record<Name, Usage[]>} */ (Object.fromEntries(names.map((name, i) => [name, usages[i]])));
}

/**
 * @param {Worker[]} workers
 * @param {number} blocks
 * @returns {Promise<Usage[]>}
 */
async function takeTurns(workers, blocks) {
  try {
    for (const worker of workers) await worker.open();
    const before = await Promise.all(workers.map((worker) => worker.usage()));
    for (let block = 0; block < blocks; block++) {
      for (const worker of block % 2 ? workers.toReversed() : workers) await worker.work();
    }
    const after = await Promise.all(workers.map((worker) => worker.usage()));
    return after.map(({ cpu, rss }, i) => ({ cpu: cpu - before[i].cpu, rss }));
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

module.exports = interleave;
