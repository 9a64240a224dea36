'use strict';

// The option nearHeapLimit: a report and a snapshot before the end, and the end as it would have been.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const leakguard = require('..');
const { readSnapshot } = require('./read-snapshot');
const { runNode } = require('./run-child');
const { startChild } = require('./start-child');
const { temporaryFolder } = require('./temporary-folder');

/** @typedef {import('node:test').TestContext} TestContext */

const isNative = leakguard.status().routes.nearHeapLimit.route === 'native';
/** Small, so that it is soon reached; with a young generation that cannot go far beyond it at once. */
const SMALL_HEAP = ['--max-old-space-size=32', '--max-semi-space-size=1'];

/**
 * @param {TestContext} t
 * @param {object} given
 */
function start(t, given) {
  const dir = temporaryFolder(t);
  const options = { dir, nearHeapLimit: true, snapshot: { compress: 'gzip' } };
  // No core file of a process that ends as it should.
  const through = ['sh', '-c', 'ulimit -c 0; exec "$@"', 'sh'];
  const child = startChild(t, 'near-heap-limit.js', { through, execArgv: SMALL_HEAP, given: { ...given, options } });
  return { dir, child };
}

/**
 * The report and the snapshot, which are all that there is.
 *
 * @param {string} dir
 */
function filesIn(dir) {
  const names = fs.readdirSync(dir).sort();
  assert.equal(names.length, 2, `${names}`);
  const [snapshot, report] = names;
  assert.match(snapshot, /^Heap\.\d+\.\d+\.\d+\.\d+\.\d+\.leakguard\.heapsnapshot\.gz$/);
  assert.equal(report, snapshot.replace('.heapsnapshot.gz', '.json'));
  for (const name of names) assert.equal(fs.statSync(path.join(dir, name)).mode & 0o777, 0o600);
  return { snapshot: path.join(dir, snapshot), report: path.join(dir, report) };
}

describe('a heap near its limit', { skip: !isNative && 'takes the native route' }, () => {
  for (const [how, given] of /** @type {const} */ ([
    ['slowly', { pause: 30 }],
    ['as fast as it can', {}],
  ])) {
    it(`that fills up ${how} leaves a report and a snapshot, and the process ends as it would have`, async (t) => {
      const { dir, child } = start(t, given);
      assert.deepEqual((await child.event('ready')).status, { on: true, reason: null });
      const { code, signal } = await child.ended();
      // V8 ends a process by SIGABRT or a trap, Node 20 on by code 134 through a shell.
      assert.ok(signal === 'SIGABRT' || signal === 'SIGTRAP' || code === 134, `${code} ${signal}`);
      assert.match(child.stderr, /^leakguard: the heap is near its limit \(.* of .*\); report written to /m);
      assert.match(child.stderr, /FATAL ERROR: .*heap out of memory/);

      const { snapshot, report } = filesIn(dir);
      const { nodes } = readSnapshot(snapshot);
      assert.ok(nodes > 100_000, `${nodes} nodes`);
      const told = await leakguard.analyze(/** @type {`${string}.leakguard.json`} */ (report));
      const { limit, initialLimit, raisedBy, used, history, sites } = told;
      assert.equal(told.snapshot, snapshot);
      assert.ok(initialLimit <= limit && used > limit / 2, JSON.stringify(told));
      assert.ok(raisedBy <= 32 * 2 ** 20, `${raisedBy}`);
      assert.ok(history.length > 0);
      for (const { functionName, lineNumber } of sites) assert.ok(functionName && lineNumber > 0);
    });
  }

  it('in a Worker ends the Worker, and nobody else', async (t) => {
    const { dir, child } = start(t, { worker: true, pause: 5 });
    const { message } = await child.event('snapshot');
    assert.deepEqual([message.trigger, message.threadId, message.mode], ['nearHeapLimit', 1, 'fork']);
    assert.equal((await child.event('error')).code, 'ERR_WORKER_OUT_OF_MEMORY');
    assert.deepEqual(await child.ended(), { code: 0, signal: null });
    const { snapshot } = filesIn(dir);
    assert.equal(message.file, snapshot);
    readSnapshot(snapshot);
  });
});

describe('leakguard analyze', { skip: !leakguard.status().addon.loaded && 'takes the addon' }, () => {
  const REPORT = {
    leakguard: '0.1.0',
    version: 1,
    time: '2026-03-04T05:06:07+00:00',
    pid: 4711,
    threadId: 0,
    limit: 67_108_864,
    initialLimit: 67_108_864,
    raisedBy: 33_554_432,
    used: 66_000_000,
    external: 1_000,
    contexts: [1, 0],
    container: null,
    history: [{ time: 1_000, used: 50_000_000, external: 0, pauseMs: 2 }],
    sites: [
      {
        functionName: 'remember',
        scriptName: '/app/server.js',
        lineNumber: 12,
        columnNumber: 1,
        liveBytes: 60_000_000,
        growthBytes: 50_000_000,
        samples: 120,
        stack: [],
      },
    ],
    snapshot: 'Heap.20260304.050607.4711.0.001.leakguard.heapsnapshot',
  };

  it('reads the report of a heap that came near its limit', async (t) => {
    const file = path.join(temporaryFolder(t), 'Heap.20260304.050607.4711.0.001.leakguard.json');
    fs.writeFileSync(file, JSON.stringify(REPORT));
    const { code, stdout, stderr } = await runNode([
      path.join(__dirname, '..', 'bin', 'leakguard.js'),
      'analyze',
      file,
    ]);
    assert.deepEqual([code, stderr], [1, '']);
    assert.match(stdout, /^The heap of process 4711 was near its limit/);
    assert.match(stdout, /57\.2 MiB +47\.7 MiB +120 {2}remember \(\/app\/server\.js:12\)/);
    assert.match(stdout, /Heap\.20260304.* is not there/);
    assert.deepEqual(await leakguard.analyze(file), { ...REPORT, snapshot: null });
  });

  it('says so where a report is not whole', async (t) => {
    const file = path.join(temporaryFolder(t), 'a.leakguard.json');
    fs.writeFileSync(file, JSON.stringify(REPORT).slice(0, 200));
    await assert.rejects(leakguard.analyze(file), { code: 'ERR_LEAKGUARD_FILE' });
  });
});
