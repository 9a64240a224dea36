'use strict';

// Preloaded into a script whose whole life is measured: writes what it has used, as JSON, when it ends.

const fs = require('node:fs');

process.once('exit', () => {
  const { user, system } = process.cpuUsage();
  const { maxRSS } = process.resourceUsage();
  fs.writeSync(1, `${JSON.stringify({ cpu: user + system, rss: maxRSS * 1024 })}\n`);
});
