'use strict';

/**
 * Runs each subject once a round, `rounds` times. The order is reversed every other round (A B, B A, A B, ...), so that
 * neither a machine that slows down nor the place in the round favours one of them.
 *
 * @template T
 * @template {string} Name
 * @param {number} rounds
 * @param {Record<Name, () => T | Promise<T>>} subjects
 * @param {(text: string) => void} progress
 * @returns {Promise<Record<Name, T[]>>} results by subject; those with the same index are of the same round
 */
async function alternate(rounds, subjects, progress) {
  const names = /** @type {Name[]} */ (Object.keys(subjects));
  /** @type {[Name, T[]][]} */
  const entries = names.map((name) => [name, []]);
  const results = /** @type {Record<Name, T[]>} */ (Object.fromEntries(entries));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 ? names.toReversed() : names) {
      progress(`round ${round + 1} of ${rounds}: ${name}`);
      results[name].push(await subjects[name]());
    }
  }
  return results;
}

module.exports = alternate;
