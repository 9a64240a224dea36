'use strict';

const RESAMPLES = 10_000;
const LOW_QUANTILE = 0.025;
const HIGH_QUANTILE = 0.975;

/**
 * @typedef {object} Summary
 * @property {number} median
 * @property {number} min
 * @property {number} max
 * @property {number} low lower end of the median's 95 % interval
 * @property {number} high upper end of it
 * @property {number[]} samples
 */

/**
 * @param {number[]} samples at least one
 * @returns {Summary}
 */
function summarize(samples) {
  const [low, high] = medianInterval(samples);
  return { median: median(samples), min: Math.min(...samples), max: Math.max(...samples), low, high, samples };
}

/** @param {number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The 95 % interval of the median by the percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, ch. 13).
 * Seeded: the same samples give the same interval.
 *
 * @param {number[]} samples
 */
function medianInterval(samples) {
  const random = mulberry32(1);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(samples.map(() => samples[Math.floor(random() * samples.length)])),
  );
  medians.sort((a, b) => a - b);
  return [medians[Math.floor(LOW_QUANTILE * RESAMPLES)], medians[Math.ceil(HIGH_QUANTILE * RESAMPLES) - 1]];
}

/**
 * Tommy Ettinger's 32-bit generator, uniform in [0, 1).
 *
 * @param {number} seed
 */
function mulberry32(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

module.exports = { summarize };
