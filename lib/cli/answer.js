'use strict';

// What the commands on files have in common: a progress bar, text or JSON, and errors that name the file.

const { progressBar } = require('./progress-bar');

/** The width of text that goes to a file. */
const DEFAULT_WIDTH = 120;

/**
 * Does the work of a command and prints its answer.
 *
 * @template T
 * @param {string} subject what the work is on, for errors
 * @param {{ json: boolean, full?: boolean }} how
 * @param {(progress: (fraction: number) => void, terminal?: import('../analysis/work').Terminal) => Promise<T & { text?: string }>} work
 * @returns {Promise<Omit<T, 'text'>>} the answer
 */
async function answer(subject, { json, full = false }, work) {
  const bar = progressBar(process.stderr);
  const terminal = {
    width: process.stdout.columns ?? DEFAULT_WIDTH,
    colour: process.stdout.hasColors?.() ?? false,
    full,
  };
  try {
    const { text, ...report } = await work(bar.show, json ? undefined : terminal);
    bar.clear();
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : /** @type {string} */ (text));
    return report;
  } catch (error) {
    bar.clear();
    throw new Error(`${subject}: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * The file that a command was given: - is standard input.
 *
 * @param {string} name
 */
function fileOf(name) {
  return name === '-' ? undefined : name;
}

module.exports = { answer, fileOf };
