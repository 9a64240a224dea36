'use strict';

// Options in stages: defaults, environment, code. Each value is validated once, here; everything behind takes it as it is.

const os = require('node:os');
const path = require('node:path');
const { optionError } = require('./errors');
const { nodeFlag } = require('./node-flags');
const { parseDuration, parseSize } = require('./units');

/**
 * @typedef {object} Options
 * @property {string} dumpSignal a signal's name, or 'none'
 * @property {string} dir absolute
 * @property {DetectOptions | false} detect
 * @property {{ interval: number, stackDepth: number } | false} sample bytes, frames
 * @property {SnapshotOptions} snapshot
 * @property {boolean} nearHeapLimit
 * @property {'native' | 'fallback'} v8
 */

/**
 * What a suspicion may cost.
 *
 * @typedef {object} DetectOptions
 * @property {number} snapshotsPerHour
 * @property {number} cpuShare of one core, over time, for the children that take them
 * @property {number} maxMemory bytes, for one of these children
 */

/**
 * @typedef {object} SnapshotOptions
 * @property {'auto' | 'fork' | 'in-process'} mode
 * @property {boolean} redact
 * @property {'none' | 'gzip'} compress
 * @property {number} minInterval ms
 * @property {number} maxPause ms
 * @property {number} maxFiles
 * @property {number} maxBytes
 * @property {boolean} keep
 */

