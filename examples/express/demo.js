'use strict';

// The main job, end to end: runs the leaking shop (server.js) under load, waits for its `leak` event, asks for a heap
// snapshot with SIGUSR2 while the load goes on, and checks what came, how it was taken and what is in it. Exits 0 when all of it is right, else 1.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { createInterface } = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');
const Load = require('./load');

const LEAKGUARD = path.join(__dirname, '..', '..', 'bin', 'leakguard.js');
const RIGHT = ['assignRequestId', 'rememberVisitor'];
const HARMLESS = ['listProducts', 'showCart'];
const ROUTES = ['/', '/', '/', '/', '/', '/', '/products', '/cart'];
const REQUESTS_PER_SECOND = 1600;
const CONNECTIONS = 16;
const SNAPSHOT_NAME = /^Heap\.\d{8}\.\d{6}\.\d+\.\d+\.\d+\.leakguard\.heapsnapshot$/;

// Together within 2 minutes.
const START_MS = 10_000;
const LEAK_MS = 75_000;
const SNAPSHOT_MS = 20_000;
const TOTAL_MS = 118_000;

const POLL_MS = 500;
const PLAIN_PROGRESS_MS = 5_000;
const AFTERWARDS_MS = 2_000;

/** @typedef {import('leakguard').Leak} Leak */
/** @typedef {{ heapUsed: number, leaks: Leak[], snapshots: { file: string, mode: string, pauseMs: number, durationMs: number }[], routes: { fork: { route: string } } }} Health */

async function main() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'leakguard-demo-'));
  const server = new Server(dir);
  const port = await until(START_MS, 'the server to listen', () => server.port);
  const load = new Load({ port, routes: ROUTES, perSecond: REQUESTS_PER_SECOND, connections: CONNECTIONS });

  say(
    `\n1. Load: ${REQUESTS_PER_SECOND} requests a second for ${[...new Set(ROUTES)].join(', ')}, until the leak is found`,
  );
  const leak = await firstLeak(server, load);

  say(`\n2. The leak event\n${describeLeak(leak)}`);
  checkLeak(leak);

  say('\n3. SIGUSR2, while the load goes on');
  const { file, slowest } = await dump(server, load, dir);
  const { leaks, snapshots, routes } = await until(START_MS, 'a message on leakguard:snapshot', async () => {
    const health = await server.health();
    return health?.snapshots.length ? health : undefined;
  });
  const [{ mode, pauseMs, durationMs }] = snapshots;
  say(
    `   taken ${mode === 'fork' ? 'by a forked child' : 'in the process itself'} in ${durationMs.toFixed(0)} ms, of which JavaScript ` +
      `stood still for ${pauseMs.toFixed(1)} ms; the slowest request meanwhile took ${slowest.toFixed(0)} ms`,
  );
  checkEqual('the way in which it was taken', mode, routes.fork.route === 'native' ? 'fork' : 'in-process');
  load.stop();
  server.stop();

  say('\n4. The snapshot');
  checkSnapshot(file);
  leaks.forEach(checkHarmless);

  say('\n5. What is in it: leakguard analyze');
  const keeper = checkAnalysis(file);

  say('\nAll is well.');
  say(`  leak          ${place(leak.sites[0])}`);
  say(`  not reported  ${HARMLESS.join(', ')}`);
  say(`  snapshot      ${file}`);
  say(`  pause         ${pauseMs.toFixed(1)} ms (${mode}); slowest request meanwhile ${slowest.toFixed(0)} ms`);
  say(`  what keeps it ${keeper}`);
  say('  to look on    npx leakguard analyze FILE, or Chrome DevTools > Memory > Load profile');
}

/** The shop in a process of its own, which does not outlive this one. */
class Server {
  /** @type {number | undefined} known once it listens */
  port;
  #child;
  #stopped = false;

