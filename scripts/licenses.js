'use strict';

// npm run licenses                   writes THIRD-PARTY-LICENSES: what is linked into the binary, and on which terms
// node scripts/licenses.js --check   fails when that file is out of date
//
// Where a crate offers a choice, we take MIT.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

process.chdir(path.join(__dirname, '..'));

const FILE = 'THIRD-PARTY-LICENSES';
const TARGET = 'x86_64-unknown-linux-gnu';

/**
 * MIT software that comes without a file of its terms. `napi` stands for the generated binding.js as well.
 *
 * @type {Record<string, string[]>}
 */
const COPYRIGHTS = {
  napi: ['Copyright (c) 2020 LongYinan', 'Copyright (c) 2018 GitHub'],
  'napi-sys': ['Copyright (c) 2020 LongYinan', 'Copyright (c) 2018 GitHub'],
};

/**
 * @typedef {{ id: string, name: string, version: string, license: string, manifest_path: string, targets: { kind: string[] }[] }} Package
 * @typedef {{ id: string, deps: { pkg: string, dep_kinds: { kind: string | null }[] }[] }} Node
 * @typedef {{ packages: Package[], resolve: { root: string, nodes: Node[] } }} Metadata
 */

function main() {
  const text = render(linkedPackages(cargoMetadata()));
  if (!process.argv.includes('--check')) {
    fs.writeFileSync(FILE, text);
  } else if (!fs.existsSync(FILE) || fs.readFileSync(FILE, 'utf8') !== text) {
    process.stderr.write(`${FILE} is out of date: run \`npm run licenses\`\n`);
    process.exitCode = 1;
  }
}

/** @returns {Metadata} */
function cargoMetadata() {
  const args = ['metadata', '--locked', '--format-version', '1', '--filter-platform', TARGET];
  const maxBuffer = 64 * 1024 * 1024;
  return JSON.parse(execFileSync('cargo', args, { encoding: 'utf8', maxBuffer, stdio: ['ignore', 'pipe', 'inherit'] }));
}

/**
 * The crates whose code is in the binary: what ours reaches by normal dependencies, without what only runs in the compiler.
 *
 * @param {Metadata} metadata
 */
function linkedPackages({ packages, resolve }) {
  const packageById = new Map(packages.map((pkg) => [pkg.id, pkg]));
  const dependencies = new Map(resolve.nodes.map((node) => [node.id, node.deps]));
  /** @type {Set<Package>} */
  const linked = new Set();
  const visit = (/** @type {string} */ id) => {
    const pkg = /** @type {Package} */ (packageById.get(id));
    if (linked.has(pkg) || pkg.targets.some(({ kind }) => kind.includes('proc-macro'))) return;
    linked.add(pkg);
    for (const { pkg: dependency, dep_kinds: kinds } of dependencies.get(id) ?? []) {
      if (kinds.some(({ kind }) => kind === null)) visit(dependency);
    }
  };
  visit(resolve.root);
  return [...linked].filter(({ id }) => id !== resolve.root);
}

/** @param {Package[]} packages */
function render(packages) {
  /** @type {Map<string, string[]>} */
  const holders = new Map([[mit(['Copyright (c) The Rust Project Contributors']), ['the Rust standard library: MIT']]]);
  for (const pkg of packages) {
    const text = licenseText(pkg);
    const names = holders.get(text) ?? [];
    names.push(`${pkg.name} ${pkg.version}: ${pkg.license}`);
    holders.set(text, names);
  }
  const sections = Array.from(holders, ([text, names]) => `${names.sort().join('\n')}\n\n${text}`).sort();
  const introduction =
    "leakguard's binary contains the software below, each under its own terms.\nWhere there is a choice, leakguard takes MIT.";
  return `${[introduction, ...sections].join(`\n\n${'='.repeat(80)}\n\n`)}\n`;
}

/** @param {Package} pkg */
function licenseText({ name, license, manifest_path: manifest }) {
  if (Object.hasOwn(COPYRIGHTS, name)) return mit(COPYRIGHTS[name]);
  const folder = path.dirname(manifest);
  const files = fs.readdirSync(folder).sort();
  const matching = (/** @type {RegExp} */ pattern) => files.filter((file) => pattern.test(file));
  // A combination (AND) binds us to all of its parts.
  const takesMit = !/ AND |[()]/.test(license) && license.split(/ OR |\//).includes('MIT');
  const ofMit = takesMit ? matching(/^licen[cs]e.*mit/i) : [];
  const terms = ofMit.length > 0 ? ofMit : matching(/^(licen[cs]e|copying)/i);
  if (terms.length === 0)
    throw new Error(`${name} (${license}) has no licence file: add its copyright to ${__filename}`);
  return [...matching(/^notice/i), ...terms]
    .map((file) => tidy(fs.readFileSync(path.join(folder, file), 'utf8')))
    .join('\n\n');
}

/**
 * The MIT licence, our own file, with others' copyright in place of ours.
 *
 * @param {string[]} copyrights
 */
function mit(copyrights) {
  return tidy(fs.readFileSync('LICENSE', 'utf8').replace(/^Copyright .*$/m, copyrights.join('\n')));
}

/** @param {string} text */
function tidy(text) {
  return text
    .replace(/\r\n/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .trim();
}

main();
