'use strict';

// What the commands on files have in common: a progress bar, and text or JSON.

const { progressBar } = require('./progress-bar');

/** The width of text that goes to a file. */
const DEFAULT_WIDTH = 120;

/**
 * Does the work of a command and prints its answer.
 *
 * @template T
 * @param {{ json: boolean, full?: boolean }} how
 * @param {(progress: (fraction: number) => void, terminal?: import('../analysis/work').Terminal) => Promise<T & { text?: string }>} work
 * @returns {Promise<Omit<T, 'text'>>} the answer
 */
async function answer({ json, full = false }, work) {
  const bar = progressBar(process.stderr);
  const terminal = {
    width: process.stdout.columns ?? DEFAULT_WIDTH,
    colour: process.stdout.hasColors?.() ?? false,
    full,
  };
  const { text, ...report } = await work(bar.show, json ? undefined : terminal).finally(bar.clear);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : /** @type {string} */ (text));
  return report;
}

/**
 * Work on one file, whose errors name it; - is standard input.
 *
 * @template T
 * @param {string} name
 * @param {(file: string | undefined) => Promise<T>} work
 */
async function onFile(name, work) {
  try {
    return await work(name === '-' ? undefined : name);
  } catch (error) {
    throw new Error(`${name}: ${/** @type {Error} */ (error).message}`, { cause: error });
  }
}

module.exports = { answer, onFile };
