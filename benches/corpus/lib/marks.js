'use strict';

const fs = require('node:fs');

/**
 * The lines with a comment `@alloc` or `@retain` behind them, from 1: where a leak is allocated, and where it is kept. A mark on a line of
 * its own stands for the one before, from which the formatter has moved it.
 *
 * @param {string} file
 */
function markedLines(file) {
  /** @type {{ alloc: number[], retain: number[] }} */
  const lines = { alloc: [], retain: [] };
  for (const [index, line] of fs.readFileSync(file, 'utf8').split('\n').entries()) {
    const [code, comment] = line.split(/(\/\/ @.*)$/);
    const number = code.trim() === '' ? index : index + 1;
    if (/@alloc\b/.test(comment)) lines.alloc.push(number);
    if (/@retain\b/.test(comment)) lines.retain.push(number);
  }
  return lines;
}

module.exports = { markedLines };
