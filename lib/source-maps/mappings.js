'use strict';

// The mappings of a source map (ECMA-426), read once from start to end without keeping them. Node's own `SourceMap` makes an array of
// each segment: for the map of a bundle of 9 MB (14 MB, 870,000 segments) that stops the thread for 360 ms and takes 100 MB, in a
// process that has no memory to spare. This takes 50 ms and 5 MB.

/** A place in the generated script, from 0. @typedef {{ line: number, column: number }} Position */

/** Where something generated comes from, from 0; `source` is -1 for what comes from nowhere. @typedef {{ source: number, line: number, column: number }} Origin */

/** @typedef {{ at: Position, origin: Origin }} Segment */

/** What is known about a position: the segment at or before it, and the one behind it. @typedef {{ before?: Segment, after?: Segment }} Surroundings */

const COMMA = 44;
const SEMICOLON = 59;
const NO_SOURCE = -1;
/**
 * What a character says: five bits of a number, the lowest ones first; from 32 on, that more follow; from 64 on, that a segment ends.
 * The lowest bit of a number is its sign.
 */
const VALUES = new Uint8Array(256).fill(255);
const CONTINUES = 32;
const SEPARATES = 64;
const INVALID = 255;
for (const [value, digit] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) {
  VALUES[digit.charCodeAt(0)] = value;
}
VALUES[COMMA] = SEPARATES;
VALUES[SEMICOLON] = SEPARATES;

/** Behind every segment. */
const NOWHERE = { line: Number.POSITIVE_INFINITY, column: 0 };

/**
 * Looks up positions, sorted by line and column, in the parts of a map.
 *
 * @param {Array<{ mappings: string, start: Position, firstSource: number }>} parts with where they begin in the script
 * @param {Position[]} positions
 * @returns {Surroundings[]} in the order of the positions
 */
function surroundingsOf(parts, positions) {
  /** @type {Surroundings[]} */
  const found = [];
  /** @type {Segment | undefined} */
  let last;
  for (const part of parts) last = lookUp(part, positions, found, last);
  while (found.length < positions.length) found.push({ before: last });
  return found;
}

/**
 * Goes on with the positions behind `found`. One loop over the characters, with nothing made but for a position that is passed: this is
 * what a large map costs.
 *
 * @param {{ mappings: string, start: Position, firstSource: number }} part
 * @param {Position[]} positions
 * @param {Surroundings[]} found
 * @param {Segment | undefined} last of the part before
 */
function lookUp({ mappings, start, firstSource }, positions, found, last) {
  let { line, column } = start;
  let [source, originalLine, originalColumn] = [firstSource, 0, 0];
  // Of the segment before: made to an object when it is asked for.
  let [lastLine, lastColumn, lastSource, lastOriginalLine, lastOriginalColumn] = [-1, 0, 0, 0, 0];
  const segmentBefore = () =>
    lastLine < 0 ? last : segment(lastLine, lastColumn, lastSource, lastOriginalLine, lastOriginalColumn);
  let next = positions[found.length] ?? NOWHERE;
  let [field, value, shift] = [0, 0, 0];
  // Reading bytes is twice as fast as reading characters of a string.
  const digits = Buffer.from(`${mappings};`, 'latin1');
  for (let at = 0; at < digits.length; at++) {
    const code = digits[at];
    const digit = VALUES[code];
    if (digit < CONTINUES) {
      value |= digit << shift;
      const delta = value & 1 ? -(value >>> 1) : value >>> 1;
      if (field === 0) column += delta;
      else if (field === 1) source += delta;
      else if (field === 2) originalLine += delta;
      else if (field === 3) originalColumn += delta;
      // The fifth is the name: V8's stays.
      field++;
      value = 0;
      shift = 0;
    } else if (digit < SEPARATES) {
      value |= (digit - CONTINUES) << shift;
      shift += 5;
    } else {
      if (digit === INVALID || shift > 0 || field === 2 || field === 3) throw new SyntaxError('these are no mappings');
      if (field > 0) {
        const origin = field > 1 ? source : NO_SOURCE;
        while (next.line < line || (next.line === line && next.column < column)) {
          const after = segment(line, column, origin, originalLine, originalColumn);
          found.push({ before: segmentBefore(), after });
          if (found.length === positions.length) return after;
          next = positions[found.length];
        }
        lastLine = line;
        lastColumn = column;
        lastSource = origin;
        lastOriginalLine = originalLine;
        lastOriginalColumn = originalColumn;
        field = 0;
      }
      if (code === SEMICOLON) {
        line++;
        column = 0;
      }
    }
  }
  return segmentBefore();
}

/**
 * @param {number} line
 * @param {number} column
 * @param {number} source
 * @param {number} originalLine
 * @param {number} originalColumn
 * @returns {Segment}
 */
function segment(line, column, source, originalLine, originalColumn) {
  return { at: { line, column }, origin: { source, line: originalLine, column: originalColumn } };
}

module.exports = { surroundingsOf };
