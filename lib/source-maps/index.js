'use strict';

// From where V8 says that a function begins to where its author wrote it.

const { clearTimeout, setTimeout } = require('node:timers');
const { setImmediate } = require('node:timers/promises');
const { readSourceMap } = require('./file');
const { surroundingsOf } = require('./mappings');
const { partsOf, sourceName } = require('./sources');

/** @typedef {import('./mappings').Position} Position */
/** @typedef {import('./mappings').Surroundings} Surroundings */

/** In a script, from 1; without a column a line as a whole. @typedef {{ scriptName: string, lineNumber: number, columnNumber?: number }} Place */

/** @typedef {{ scriptName: string, lineNumber: number, columnNumber: number }} Original */

/** A folder that does not answer (a network drive) delays an event by no more: what is not found by then stays as it is. */
const PATIENCE_MS = 5_000;

/**
 * Looks up the originals of places. Never rejects.
 *
 * @param {Place[]} places
 * @returns {Promise<(place: Place) => Original | undefined>} which answers for these places; undefined where there is no map
 */
async function findOriginals(places) {
  /** @type {Map<string, Place[]>} */
  const scripts = new Map();
  for (const place of places) {
    const known = scripts.get(place.scriptName);
    if (known) known.push(place);
    else scripts.set(place.scriptName, [place]);
  }
  /** @type {Map<string, Original>} */
  const originals = new Map();
  let isLate = false;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const patience = new Promise((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, undefined).unref();
  });
  const search = async () => {
    // One after the other: there is one map in memory at a time.
    for (const [scriptName, ofScript] of scripts) {
      const found = await originalsIn(scriptName, ofScript).catch(() => []);
      if (isLate) return;
      for (const [place, original] of found) originals.set(keyOf(place), original);
    }
  };
  await Promise.race([search(), patience]);
  isLate = true;
  clearTimeout(timer);
  return (place) => originals.get(keyOf(place));
}

/** @param {Place} place */
function keyOf({ scriptName, lineNumber, columnNumber }) {
  return `${scriptName}:${lineNumber}:${columnNumber}`;
}

/**
 * @param {string} scriptName
 * @param {Place[]} places
 * @returns {Promise<Array<[Place, Original]>>}
 */
async function originalsIn(scriptName, places) {
  const read = await readSourceMap(scriptName);
  if (!read) return [];
  // Each of the two takes its time with a large map: the requests that wait come in between.
  await setImmediate();
  const { parts, sources } = partsOf(read.map);
  const positions = places.flatMap(positionsOf).sort((a, b) => a.line - b.line || a.column - b.column);
  const surroundings = surroundingsOf(parts, positions);
  const byPosition = new Map(positions.map(({ line, column }, index) => [`${line}:${column}`, surroundings[index]]));
  /** @type {Array<[Place, Original]>} */
  const found = [];
  for (const place of places) {
    const around = positionsOf(place).map(({ line, column }) => byPosition.get(`${line}:${column}`) ?? {});
    const origin =
      place.columnNumber === undefined ? originOfLine(place, around) : originOf(place, around[0], sources.length);
    const name = origin && sourceName(sources[origin.source], read.base, scriptName.startsWith('file:'));
    if (!origin || name === undefined) continue;
    found.push([place, { scriptName: name, lineNumber: origin.line + 1, columnNumber: origin.column + 1 }]);
  }
  return found;
}

/**
 * @param {Place} place
 * @returns {Position[]} for a line those before it and before the next one
 */
function positionsOf({ lineNumber, columnNumber }) {
  const line = lineNumber - 1;
  if (columnNumber !== undefined) return [{ line, column: columnNumber - 1 }];
  return [
    { line, column: -1 },
    { line: line + 1, column: -1 },
  ];
}

/**
 * V8's position of a function is the parenthesis of its parameters, or the beginning of an arrow function or a class. Compilers map
 * that of an arrow function, and of others what comes before: the name, or `function`. So it is the segment at or before it.
 *
 * @param {Place} place
 * @param {Surroundings} around
 * @param {number} sources
 */
function originOf({ lineNumber, columnNumber }, { before, after }, sources) {
  if (!before) {
    // The function that is the script as a whole; and what a compiler puts in front of a program has no original.
    return lineNumber === 1 && columnNumber === 1 && sources === 1 ? { source: 0, line: 0, column: 0 } : undefined;
  }
  const { source } = before.origin;
  if (source < 0) return undefined;
  // A function with nothing of its own on its line is the compiler's: mostly the rest of the one it stands in, but in a bundle also
  // the one around a module, and then what comes before belongs to another module.
  const isAround =
    before.at.line < lineNumber - 1 && after && after.origin.source >= 0 && after.origin.source !== source;
  return isAround ? after.origin : before.origin;
}

/**
 * Only of a line that comes from one line: in a minified script, any function may be meant.
 *
 * @param {Place} place
 * @param {Surroundings[]} around
 */
function originOfLine({ lineNumber }, [{ after: first }, { before: last }]) {
  if (!first || !last || first.at.line !== lineNumber - 1 || last.at.line !== lineNumber - 1) return undefined;
  const { source, line } = first.origin;
  return source >= 0 && source === last.origin.source && line === last.origin.line ? first.origin : undefined;
}

module.exports = { findOriginals };
