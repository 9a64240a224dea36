'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/**
 * The ground truth of a case, as it says it itself.
 *
 * @typedef {object} Label
 * @property {string} case
 * @property {boolean} leaky
 * @property {string} kind
 * @property {{ fn?: string, also?: string[], retain?: string | null }} [culprit]
 * @property {'tuning' | 'held-back'} [set]
 * @property {number} [seconds] the least time in which it can be told
 * @property {string} [source] the file with the culprit, where that is not the case itself
 */

/** @typedef {{ file: string, label: Label }} Case */

/**
 * Installs and builds what a corpus' package.json asks for, if need be.
 *
 * @param {string} dir
 * @returns {string} the corpus' name
 */
function prepareCorpus(dir) {
  const file = path.join(dir, 'package.json');
  if (!fs.existsSync(file)) return path.basename(dir);
  const { name, scripts } = JSON.parse(fs.readFileSync(file, 'utf8'));
  if (npm(dir, ['ls', '--depth=0'], 'ignore') !== 0) {
    const command = fs.existsSync(path.join(dir, 'package-lock.json')) ? 'ci' : 'install';
    process.stderr.write(`leakguard: installing the corpus (npm ${command})\n`);
    if (npm(dir, [command, '--no-audit', '--no-fund', '--loglevel=error']) !== 0)
      throw new Error(`\`npm ${command}\` failed in ${dir}; what it said stands above`);
  }
  if (scripts?.build !== undefined && npm(dir, ['run', '--silent', 'build']) !== 0)
    throw new Error(`\`npm run build\` failed in ${dir}; what it said stands above`);
  return name;
}

/**
 * @param {string} cwd
 * @param {string[]} args
 * @param {'ignore' | 2} [output]
 */
function npm(cwd, args, output = 2) {
  return spawnSync('npm', args, { cwd, stdio: ['ignore', output, output], shell: process.platform === 'win32' }).status;
}

/**
 * @param {string} dir
 * @param {string} node
 * @param {RegExp} only
 * @returns {Case[]} by name
 */
function listCases(dir, node, only) {
  return fs
    .readdirSync(dir)
    .filter((name) => /^(leak|ok)-.*\.m?js$/.test(name) && only.test(name))
    .sort()
    .map((name) => {
      const file = path.join(dir, name);
      const { stdout, stderr } = spawnSync(node, [file, '--label'], { encoding: 'utf8' });
      try {
        return { file, label: JSON.parse(stdout) };
      } catch {
        throw new Error(`${name} --label does not print its label:\n${stdout}${stderr}`);
      }
    });
}

module.exports = { listCases, prepareCorpus };
