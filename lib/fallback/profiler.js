'use strict';

/**
 * V8's sampling heap profiler through an inspector session of our own.
 */
class InspectorProfiler {
  #session;
  /** Since when it samples, in milliseconds since the Unix epoch. */
  since = Date.now();

  /** @param {{ interval: number, stackDepth: number }} sample */
  constructor({ interval, stackDepth }) {
    // Loaded only where it is needed: it costs a few milliseconds.
    const { Session } = require('node:inspector');
    this.#session = new Session();
    this.#session.connect();
    this.#post('HeapProfiler.startSampling', { samplingInterval: interval, stackDepth });
  }

  /** The profile as DevTools has it. */
  devToolsProfile() {
    return this.#post('HeapProfiler.getSamplingProfile').profile;
  }

  /** The profile as the addon takes it: JSON of nodes, callers first, and samples. */
  profile() {
    const { head, samples } = this.devToolsProfile();
    const nodes = [];
    /** @type {Array<[any, number | null]>} */
    const open = [[head, null]];
    for (let next = open.pop(); next; next = open.pop()) {
      const [{ id, callFrame, children }, caller] = next;
      const frame = {
        functionName: caller === null ? '' : callFrame.functionName,
        scriptName: callFrame.url,
        scriptId: Number(callFrame.scriptId),
        line: callFrame.lineNumber + 1,
        column: callFrame.columnNumber + 1,
      };
      const index = nodes.push({ id, caller, frame }) - 1;
      for (const child of children) open.push([child, index]);
    }
    // The inspector gives the size of all objects that a sample stands for.
    const live = samples.map((/** @type {any} */ { nodeId, ordinal, size }) => ({ nodeId, ordinal, size, count: 1 }));
    return JSON.stringify({ nodes, samples: live });
  }

  stop() {
    this.#post('HeapProfiler.stopSampling');
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

module.exports = { InspectorProfiler };