/** The signals that Node or the kernel keeps for itself: a handler for them is refused or harmful. */
const RESERVED = new Set(['SIGKILL', 'SIGSTOP', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGPROF', 'SIGUSR1']);

/** @typedef {(value: any, name: string) => any} Rule takes a value as given, returns it validated or throws */

/** @type {Record<string, Rule>} */
const SAMPLE_RULES = {
  interval: sizeWithin(1024, 2 ** 30),
  stackDepth: integerWithin(1, 255),
};

/** @type {Record<string, Rule>} */
const DETECT_RULES = {
  snapshotsPerHour: integerWithin(0, 3_600),
  cpuShare: part,
  maxMemory: sizeWithin(2 ** 20, Number.MAX_SAFE_INTEGER),
};

/** @type {Record<string, Rule>} */
const SNAPSHOT_RULES = {
  mode: oneOf('auto', 'fork', 'in-process'),
  redact: boolean,
  compress: oneOf('none', 'gzip'),
  minInterval: duration,
  maxPause: duration,
  maxFiles: integerWithin(1, 1_000_000),
  maxBytes: sizeWithin(1, Number.MAX_SAFE_INTEGER),
  keep: boolean,
};

/** @type {Record<string, Rule>} */
const RULES = {
  dumpSignal: (value, name) => {
    if (typeof value !== 'string')
      throw optionError(TypeError, `${name} must be a signal's name or 'none', not ${show(value)}`);
    if (value !== 'none' && (!Object.hasOwn(os.constants.signals, value) || RESERVED.has(value))) {
      throw optionError(
        RangeError,
        `${name}: ${show(value)} is not a signal that can be used here; try 'SIGUSR2' or 'none'`,
      );
    }
    return value;
  },
  dir: (value, name) => {
    if (typeof value !== 'string' || value === '')
      throw optionError(TypeError, `${name} must be a folder's path, not ${show(value)}`);
    if (value.includes('\0')) throw optionError(RangeError, `${name} must not contain a NUL character`);
    return path.resolve(workingDirectory(), value);
  },
  detect: switchable(DETECT_RULES),
  sample: switchable(SAMPLE_RULES),
  snapshot: group(SNAPSHOT_RULES),
  nearHeapLimit: boolean,
  v8: oneOf('native', 'fallback'),
};

/** In LEAKGUARD_OPTIONS these are text, even where it looks like a number. */
const TEXTS = new Set(['dumpSignal', 'dir']);

/** @type {DetectOptions} */
const DETECT_DEFAULTS = { snapshotsPerHour: 24, cpuShare: 0.02, maxMemory: 2 * 2 ** 30 };

const SAMPLE_DEFAULTS = { interval: 512 * 1024, stackDepth: 64 };

/** What `true` makes of options that are off. @type {Record<string, any>} */
const SWITCHED_ON = { detect: DETECT_DEFAULTS, sample: SAMPLE_DEFAULTS };

/** @type {SnapshotOptions} */
const SNAPSHOT_DEFAULTS = {
  mode: 'auto',
  redact: false,
  compress: 'none',
  minInterval: 1_000,
  maxPause: 1_000,
  maxFiles: 10,
  maxBytes: 10 * 2 ** 30,
  keep: false,
};

/** @returns {Options} */
function defaults() {
  return {
    dumpSignal: 'SIGUSR2',
    dir: path.resolve(workingDirectory(), nodeFlag('--diagnostic-dir') ?? '.'),
    detect: { ...DETECT_DEFAULTS },
    sample: { ...SAMPLE_DEFAULTS },
    snapshot: { ...SNAPSHOT_DEFAULTS },
    nearHeapLimit: false,
    v8: 'native',
  };
}

/**
 * Merges options given by code into those in force.
 *
 * @param {Options} base
 * @param {unknown} given
 * @returns {Options}
 * @throws {TypeError | RangeError} naming the wrong option
 */
function mergeOptions(base, given) {
  if (given === undefined) return base;
  return merge(base, group(RULES)(given, ''));
}

/**
 * Merges LEAKGUARD_OPTIONS into the defaults: `dumpSignal=none,dir=/var/dumps,sample.interval=128KiB`. A wrong part is reported
 * and left out, so that loading never fails.
 *
 * @param {string | undefined} text
 * @returns {{ options: Options, off: boolean, warnings: string[] }}
 */
function optionsFromEnvironment(text) {
  let options = defaults();
  let off = false;
  const warnings = [];
  for (const part of (text ?? '').split(',').map((piece) => piece.trim())) {
    if (part === '') continue;
    if (part === 'off') {
      off = true;
      continue;
    }
    try {
      options = mergeOptions(options, fromText(part));
    } catch (error) {
      warnings.push(`LEAKGUARD_OPTIONS: ${/** @type {Error} */ (error).message}; its default is used`);
    }
  }
  return { options, off, warnings };
}

/**
 * `sample.interval=128KiB` -> `{ sample: { interval: '128KiB' } }`
 *
 * @param {string} part
 */
function fromText(part) {
  const [name, ...rest] = part.split('=');
  if (rest.length === 0) throw optionError(TypeError, `${show(part)} is not of the form name=value`);
  const key = name.trim();
  const text = rest.join('=').trim();
  /** @type {any} */
  const value = TEXTS.has(key) ? text : fromWord(text);
  return key.split('.').reduceRight((inner, step) => ({ [step]: inner }), value);
}

/** @param {string} text */
function fromWord(text) {
  if (text === 'true' || text === 'on') return true;
  if (text === 'false' || text === 'off') return false;
  return /^\d+$/.test(text) ? Number(text) : text;
}

/**
 * @param {any} base
 * @param {any} given
 * @returns {any}
 */
function merge(base, given) {
  const merged = { ...base };
  for (const [key, value] of Object.entries(given)) {
    if (!isObject(value)) merged[key] = value;
    else merged[key] = merge(base[key] === false ? SWITCHED_ON[key] : base[key], value);
  }
  return merged;
}

/**
 * @param {Record<string, Rule>} rules
 * @returns {Rule}
 */
function group(rules) {
  return (value, name) => {
    if (!isObject(value)) throw optionError(TypeError, `${name || 'options'} must be an object, not ${show(value)}`);
    /** @type {Record<string, unknown>} */
    const valid = {};
    for (const [key, inner] of Object.entries(value)) {
      const full = name ? `${name}.${key}` : key;
      if (!Object.hasOwn(rules, key)) {
        throw optionError(TypeError, `unknown option ${full}; known are ${Object.keys(rules).join(', ')}`);
      }
      if (inner !== undefined) valid[key] = rules[key](inner, full);
    }
    return valid;
  };
}

/**
 * What may also be switched off by `false`, and on by `true`.
 *
 * @param {Record<string, Rule>} rules
 * @returns {Rule}
 */
function switchable(rules) {
  return (value, name) => (value === false ? false : group(rules)(value === true ? {} : value, name));
}

/** @type {Rule} */
function boolean(value, name) {
  if (typeof value !== 'boolean') throw optionError(TypeError, `${name} must be true or false, not ${show(value)}`);
  return value;
}

/**
 * @param {...string} choices
 * @returns {Rule}
 */
function oneOf(...choices) {
  return (value, name) => {
    if (choices.includes(value)) return value;
    throw optionError(
      typeof value === 'string' ? RangeError : TypeError,
      `${name} must be one of ${choices.join(', ')}, not ${show(value)}`,
    );
  };
}

/**
 * @param {number} least
 * @param {number} most
 * @returns {Rule}
 */
function sizeWithin(least, most) {
  return (value, name) => {
    const size = parseSize(value);
    if (size === undefined)
      throw optionError(TypeError, `${name} must be a size such as 65536 or '64 KiB', not ${show(value)}`);
    return within(Math.round(size), least, most, name);
  };
}

/**
 * @param {number} least
 * @param {number} most
 * @returns {Rule}
 */
function integerWithin(least, most) {
  return (value, name) => {
    if (!Number.isInteger(value)) throw optionError(TypeError, `${name} must be a whole number, not ${show(value)}`);
    return within(value, least, most, name);
  };
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 * @param {string} name
 */
function within(value, least, most, name) {
  if (value < least || value > most)
    throw optionError(RangeError, `${name} must be between ${least} and ${most}, not ${value}`);
  return value;
}

/** @type {Rule} */
function part(value, name) {
  const number = typeof value === 'string' && /^0?\.\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !(number > 0 && number <= 1)) {
    throw optionError(
      typeof number === 'number' ? RangeError : TypeError,
      `${name} must be above 0 and at most 1, not ${show(value)}`,
    );
  }
  return number;
}

/** @type {Rule} */
function duration(value, name) {
  const ms = parseDuration(value);
  if (ms === undefined)
    throw optionError(TypeError, `${name} must be a duration such as 30000 or '30s', not ${show(value)}`);
  return ms;
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {unknown} value */
function show(value) {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

/** The working directory, or the folder for temporary files where it has been removed. */
function workingDirectory() {
  try {
    return process.cwd();
  } catch {
    return os.tmpdir();
  }
}

module.exports = { mergeOptions, optionsFromEnvironment };
