'use strict';

// Functions that keep what they allocate, and where they stand in this file.

const fs = require('node:fs');

/** @type {unknown[]} */
const kept = [];

/** @param {number} count */
function keepObjects(count) {
  for (let index = 0; index < count; index++) kept.push({ index, text: [index, count] });
}

/** @param {number} count */
function keepOthers(count) {
  for (let index = 0; index < count; index++) kept.push({ index, other: [count, index] });
}

const keepNameless = ((array) => (/** @type {number} */ count) => {
  for (let index = 0; index < count; index++) array.push({ index, nameless: [index, count] });
})(kept);

function release() {
  kept.length = 0;
}

/**
 * The place of the text in this file, from 1.
 *
 * @param {string} text
 */
function placeOf(text) {
  const before = fs.readFileSync(__filename, 'utf8').split(text)[0].split('\n');
  return { scriptName: __filename, lineNumber: before.length, columnNumber: before[before.length - 1].length + 1 };
}

/** V8 says that a function begins with its parameters. */
const places = {
  keepObjects: placeOf(
    ['(count)', ' {\n  for (let index = 0; index < count; index++) kept.push({ index, text'].join(''),
  ),
  nameless: placeOf(['(/** @type', ' {number} */ count)'].join('')),
};

module.exports = { keepNameless, keepObjects, keepOthers, places, release };