  /** @param {string} dir where its dumps go */
  constructor(dir) {
    // Where nothing can be forked the shop may stand still.
    const options = [process.env.LEAKGUARD_OPTIONS, `dir=${dir}`, 'snapshot.maxPause=15s'].filter(Boolean).join(',');
    this.#child = spawn(process.execPath, [path.join(__dirname, 'server.js')], {
      env: { ...process.env, PORT: '0', NODE_ENV: 'production', LEAKGUARD_OPTIONS: options },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    process.once('exit', () => this.#child.kill('SIGKILL'));
    this.#child.once('error', fail);
    this.#child.once('close', (code, signal) => {
      if (!this.#stopped)
        fail(new Error(`expected the server to run on, but it ended with ${signal ?? `code ${code}`}`));
    });
    createInterface(this.#child.stderr).on('line', (line) => say(`   server: ${line}`));
    createInterface(this.#child.stdout).on('line', (line) => {
      say(`   server: ${line}`);
      const port = /listening on .*:(\d+)$/.exec(line)?.[1];
      if (port) this.port = Number(port);
    });
  }

  /** @returns {Promise<Health | undefined>} undefined if it cannot answer; where it has ended, the demo ends too */
  async health() {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/health`);
      return /** @type {Health} */ (await response.json());
    } catch {
      return undefined;
    }
  }

  askForSnapshot() {
    this.#child.kill('SIGUSR2');
  }

  stop() {
    this.#stopped = true;
    this.#child.kill();
  }
}

/**
 * @param {Server} server
 * @param {Load} load
 * @returns {Promise<Leak>}
 */
function firstLeak(server, load) {
  const start = performance.now();
  return until(LEAK_MS, 'a `leak` event', async () => {
    const health = await server.health();
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    if (health) progress(`   ${seconds} s, ${load.answered} requests, heap ${megabytes(health.heapUsed)}`);
    return health?.leaks[0];
  });
}

/** @param {Leak} leak */
function describeLeak({ kind, growth, reason, confidence, evidence, sites, retainers }) {
  const [first, ...others] = sites;
  assert(first, `expected the ${kind} leak to name its sites, but it names none: ${reason}`);
  return [
    `   function    ${first.functionName}`,
    `   where       ${first.scriptName}:${first.lineNumber}`,
    `   growth      ${megabytes(growth)} (${kind}), ${megabytes(first.growthBytes)} of it sampled here`,
    `   reason      ${reason}`,
    `   confidence  ${confidence.toFixed(2)}, from ${evidence.join(', ')}`,
    ...others.slice(0, 2).map((site) => `   next site   ${place(site)}`),
    ...retainers.slice(0, 1).map((retainer) => `   held by     ${retainer.path}`),
  ].join('\n');
}

/** @param {Leak} leak */
function checkLeak(leak) {
  const named = leak.sites.slice(0, 3).map((site) => site.functionName);
  assert(
    named.some((name) => RIGHT.includes(name)),
    `expected ${RIGHT.join(' or ')} among the first three sites, but they are ${named.join(', ')}`,
  );
  checkHarmless(leak);
}

/** @param {Leak} leak */
function checkHarmless({ id, sites }) {
  const name = sites[0]?.functionName;
  assert(
    !HARMLESS.includes(name),
    `expected leak ${id} to name what leaks, but its first site is ${name}, which does not`,
  );
}

/**
 * Asks for a snapshot, waits for it and shows that the server goes on serving.
 *
 * @param {Server} server
 * @param {Load} load
 * @param {string} dir
 * @returns {Promise<{ file: string, slowest: number }>} the snapshot's path, and how long the slowest request took meanwhile, in ms
 */
async function dump(server, load, dir) {
  const before = load.answered;
  const slowestBefore = load.takeSlowest();
  server.askForSnapshot();
  const name = await until(SNAPSHOT_MS, `a file named ${SNAPSHOT_NAME.source} in ${dir}`, () =>
    fs.readdirSync(dir).find((entry) => SNAPSHOT_NAME.test(entry)),
  );
  const written = load.answered;
  const slowest = load.takeSlowest();
  await sleep(AFTERWARDS_MS);
  const after = load.answered;
  say(
    `   requests answered: ${before} before, +${written - before} while it was written, +${after - written} in the ` +
      `${AFTERWARDS_MS / 1000} s after; ${load.failed} failed`,
  );
  say(
    `   slowest request: ${slowestBefore.toFixed(0)} ms before, ${slowest.toFixed(0)} ms while it was written, ` +
      `${load.takeSlowest().toFixed(0)} ms after`,
  );
  assert(after > written, 'expected requests to go on after the snapshot, but none was answered');
  return { file: path.join(dir, name), slowest };
}

/** @param {string} file */
function checkSnapshot(file) {
  const { size, mode } = fs.statSync(file);
  checkEqual('its mode', (mode & 0o777).toString(8), '600');
  const { snapshot, nodes, edges, strings } = JSON.parse(fs.readFileSync(file, 'utf8'));
  checkEqual('its number of nodes', nodes.length / snapshot.meta.node_fields.length, snapshot.node_count);
  checkEqual('its number of edges', edges.length / snapshot.meta.edge_fields.length, snapshot.edge_count);
  assert(strings.includes('maps'), `expected the leaking Map's name, maps, in ${file}`);
  say(
    `   ${megabytes(size)}, ${snapshot.node_count} nodes, ${snapshot.edge_count} edges, whole, readable by its owner only`,
  );
}

/**
 * @param {string} file
 * @returns {string} what keeps the leak
 */
function checkAnalysis(file) {
  const { stdout, stderr } = spawnSync(process.execPath, [LEAKGUARD, 'analyze', '--json', file], { encoding: 'utf8' });
  assert(stdout !== '', `expected an analysis of ${file}: ${stderr}`);
  const { suspects } = JSON.parse(stdout);
  for (const { path: keeper, reason } of suspects) say(`   ${keeper}\n     ${reason}`);
  const [suspect] = suspects;
  assert(
    suspect?.path.endsWith('› maps :Map'),
    `expected the Map maps as the first suspect, not ${suspect?.path ?? 'none'}`,
  );
  return suspect.path;
}

/**
 * @template T
 * @param {string} what
 * @param {T} actual
 * @param {T} expected
 */
function checkEqual(what, actual, expected) {
  assert.equal(actual, expected, `expected ${what} to be ${expected}, but it is ${actual}`);
}

/**
 * Waits until `probe` finds something.
 *
 * @template T
 * @param {number} ms
 * @param {string} what
 * @param {() => T | undefined | Promise<T | undefined>} probe
 * @returns {Promise<T>}
 */
async function until(ms, what, probe) {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(POLL_MS)) {
    const found = await probe();
    if (found !== undefined) return found;
  }
  throw new Error(`expected ${what} within ${ms / 1000} s, but it did not come`);
}

/** @param {Leak['sites'][number]} site */
function place({ functionName, scriptName, lineNumber }) {
  return `${functionName} (${scriptName}:${lineNumber})`;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

const CLEAR_LINE = '\r\x1b[K';
let lastProgress = -Infinity;

/** @param {string} text a line that the next one replaces; without a terminal, a line now and then */
function progress(text) {
  if (process.stdout.isTTY) {
    process.stdout.write(CLEAR_LINE + text);
  } else if (performance.now() - lastProgress >= PLAIN_PROGRESS_MS) {
    lastProgress = performance.now();
    console.log(text);
  }
}

/** @param {string} text */
function say(text) {
  if (process.stdout.isTTY) process.stdout.write(CLEAR_LINE);
  console.log(text);
}

/**
 * Ends the demo, and with it the server, whose output stands above.
 *
 * @param {Error} error
 */
function fail(error) {
  say(`\nThe demo failed: ${error.message}`);
  process.exit(1);
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => process.exit(128 + os.constants.signals[signal]));
}
setTimeout(() => fail(new Error(`expected all of it within ${TOTAL_MS / 1000} s`)), TOTAL_MS).unref();
main().catch(fail);
