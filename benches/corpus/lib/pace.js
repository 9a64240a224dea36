'use strict';

const WAVES = 3;
const BURST_EVERY_S = 10;
const BURST_S = 2;

/**
 * What share of the full load is due.
 *
 * @param {import('./harness').Load['shape']} shape
 * @param {number} second since the load began
 * @param {number} seconds of the run
 */
function share(shape, second, seconds) {
  const done = Math.min(1, second / seconds);
  switch (shape) {
    case 'ramp':
      return 0.15 + 0.85 * done;
    case 'wave': // a few days with their nights
      return 0.2 + 0.8 * Math.sin(Math.PI * WAVES * done) ** 2;
    case 'bursts':
      return second % BURST_EVERY_S < BURST_S ? 2 : 0.5;
    default:
      return 1;
  }
}

module.exports = { share };
