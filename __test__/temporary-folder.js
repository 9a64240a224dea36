'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/**
 * An empty folder for one test, removed when it ends.
 *
 * @param {{ after: (end: () => void) => void }} t the test's context
 */
function temporaryFolder(t) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'leakguard-test-')));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

module.exports = { temporaryFolder };
