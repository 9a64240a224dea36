'use strict';

// Runs one case: its server, the load on it from a child process, and the log of what the detector says.
//
//   node --require leakguard leak-fastify-audit.js --seconds 60 --out events.jsonl
//   node leak-fastify-audit.js --label     # the ground truth, as JSON
//
// Each line of the log is an event: {"t": milliseconds since the load began, "event": "leak" | "leakResolved" | "memory" | "end", ...}.

const { fork } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { parseArgs } = require('node:util');
const { getHeapStatistics } = require('node:v8');
const { makeBallast } = require('./ballast');
const { markedLines } = require('./marks');

/** How often memory is read with --memory, in a run. */
const READINGS = 18;

/**
 * What the load does: `rps` requests or messages a second in all, spread over `conns` connections.
 *
 * @typedef {object} Load
 * @property {number} rps
 * @property {number} conns
 * @property {'constant' | 'ramp' | 'wave' | 'bursts'} shape how `rps` is reached, lib/pace.js
 * @property {'http' | 'ws'} protocol
 * @property {[weight: number, method: string, path: string, bodyBytes: number][]} routes of http
 * @property {number} messages of ws: after how many a connection is replaced by a new one; 0 means never
 */

/**
 * @typedef {object} Label
 * @property {boolean} leaky
 * @property {string} kind
 * @property {string} framework
 * @property {{ fn: string, also?: string[], retain: string }} [culprit] who allocates what leaks, and the container that holds it
 * @property {'tuning' | 'held-back'} set
 * @property {number} [seconds] the least time in which it can be told
 * @property {string} [source] the file with the culprit, where that is not the case itself
 * @property {'rss'} [measure] what shows whether it grows, where the main thread's heap and external memory do not
 * @property {string} [bound] of a healthy server that may grow for the whole run: where its bound stands
 * @property {Partial<Load>} [load]
 */

/**
 * What a case is given to make its server of. `expected` is how many requests the run will see; `finish` counts what is not an HTTP
 * request.
 *
 * @typedef {{ seconds: number, expected: number, finish: () => void }} Run
 * @typedef {{ handler?: http.RequestListener, attach?: (server: http.Server) => void }} App
 */

/** @type {Load} */
const DEFAULT_LOAD = {
  rps: 400,
  conns: 16,
  shape: 'constant',
  protocol: 'http',
  routes: [[1, 'GET', '/item/{n}', 0]],
  messages: 0,
};

/**
 * @param {Label} truth
 * @param {(run: Run) => App | Promise<App>} build
 */
async function serve(truth, build) {
  const file = process.argv[1];
  const { seconds, out, rps, ballast, label, memory } = readArguments();
  const load = { ...DEFAULT_LOAD, ...truth.load };
  if (label) {
    const source = path.resolve(path.dirname(file), truth.source ?? file);
    const name = path.basename(file, path.extname(file));
    console.log(JSON.stringify({ case: name, ...truth, load: undefined, lines: markedLines(source) }));
    return;
  }
  if (rps !== undefined) load.rps = rps;

  /** @type {string[]} */
  const log = [];
  let began = performance.now();
  /** @type {(event: string, more: object) => unknown} */
  const record = (event, more) =>
    log.push(JSON.stringify({ t: Math.round(performance.now() - began), event, ...more }));
  process.on(/** @type {any} */ ('leak'), (/** @type {any} */ leak) =>
    record('leak', { leak, heapUsed: getHeapStatistics().used_heap_size }),
  );
  process.on(/** @type {any} */ ('leakResolved'), (/** @type {any} */ leak) => record('leakResolved', { leak }));

  // A server has data of its own; beside an empty heap, every leak would stand out.
  Object.assign(globalThis, { applicationData: makeBallast(ballast) });

  let finished = 0;
  let meant = 0;
  const finish = () => {
    finished++;
  };
  const app = await build({ seconds, expected: load.rps * seconds, finish });
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    response.once('close', finish);
    app.handler?.(request, response);
  });
  app.attach?.(server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));

  // Without NODE_OPTIONS, which may be how the server got its detector.
  const child = fork(path.join(__dirname, 'load.js'), [], {
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.on('message', (message) => {
    meant = /** @type {number} */ (message);
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  child.send({ port, seconds, load });
  began = performance.now();
  if (memory) setInterval(() => record('memory', memoryInUse()), (seconds * 1000) / READINGS).unref();

  setTimeout(() => {
    const { heapUsed, external, rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    record('end', {
      ...{ case: path.basename(file, path.extname(file)), leaky: truth.leaky, node: process.version },
      ...{ requests: finished, meant: Math.round(meant), heapUsed, external, rss, cpuSeconds: (user + system) / 1e6 },
    });
    if (out === undefined) console.log(log.join('\n'));
    else fs.writeFileSync(out, `${log.join('\n')}\n`);
    child.kill('SIGKILL');
    process.exit(0);
  }, seconds * 1000);
}

/** After a full collection: what is reachable. */
function memoryInUse() {
  if (!globalThis.gc) throw new Error('--memory takes node --expose-gc');
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapUsed, external, rss };
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      out: { type: 'string' },
      rps: { type: 'string' },
      ballast: { type: 'string', default: '12' },
      label: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
    },
  });
  return {
    ...{ out: values.out, label: values.label, memory: values.memory },
    ...{ seconds: Number(values.seconds), ballast: Number(values.ballast) },
    rps: values.rps === undefined ? undefined : Number(values.rps),
  };
}

module.exports = { serve };
