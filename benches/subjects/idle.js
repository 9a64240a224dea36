'use strict';

// Does nothing until the process has settled, then writes what is resident, in bytes, as JSON.

const fs = require('node:fs');

const SETTLE_MS = 2000;

/**
 * Memory that is ours alone and written to, without the shared and the clean pages that RSS counts too.
 *
 * @returns {number | null} null where there is no /proc
 */
function privateDirty() {
  try {
    const kibibytes = /^Private_Dirty:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1];
    return Number(kibibytes) * 1024;
  } catch {
    return null;
  }
}

setTimeout(() => {
  fs.writeSync(1, JSON.stringify({ rss: process.memoryUsage.rss(), privateDirty: privateDirty() }));
}, SETTLE_MS);
