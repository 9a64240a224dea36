'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { root } = require('./run-child');

/**
 * Copies what is published of the package into a folder, as another installation of it.
 *
 * @param {string} folder
 * @param {{ version?: string, binary?: boolean }} [changes] a version of its own; without the binary
 * @returns {string} the folder
 */
function copyPackage(folder, { version, binary = true } = {}) {
  for (const name of ['index.js', 'binding.js', 'lib']) {
    fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  for (const name of binary ? binaries() : []) fs.copyFileSync(path.join(root, name), path.join(folder, name));
  const description = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  if (version !== undefined) description.version = version;
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(description));
  return folder;
}

/** The names of the binaries that are built. */
function binaries() {
  return fs.readdirSync(root).filter((name) => name.endsWith('.node'));
}

module.exports = { binaries, copyPackage };
