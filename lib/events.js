'use strict';

const { channel } = require('node:diagnostics_channel');
const { originalLeak } = require('./original-sites');

/** @typedef {import('..').Leak} Leak */

const channels = {
  gc: channel('leakguard:gc'),
  leak: channel('leakguard:leak'),
  leakResolved: channel('leakguard:leakResolved'),
  detector: channel('leakguard:detector'),
  snapshot: channel('leakguard:snapshot'),
};

/** The latest announcement: the next one waits for it, so that a leak comes before its end whatever maps are read. */
let announced = Promise.resolve();

/**
 * Emits a leak, or the end of one, on `process` and its diagnostics channel, when its source maps are read. Nobody listening: one process
 * warning for a leak.
 *
 * @param {'leak' | 'leakResolved'} event
 * @param {any} found as the addon describes it
 */
function announceLeak(event, found) {
  announced = announced
    .then(async () => emit(event, await originalLeak(found)))
    .catch((error) => warn('LEAKGUARD_INTERNAL', `a ${event} could not be told: ${error?.stack ?? error}`));
}

/**
 * @param {'leak' | 'leakResolved'} event
 * @param {any} found
 */
function emit(event, found) {
  /** @type {Leak} */
  const leak = {
    ...found,
    start: new Date(found.start).toISOString(),
    end: new Date(found.end).toISOString(),
  };
  channels[event].publish(leak);
  if (process.listenerCount(event) === 0) {
    if (event === 'leak') warn('LEAKGUARD_LEAK', `${leak.reason}${advice(leak)}`);
    return;
  }
  try {
    process.emit(/** @type {any} */ (event), /** @type {any} */ (leak));
  } catch (error) {
    // Whoever watches a process must not be able to end it by a slip.
    warn('LEAKGUARD_LISTENER', `a '${event}' listener threw: ${/** @type {Error} */ (error)?.stack ?? error}`);
  }
}

/**
 * Tells subscribers that a channel of the detector has gone from one state to another.
 *
 * @param {any} transition as the addon describes it
 */
function publishTransition({ type, time, ...transition }) {
  channels.detector.publish({ ...transition, time: new Date(time).toISOString() });
}

/** @param {Leak} leak */
function advice(leak) {
  const sites = leak.sites
    .slice(0, 3)
    .map((site) => `\n    at ${site.functionName} (${site.scriptName}:${site.lineNumber}:${site.columnNumber})`);
  return `${sites.join('')}\n  Listen with process.on('leak', (leak) => ...) for the details.`;
}

/**
 * @param {string} code
 * @param {string} message
 */
function warn(code, message) {
  process.emitWarning(`leakguard: ${message}`, { type: 'LeakguardWarning', code });
}

module.exports = { announceLeak, channels, publishTransition, warn };
