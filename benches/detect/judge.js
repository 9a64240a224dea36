'use strict';

const path = require('node:path');

/** A server that finished less than this share of its load was starved: its ground truth does not hold. */
const STARVED_BELOW = 0.6;
const FIRST_SITES = 3;
const STDERR_SHOWN = 300;

/**
 * A line of a case's log; which fields it has depends on `event`.
 *
 * @typedef {object} Event
 * @property {number} t milliseconds since the load began
 * @property {string} event 'leak' | 'leakResolved' | 'memory' | 'end'
 * @property {any} [leak]
 * @property {number} [heapUsed] bytes
 * @property {number} [requests]
 * @property {number} [meant]
 * @property {number} [cpuSeconds]
 */

/**
 * What a run says about leakguard. Of a run that failed there is nothing but `error`; what is said about alarms is about those that
 * stand in the end, and null where there is none.
 *
 * @typedef {object} Verdict
 * @property {string} [error]
 * @property {boolean} [starved]
 * @property {boolean} [alarm] whether an alarm stands
 * @property {number} [alarms] that were raised
 * @property {number} [takenBack] of these
 * @property {number | null} [alarmSeconds] from the beginning of the load to the first one
 * @property {number | null} [growth] bytes that it says have leaked
 * @property {number | null} [heapUsed] bytes, in that moment, where the case tells
 * @property {string | null} [alarmKind]
 * @property {string[]} [sites] functions that it names first
 * @property {boolean} [attributable] whether the case says who is to be named
 * @property {boolean} [functionFirst]
 * @property {boolean} [functionInThree]
 * @property {boolean | null} [sourceNamed] whether a site is in the file that the label has as `source`; null where it has none
 * @property {boolean} [retainer]
 * @property {number} [requests]
 * @property {number} [cpuSeconds] of the server
 */

/**
 * @param {import('./corpus').Label} label
 * @param {import('./run-case').Outcome} outcome
 * @returns {Verdict}
 */
function judge({ culprit, source }, { events, exit, stderr }) {
  const end = events.find(({ event }) => event === 'end');
  if (exit !== null || end === undefined)
    return { error: `${exit ?? 'no end event'} ${stderr.slice(-STDERR_SHOWN)}`.trim() };

  const alarms = events.filter(({ event }) => event === 'leak');
  const resolved = new Set(events.filter(({ event }) => event === 'leakResolved').map(({ leak }) => leak?.id));
  const standing = alarms.filter(({ leak }) => !resolved.has(leak?.id));
  const first = standing.at(0);
  const guilty = [culprit?.fn, ...(culprit?.also ?? [])].filter((name) => name !== undefined);
  /** @param {number} count */
  const named = (count) =>
    standing.some(({ leak }) => sitesOf(leak, count).some(({ functionName }) => guilty.includes(functionName)));
  const { requests = 0, meant = 0, cpuSeconds } = end;
  return {
    starved: requests < STARVED_BELOW * meant,
    alarm: standing.length > 0,
    alarms: alarms.length,
    takenBack: alarms.length - standing.length,
    alarmSeconds: first === undefined ? null : first.t / 1000,
    growth: first?.leak?.growth ?? null,
    heapUsed: first?.heapUsed ?? null,
    alarmKind: first?.leak?.kind ?? null,
    sites: sitesOf(first?.leak, FIRST_SITES).map(({ functionName }) => functionName),
    attributable: Boolean(culprit?.retain),
    functionFirst: named(1),
    functionInThree: named(FIRST_SITES),
    sourceNamed: source === undefined ? null : standing.some(({ leak }) => isInSource(leak, source)),
    retainer: standing.some(({ leak }) => isRetainerNamed(leak, culprit?.retain)),
    requests,
    cpuSeconds,
  };
}

/**
 * @param {any} leak
 * @param {number} count
 * @returns {{ functionName: string, scriptName: string }[]}
 */
function sitesOf(leak, count) {
  return (leak?.sites ?? []).slice(0, count);
}

/**
 * @param {any} leak
 * @param {string} source
 */
function isInSource(leak, source) {
  const name = `/${path.posix.basename(source)}`;
  return sitesOf(leak, FIRST_SITES).some(({ scriptName }) => scriptName.endsWith(name));
}

/**
 * @param {any} leak
 * @param {string | null | undefined} retain
 */
function isRetainerNamed(leak, retain) {
  return Boolean(retain) && JSON.stringify(leak?.retainers ?? []).includes(/** @type {string} */ (retain));
}

/**
 * @param {boolean} leaky
 * @param {Verdict} verdict
 */
function inAWord(leaky, { error, starved, alarm }) {
  if (error !== undefined) return 'ERROR';
  if (starved) return 'starved';
  if (alarm === leaky) return 'right';
  return leaky ? 'MISSED' : 'FALSE ALARM';
}

module.exports = { inAWord, judge };
