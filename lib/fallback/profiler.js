'use strict';

const { performance } = require('node:perf_hooks');

/** Reading the profile may take this part of the time: V8 collects all garbage first... */
const SHARE = 0.01;
/** ... and this one while something rises: on this route there is nothing else to help major GCs along... */
const EXAMINING_SHARE = 0.03;
/** ... so many milliseconds apart. */
const EXAMINING_GAP_MS = 3_000;

/**
 * V8's sampling heap profiler through an inspector session of our own. V8 runs one for all sessions: one that someone else has
 * started is read along with, and left running.
 */
class InspectorProfiler {
  #sample;
  #session = connect();
  /** @type {'owned' | 'adopted'} */
  state = 'owned';
  /** How often someone else stopped the profiler, and what it had was lost. */
  lost = 0;
  /** What reading the profile has cost. */
  cost = { profiles: 0, profilesMs: 0 };
  /** When the profile was read last, and how long that took. */
  #latest = { at: Number.NEGATIVE_INFINITY, took: 0 };
  /** Since when it samples, in milliseconds since the Unix epoch. */
  since = Date.now();

  /** @param {{ interval: number, stackDepth: number }} sample */
  constructor(sample) {
    this.#sample = sample;
    this.#begin();
  }

  #begin() {
    this.since = Date.now();
    // `startSampling` succeeds also where a profiler runs already, and would then make its end ours.
    this.state = this.#running() ? 'adopted' : 'owned';
    const { interval, stackDepth } = this.#sample;
    if (this.state === 'owned') this.#post('HeapProfiler.startSampling', { samplingInterval: interval, stackDepth });
  }

  /** The profile as DevTools has it; nearly empty where someone else has stopped the profiler. */
  devToolsProfile() {
    const running = this.#running();
    if (running) return running;
    this.lost++;
    // The old session still takes the profiler for its own, whoever may start the next.
    this.#session.disconnect();
    this.#session = connect();
    this.#begin();
    return this.#post('HeapProfiler.getSamplingProfile').profile;
  }

  /** The profile of the profiler that runs, if one does. */
  #running() {
    try {
      return this.#post('HeapProfiler.getSamplingProfile').profile;
    } catch {
      return undefined;
    }
  }

  /**
   * Whether reading the profile now stays within its share of the time.
   *
   * @param {boolean} examines whether something rises
   */
  isDue(examines) {
    const { at, took } = this.#latest;
    return performance.now() >= at + (examines ? Math.max(EXAMINING_GAP_MS, took / EXAMINING_SHARE) : took / SHARE);
  }

  /** The profile as the addon takes it: JSON of nodes, callers first, and samples. */
  profile() {
    const started = performance.now();
    const profile = this.#read();
    const took = performance.now() - started;
    this.#latest = { at: started, took };
    this.cost.profiles++;
    this.cost.profilesMs += took;
    return profile;
  }

  #read() {
    const { head, samples } = this.devToolsProfile();
    const nodes = [];
    /** @type {Array<[any, number | null]>} */
    const open = [[head, null]];
    for (let next = open.pop(); next; next = open.pop()) {
      const [{ id, callFrame, children }, caller] = next;
      const frame = {
        functionName: callFrame.functionName,
        scriptName: callFrame.url,
        scriptId: Number(callFrame.scriptId),
        line: callFrame.lineNumber + 1,
        column: callFrame.columnNumber + 1,
      };
      const index = nodes.push({ id, caller, frame }) - 1;
      for (const child of children) open.push([child, index]);
    }
    // The inspector gives the size of all objects that a sample stands for.
    const live = samples.map((/** @type {any} */ { nodeId, ordinal, size }) => ({
      nodeId,
      ordinal,
      liveBytes: size,
      count: 1,
    }));
    return JSON.stringify({ nodes, samples: live });
  }

  stop() {
    // This ends the profiler if this session started it.
    this.#session.disconnect();
  }

  /**
   * These methods of the inspector answer before `post` returns.
   *
   * @param {string} method
   * @param {object} [params]
   * @returns {any}
   */
  #post(method, params) {
    let failure = null;
    let answer;
    this.#session.post(method, params, (error, result) => {
      failure = error;
      answer = result;
    });
    if (failure)
      throw Object.assign(new Error(/** @type {any} */ (failure).message), { code: 'ERR_LEAKGUARD_UNAVAILABLE' });
    return answer;
  }
}

function connect() {
  // Loaded only where it is needed: it costs a few milliseconds.
  const { Session } = require('node:inspector');
  const session = new Session();
  session.connect();
  return session;
}

module.exports = { InspectorProfiler };
