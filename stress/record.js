'use strict';

// What came of all captures on one Node, and what of it is a fault.

/** @typedef {import('./condition').Condition & { mostHeap: number, fork: { route: string, reason: string | null } }} Condition */
/** @typedef {import('./subject').Outcome & { isWhole?: boolean }} Outcome */

/** A run in which more fail proves nothing. */
const LEAST_SUCCESSES = 0.98;
/** Children that stand still and have to be replaced. More than that, and more than one, has a cause that can be found. */
const MOST_RETRIES = 0.01;
/** In mebibytes, of the heap that a major GC leaves. */
const MOST_HEAP = 20;

class Record {
  /** @type {Outcome[]} */
  outcomes = [];
  /** @type {Condition | undefined} */
  before;
  /** @type {Condition | undefined} */
  after;
  /** Nothing was heard of the subject for too long. */
  silent = false;
  end = '';
  /** What is in the folder at the end. @type {string[]} */
  left = [];

  /**
   * @param {string} version
   * @param {{ forks: number, snapshots: number }} amounts
   */
  constructor(version, amounts) {
    this.version = version;
    this.amounts = amounts;
  }

  /** Forks that went through V8's garbage collection. */
  get forks() {
    return this.#of('fork').filter(({ phase, error }) => phase !== 'collecting' && isGivenUp(error)).length;
  }

  get whole() {
    return this.outcomes.filter(({ isWhole }) => isWhole).length;
  }

  /** How often each error came, but for what was given up. */
  get errors() {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { error } of this.outcomes) {
      if (!error || isGivenUp(error)) continue;
      const text = `${error.code}: ${error.message}`;
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return counts;
  }

  get retries() {
    return this.outcomes.reduce((sum, { retries }) => sum + retries, 0);
  }

  get longestMs() {
    return Math.max(0, ...this.outcomes.map(({ durationMs }) => durationMs));
  }

  /** For how long whole snapshots blocked the thread, in order. */
  get pauses() {
    return this.outcomes.flatMap(({ pauseMs }) => pauseMs ?? []).sort((a, b) => a - b);
  }

  /** What is wrong, in words. */
  faults() {
    const { before, after, outcomes, amounts } = this;
    const faults = [];
    if (this.silent) faults.push('a capture took longer than any may: it hangs');
    if (this.end !== 'code 0') faults.push(`the process ended with ${this.end}`);
    if (this.left.length > 0) faults.push(`left in the folder: ${this.left.join(', ')}`);
    const broken = outcomes.filter(({ isWhole }) => isWhole === false).length;
    if (broken > 0) faults.push(`${broken} files are not whole`);
    // The first one warms up.
    const snapshots = this.#of('snapshot').slice(1);
    const good = snapshots.filter(({ isWhole }) => isWhole).length;
    if (good < amounts.snapshots * LEAST_SUCCESSES) faults.push(`only ${good} of ${amounts.snapshots} files`);
    if (this.forks < amounts.forks * LEAST_SUCCESSES) faults.push(`only ${this.forks} of ${amounts.forks} forks`);
    const most = Math.max(1, outcomes.length * MOST_RETRIES);
    if (this.retries > most) faults.push(`${this.retries} children had to be replaced`);
    if (!before || !after) return faults;
    if (after.fork.route !== 'native') faults.push(`no child can be forked: ${after.fork.reason}`);
    for (const what of /** @type {const} */ (['descriptors', 'threads'])) {
      if (after[what] > before[what]) faults.push(`${before[what]} ${what} became ${after[what]}`);
    }
    for (const what of /** @type {const} */ (['deletedFiles', 'children', 'zombies'])) {
      if (after[what] > 0) faults.push(`${what}: ${after[what]}`);
    }
    if (after.mostHeap > MOST_HEAP * 2 ** 20) faults.push(`the heap was larger than ${MOST_HEAP} MiB`);
    return faults;
  }

  /** @param {Outcome['aim']} aim */
  #of(aim) {
    return this.outcomes.filter((outcome) => outcome.aim === aim);
  }
}

/** @param {Outcome['error']} error */
function isGivenUp(error) {
  return error?.code === 'AbortError';
}

module.exports = { Record };
