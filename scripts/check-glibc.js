'use strict';

// Fails when the built binary would not load on glibc 2.28, the oldest that Node 20 itself runs on.

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const NEWEST = [2, 28];

const file = path.join(__dirname, '..', 'leakguard.linux-x64-gnu.node');
const table = execFileSync('readelf', ['--wide', '--dyn-syms', file], { encoding: 'utf8' });

// 12: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND pthread_create@GLIBC_2.34 (5)
const undefinedSymbols = table.matchAll(/ (?<bind>GLOBAL|WEAK) +DEFAULT +UND (?<name>[^@\s]+)(?:@(?<version>\S+))?/g);
const faults = [];
for (const { groups } of undefinedSymbols) {
  const { bind, name, version } = /** @type {Record<string, string>} */ (groups);
  if (version === undefined) {
    // The libraries we linked against do not know it: a newer glibc's, which the loader looks for in vain.
    if (bind === 'GLOBAL') faults.push(`${name}, which nothing we link against defines`);
  } else if (version.startsWith('GLIBC_')) {
    const [major, minor] = version.slice('GLIBC_'.length).split('.').map(Number);
    if (major > NEWEST[0] || (major === NEWEST[0] && minor > NEWEST[1])) faults.push(`${name}@${version}`);
  }
}

if (faults.length > 0) {
  process.stderr.write(`leakguard: the binary needs more than glibc ${NEWEST.join('.')}:\n  ${faults.join('\n  ')}\n`);
  process.stderr.write(
    'leakguard: `npm run build:release` links against an older one; what is newer goes through dlsym\n',
  );
  process.exit(1);
}
process.stderr.write(`leakguard: the binary needs nothing newer than glibc ${NEWEST.join('.')}\n`);
