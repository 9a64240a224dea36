'use strict';

/** Work that is done sooner needs no bar. */
const PATIENCE_MS = 1_000;
const WIDTH = 40;
const DEFAULT_COLUMNS = 80;

/**
 * A bar on a terminal; nothing elsewhere.
 *
 * @param {NodeJS.WriteStream} stream
 */
function progressBar(stream) {
  const start = performance.now();
  let shown = '';
  let over = false;
  return {
    /**
     * @param {number | undefined} fraction what is done, 0..1; undefined where nobody knows
     * @param {string} [label] what is being done
     */
    show(fraction, label = '') {
      // A line that wraps could not be overwritten.
      const text = `${barOf(fraction)}${label}`.slice(0, (stream.columns || DEFAULT_COLUMNS) - 1);
      if (over || !stream.isTTY || text === shown || performance.now() - start < PATIENCE_MS) return;
      stream.write(`\r${text.padEnd(shown.length)}`);
      shown = text;
    },
    /** Takes it away for good: progress that is told late is not shown. */
    clear() {
      over = true;
      if (shown !== '') stream.write(`\r${' '.repeat(shown.length)}\r`);
    },
  };
}

/** @param {number | undefined} fraction */
function barOf(fraction) {
  if (fraction === undefined) return '';
  const filled = Math.floor(fraction * WIDTH);
  return `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${String(Math.floor(fraction * 100)).padStart(3)} % `;
}

module.exports = { progressBar };
