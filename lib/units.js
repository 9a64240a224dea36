'use strict';

const SIZES = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 };
const DURATIONS = { ms: 1, s: 1e3, m: 60e3, min: 60e3, h: 3_600e3 };

/**
 * Bytes from a number or from text such as `'64 KiB'` or `'1.5 GB'`; undefined where it is neither.
 *
 * @param {unknown} value
 * @returns {number | undefined}
 */
function parseSize(value) {
  return parse(value, SIZES, (unit) => unit.toUpperCase(), 'B');
}

/**
 * Milliseconds from a number or from text such as `'30s'` or `'5 min'`; undefined where it is neither.
 *
 * @param {unknown} value
 * @returns {number | undefined}
 */
function parseDuration(value) {
  return parse(value, DURATIONS, (unit) => unit.toLowerCase(), 'ms');
}

/**
 * @param {unknown} value
 * @param {Record<string, number>} units
 * @param {(unit: string) => string} normalize
 * @param {string} bare the unit of a number without one
 */
function parse(value, units, normalize, bare) {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(value);
  if (!match) return undefined;
  const unit = normalize(match[2]) || bare;
  return Object.hasOwn(units, unit) ? Number(match[1]) * units[unit] : undefined;
}

module.exports = { parseDuration, parseSize };
