'use strict';

// Work of the addon on snapshot files, one verb a call. None of it needs leakguard to be armed.

const { loadAddon } = require('../addon');
const { LeakguardError, unwrap } = require('../errors');

/**
 * How a terminal wants to have the answer.
 *
 * @typedef {{ width: number, colour: boolean, full: boolean }} Terminal
 */

/**
 * How any work is watched.
 *
 * @typedef {{ progress?: (fraction: number) => void, signal?: AbortSignal }} Watched
 */

/**
 * @param {string} verb
 * @param {object} request
 * @param {Watched} watched
 * @returns {Promise<any>}
 */
async function work(verb, request, { progress, signal }) {
  signal?.throwIfAborted();
  const { addon, reason } = loadAddon();
  if (addon === undefined) throw new LeakguardError('ERR_LEAKGUARD_UNAVAILABLE', `${verb}: ${reason}`);
  const cancellation = new addon.Cancellation();
  const cancel = () => cancellation.cancel();
  signal?.addEventListener('abort', cancel);
  try {
    const answer = await addon.analysis(JSON.stringify({ verb, ...request }), cancellation, progress);
    signal?.throwIfAborted();
    return unwrap(answer);
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

module.exports = { work };
