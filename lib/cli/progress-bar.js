'use strict';

/** Work that is done sooner needs no bar. */
const PATIENCE_MS = 1_000;
const WIDTH = 40;

/**
 * A bar on a terminal; nothing elsewhere.
 *
 * @param {NodeJS.WriteStream} stream
 */
function progressBar(stream) {
  const start = performance.now();
  let shown = -1;
  return {
    /** @param {number} fraction what is done, 0..1 */
    show(fraction) {
      const filled = Math.floor(fraction * WIDTH);
      if (!stream.isTTY || filled === shown || performance.now() - start < PATIENCE_MS) return;
      shown = filled;
      stream.write(
        `\r${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${String(Math.floor(fraction * 100)).padStart(3)} %`,
      );
    },
    clear() {
      if (shown >= 0) stream.write(`\r${' '.repeat(WIDTH + 6)}\r`);
    },
  };
}

module.exports = { progressBar };
