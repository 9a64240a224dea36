'use strict';

// Programs that analyse heap snapshots, each as a process of its own: leakguard and others.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { subjectPath } = require('./subject');

const ROOT = path.join(__dirname, '..');
const PEERS = path.join(__dirname, 'peers');
/** Where the others are built and installed. */
const BUILD = path.join(ROOT, 'build', 'benches');
const PARSER = path.join(BUILD, 'v8-heap-parser');
const MEMLAB = path.join(BUILD, 'memlab');
const ENGINE = path.join(ROOT, 'target', 'release', 'examples', 'engine');

/** Node's own limit is too low for the largest files. */
const NODE = [process.execPath, '--max-old-space-size=16384', '--require', subjectPath('report-usage')];
/** The longest string that V8 can have, and so the longest file for JSON.parse. */
const MAX_STRING = 2 ** 29 - 24;

/** CPU in us, of all threads; the largest resident size in bytes. @typedef {{ cpu: number, rss: number }} Usage */

/** @param {string} text what a process has written: what it has used stands in the last line */
function lastLine(text) {
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
}

/**
 * @param {string[]} command
 * @param {(text: string) => Usage} [usageOf]
 */
function run([program, ...args], usageOf = lastLine) {
  const { error, status, signal, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (error) throw error;
  // leakguard's 1: something is suspect.
  if (status !== 0 && status !== 1) throw new Error(`${program} ended with ${signal ?? `code ${status}`}:\n${stderr}`);
  return usageOf(stdout);
}

/**
 * Of the lines that benches/engine.rs writes, those before the summary.
 *
 * @param {string} text
 * @returns {Usage}
 */
function engineUsage(text) {
  const stages = [...text.matchAll(/^(\w+) +(\d+) ms CPU +\d+ ms +(\d+) MiB$/gm)].filter(
    ([, name]) => name !== 'summary',
  );
  const cpu = stages.reduce((sum, [, , milliseconds]) => sum + Number(milliseconds) * 1e3, 0);
  return { cpu, rss: Math.max(...stages.map(([, , , mebibytes]) => Number(mebibytes))) * 2 ** 20 };
}

/** Builds and installs them, each if need be. */
function preparePeers() {
  execFileSync('cargo', ['build', '--release', '--example', 'engine'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  execFileSync('cargo', ['build', '--release', '--target-dir', PARSER], {
    cwd: path.join(PEERS, 'v8-heap-parser'),
    stdio: ['ignore', 2, 2],
  });
  installPeer('memlab', false);
}

/**
 * Installs a package of npm's if need be.
 *
 * @param {'memlab' | 'heapdump'} name
 * @param {boolean} isNative whether it is to be compiled, which takes a C++ compiler, Python, and Node's headers: node-gyp downloads them
 * @returns {string | undefined} where it is; nothing where it could not be compiled
 */
function installPeer(name, isNative) {
  const folder = path.join(BUILD, name);
  const installed = path.join(folder, 'node_modules', name);
  if (fs.existsSync(path.join(folder, 'node_modules'))) return installed;
  fs.mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    fs.copyFileSync(path.join(PEERS, name, file), path.join(folder, file));
  const scripts = isNative ? [] : ['--ignore-scripts'];
  const { status } = spawnSync('npm', ['ci', ...scripts, '--no-audit', '--no-fund'], {
    cwd: folder,
    // memlab would bring a browser.
    env: { ...process.env, PUPPETEER_SKIP_DOWNLOAD: '1' },
    stdio: ['ignore', 2, 2],
  });
  if (status === 0) return installed;
  fs.rmSync(folder, { recursive: true });
  if (!isNative) throw new Error(`npm ci ended with ${status} in benches/peers/${name}`);
  console.error(`${name} could not be compiled: the table is without it`);
  return undefined;
}

/** The whole command. @param {string} file */
function leakguard(file) {
  return run([...NODE, path.join(ROOT, 'bin', 'leakguard.js'), 'analyze', '--json', file]);
}

/** The work that all of them do: reading, dominators, retained sizes, classes. @param {string} file */
function engine(file) {
  return run([ENGINE, file], engineUsage);
}

/** @type {Record<string, (file: string) => Usage>} */
const others = {
  'v8-heap-parser': (file) => run([path.join(PARSER, 'release', 'bench-v8-heap-parser'), file]),
  DevTools: (file) => run([...NODE, path.join(PEERS, 'devtools.js'), file]),
  memlab: (file) => run([...NODE, path.join(PEERS, 'memlab', 'load.js'), file, MEMLAB]),
  'JSON.parse': (file) => run([...NODE, path.join(PEERS, 'json-parse.js'), file]),
};

/** @param {string} file */
function othersFor(file) {
  const isTooLong = fs.statSync(file).size > MAX_STRING;
  return Object.fromEntries(Object.entries(others).filter(([name]) => name !== 'JSON.parse' || !isTooLong));
}

module.exports = { engine, installPeer, leakguard, othersFor, preparePeers };
