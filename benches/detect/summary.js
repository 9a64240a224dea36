'use strict';

// What many runs say together. No clock, no files: records in, numbers out.

/**
 * @typedef {object} Measure
 * @property {string} name
 * @property {(results: Results) => number | null} value null where there is nothing to say
 * @property {'count' | 'share' | 's' | 'MB' | 'ms'} unit
 * @property {{ atMost: number } | { atLeast: number }} [target]
 */

/**
 * Runs, as the measures count them. `told` are leaks that were found and whose culprit the label names.
 *
 * @typedef {Record<'all' | 'judged' | 'leaky' | 'healthy' | 'found' | 'told', import('./results').Result[]>} Results
 */

/** @type {Measure[]} */
const MEASURES = [
  { name: 'runs judged', unit: 'count', value: ({ judged }) => judged.length },
  { name: 'leaky', unit: 'count', value: ({ leaky }) => leaky.length },
  { name: 'failed', unit: 'count', value: ({ all }) => count(all, hasFailed), target: { atMost: 0 } },
  { name: 'starved', unit: 'count', value: ({ all }) => count(all, ({ starved }) => starved), target: { atMost: 2 } },
  {
    name: 'missed, of judged',
    unit: 'share',
    value: ({ judged, leaky }) => ratio(count(leaky, isMissed), judged.length),
    target: { atMost: 0.01 },
  },
  {
    name: 'standing false alarms, of judged',
    unit: 'share',
    value: ({ judged, healthy }) => ratio(count(healthy, isAlarm), judged.length),
    target: { atMost: 0.01 },
  },
  {
    name: 'alarm taken back, of healthy',
    unit: 'share',
    value: ({ healthy }) => ratio(count(healthy, isTakenBack), healthy.length),
    target: { atMost: 0.02 },
  },
  { name: 'precision', unit: 'share', value: ({ judged, found }) => ratio(found.length, count(judged, isAlarm)) },
  { name: 'recall', unit: 'share', value: ({ leaky, found }) => ratio(found.length, leaky.length) },
  {
    name: 'time to the alarm, median',
    unit: 's',
    value: ({ found }) => median(found.map(({ alarmSeconds }) => alarmSeconds)),
    target: { atMost: 45 },
  },
  {
    name: 'leaked until the alarm, median',
    unit: 'MB',
    value: ({ found }) => median(found.map(({ growth }) => inMegabytes(growth))),
    target: { atMost: 20 },
  },
  {
    name: 'heap at the alarm, median',
    unit: 'MB',
    value: ({ found }) => median(found.map(({ heapUsed }) => inMegabytes(heapUsed))),
  },
  {
    name: 'right function first',
    unit: 'share',
    value: ({ told }) =>
      ratio(
        count(told, ({ functionFirst }) => functionFirst),
        told.length,
      ),
    target: { atLeast: 0.8 },
  },
  {
    name: 'right function in three',
    unit: 'share',
    value: ({ told }) =>
      ratio(
        count(told, ({ functionInThree }) => functionInThree),
        told.length,
      ),
    target: { atLeast: 0.95 },
  },
  {
    name: 'source file named',
    unit: 'share',
    value: ({ told }) => {
      const mapped = told.filter(({ sourceNamed }) => sourceNamed !== null);
      return ratio(
        count(mapped, ({ sourceNamed }) => sourceNamed),
        mapped.length,
      );
    },
  },
  {
    name: 'right retainer',
    unit: 'share',
    value: ({ told }) =>
      ratio(
        count(told, ({ retainer }) => retainer),
        told.length,
      ),
    target: { atLeast: 0.9 },
  },
  {
    name: 'CPU a request, median',
    unit: 'ms',
    value: ({ judged }) =>
      median(
        judged.map(({ cpuSeconds, requests }) => (cpuSeconds && requests ? (cpuSeconds * 1000) / requests : null)),
      ),
  },
];

/**
 * @param {import('./results').Result[]} all
 * @returns {{ name: string, unit: Measure['unit'], target: Measure['target'], value: number | null, met: boolean | undefined }[]}
 */
function summarizeRuns(all) {
  const judged = all.filter((result) => !hasFailed(result) && !result.starved);
  const leaky = judged.filter((result) => result.leaky);
  const healthy = judged.filter((result) => !result.leaky);
  const found = leaky.filter(isAlarm);
  const told = found.filter(({ attributable }) => attributable);
  return MEASURES.map(({ name, unit, target, value: measure }) => {
    const value = measure({ all, judged, leaky, healthy, found, told });
    const met = target === undefined || value === null ? undefined : isMet(value, target);
    return { name, unit, target, value, met };
  });
}

/**
 * @param {number} value
 * @param {NonNullable<Measure['target']>} target
 */
function isMet(value, target) {
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}

/** @typedef {import('./results').Result} Result */
const hasFailed = (/** @type {Result} */ { error }) => error !== undefined;
const isAlarm = (/** @type {Result} */ { alarm }) => alarm;
const isMissed = (/** @type {Result} */ { alarm }) => !alarm;
const isTakenBack = (/** @type {Result} */ { takenBack }) => (takenBack ?? 0) > 0;

/**
 * @param {Result[]} results
 * @param {(result: Result) => unknown} matches
 */
function count(results, matches) {
  return results.filter(matches).length;
}

/**
 * @param {number} part
 * @param {number} whole
 */
function ratio(part, whole) {
  return whole === 0 ? null : part / whole;
}

/** @param {number | null | undefined} bytes */
function inMegabytes(bytes) {
  return bytes === null || bytes === undefined ? null : bytes / 1e6;
}

/** @param {(number | null | undefined)[]} values those that are not known do not count */
function median(values) {
  const sorted = values.filter((value) => value !== null && value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

module.exports = { summarizeRuns };
