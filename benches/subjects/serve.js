'use strict';

/**
 * Lets the parent tell a subject how much to work. The answer is what the process has used since its start: CPU time in
 * microseconds, and RSS in bytes.
 *
 * @param {(amount: number) => Promise<void>} work
 */
function serve(work) {
  process.on('message', async (/** @type {number} */ amount) => {
    await work(amount);
    const { user, system } = process.cpuUsage();
    process.send?.({ cpu: user + system, rss: process.memoryUsage.rss() });
  });
  process.once('disconnect', () => process.exit());
}

module.exports = serve;
