'use strict';

// What happens to a process, its forked child and its Workers while one of them takes a snapshot must leave nothing behind: no child, no
// file, no process that waits.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { describe, it } = require('node:test');
const { forkedChildren, isAlive } = require('./forked-child');
const { readSnapshotFolder } = require('./read-snapshot');
const { startChild } = require('./start-child');
const { temporaryFolder } = require('./temporary-folder');

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {ReturnType<typeof startChild>} Process */

const leakguard = require('..');
const isForking = leakguard.status().routes.fork.route === 'native';
leakguard.stop();

const JEMALLOC = '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2';
/** The phases in which there is a child. */
const CHILD_PHASES = ['collecting', 'building', 'writing'];
/** So many objects that the progress, which is told every 50 ms, meets the phase. @param {string} phase */
const enoughFor = (phase) => (phase === 'collecting' ? 800_000 : 300_000);

/**
 * @param {TestContext} t
 * @param {Record<string, unknown>} given
 * @param {import('./start-child').Given} [surroundings]
 */
function capture(t, { options = {}, ...given }, surroundings) {
  const dir = temporaryFolder(t);
  const subject = startChild(t, 'captured.js', {
    ...surroundings,
    given: { mode: 'fork', ...given, options: { dir, dumpSignal: 'none', .../** @type {object} */ (options) } },
  });
  return { dir, subject };
}

/**
 * The child that takes the snapshot, once it is in this phase.
 *
 * @param {Process} subject
 * @param {string} phase
 */
async function childIn(subject, phase) {
  for (;;) {
    const told = await subject.event('progress');
    if (told.phase === phase) break;
  }
  return theChild(subject);
}

/** @param {Process} subject */
function theChild(subject) {
  return subject.until('a forked child', () => forkedChildren(subject.pid)[0]);
}

/**
 * Waits until it is gone, which must not take as long as the watchdogs do.
 *
 * @param {number} pid
 */
async function gone(pid) {
  for (let waited = 0; isAlive(pid); waited += 20) {
    assert.ok(waited < 20_000, `process ${pid} lives on`);
    await delay(20);
  }
}

describe('a forked child', { skip: !isForking && 'takes the native route' }, () => {
  for (const where of ['the main thread', 'a Worker']) {
    for (const phase of CHILD_PHASES) {
      it(`of ${where} ends with its parent that is killed while it is ${phase}`, async (t) => {
        const { dir, subject } = capture(t, {
          where: where === 'a Worker' ? 'worker' : 'main',
          bulk: enoughFor(phase),
        });
        const child = await childIn(subject, phase);
        subject.kill('SIGKILL');
        await gone(child);
        assert.deepEqual(fs.readdirSync(dir), []);
      });
    }
  }

  it('that is killed once is followed by a second one', async (t) => {
    const { dir, subject } = capture(t, {});
    process.kill(await childIn(subject, 'building'), 'SIGKILL');
    const { file, mode } = await subject.event('written');
    assert.equal(mode, 'fork');
    assert.deepEqual(readSnapshotFolder(dir), [file]);
    assert.deepEqual(await subject.ended(), { code: 0, signal: null });
  });

  for (const [mode, maxPause, becomes] of /** @type {const} */ ([
    ['fork', '1h', 'ERR_LEAKGUARD_FORK'],
    ['auto', 1, 'ERR_LEAKGUARD_WOULD_BLOCK'],
    ['auto', '1h', 'in-process'],
  ])) {
    it(`that is killed twice: mode ${mode} with maxPause ${maxPause} becomes ${becomes}`, async (t) => {
      const { dir, subject } = capture(t, { mode, options: { snapshot: { maxPause } } });
      const first = await theChild(subject);
      process.kill(first, 'SIGKILL');
      const second = await subject.until('a second child', () =>
        forkedChildren(subject.pid).find((pid) => pid !== first),
      );
      process.kill(second, 'SIGKILL');
      if (becomes === 'in-process') {
        const written = await subject.event('written');
        assert.equal(written.mode, becomes);
        assert.deepEqual(readSnapshotFolder(dir), [written.file]);
      } else {
        const { code, message } = await subject.event('failed');
        assert.equal(code, becomes);
        assert.equal(message.match(/the child was ended by signal 9 while/g)?.length, 2, message);
        assert.deepEqual(fs.readdirSync(dir), []);
      }
      assert.deepEqual(await subject.ended(), { code: 0, signal: null });
    });
  }

  it('that stands still is ended, and a second one writes the file', async (t) => {
    const { dir, subject } = capture(t, {});
    const child = await childIn(subject, 'building');
    process.kill(child, 'SIGSTOP');
    const { file } = await subject.event('written');
    assert.ok(!isAlive(child));
    assert.deepEqual(readSnapshotFolder(dir), [file]);
  });

  it('that has no memory left is an error, and its parent goes on', async (t) => {
    const { dir, subject } = capture(t, { waits: true, bulk: 400_000 });
    await subject.event('ready');
    // Of what the snapshot takes, a part.
    const status = fs.readFileSync(`/proc/${subject.pid}/status`, 'utf8');
    const data = Number(/^VmData:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024 + 50 * 2 ** 20;
    assert.equal(spawnSync('prlimit', ['--pid', String(subject.pid), `--data=${data}:`]).status, 0);
    subject.kill('SIGHUP');
    const { code, message } = await subject.event('failed');
    assert.equal(code, 'ERR_LEAKGUARD_FORK');
    assert.match(message, /^no forked child could take the snapshot: the child was ended by signal \d+ while \w+/);
    assert.deepEqual(fs.readdirSync(dir), []);
    assert.deepEqual(await subject.ended(), { code: 0, signal: null });
  });

  it('lets its parent start processes meanwhile', async (t) => {
    const { dir, subject } = capture(t, { spawns: true, times: 4, options: { snapshot: { maxFiles: 10 } } });
    for (let time = 0; time < 4; time++) {
      await subject.event('written');
      const { counts } = await subject.event('spawned');
      assert.equal(counts.wrong, 0);
      assert.ok(counts.right > 1, `${counts.right} processes`);
    }
    assert.equal(readSnapshotFolder(dir).length, 4);
    assert.deepEqual(await subject.ended(), { code: 0, signal: null });
  });

  it('is heard of where SIGCHLD is ignored', async (t) => {
    const library = path.join(temporaryFolder(t), 'ignore.node');
    // In the process: Node sets back what it inherits.
    const source =
      '#include <signal.h>\n__attribute__((constructor)) static void ignore(void) { signal(SIGCHLD, SIG_IGN); }\n';
    const compiled = spawnSync('cc', ['-shared', '-fPIC', '-x', 'c', '-o', library, '-'], { input: source });
    if (compiled.status !== 0) return t.skip('there is no C compiler');
    const { dir, subject } = capture(t, { library, times: 2 });
    await subject.event('written');
    const status = fs.readFileSync(`/proc/${subject.pid}/status`, 'utf8');
    const ignored = BigInt(`0x${/^SigIgn:\s+(\w+)$/m.exec(status)?.[1]}`);
    assert.equal((ignored >> 16n) & 1n, 1n, 'SIGCHLD is ignored');
    await subject.event('written');
    assert.equal(readSnapshotFolder(dir).length, 2);
    assert.deepEqual(await subject.ended(), { code: 0, signal: null });
  });

  it("and its parent's handler of SIGCHLD do not get in each other's way", async (t) => {
    const { dir, subject } = capture(t, { listensToChildren: true, spawns: true });
    await subject.event('SIGCHLD');
    await subject.event('written');
    assert.equal((await subject.event('spawned')).counts.wrong, 0);
    assert.equal(readSnapshotFolder(dir).length, 1);
    assert.deepEqual(await subject.ended(), { code: 0, signal: null });
  });

  it('works with jemalloc', async (t) => {
    if (!fs.existsSync(JEMALLOC)) return t.skip(`there is no ${JEMALLOC}`);
    const { dir, subject } = capture(t, { times: 5 }, { env: { LD_PRELOAD: JEMALLOC } });
    await subject.event('written');
    assert.match(fs.readFileSync(`/proc/${subject.pid}/maps`, 'utf8'), /libjemalloc/);
    for (let time = 1; time < 5; time++) await subject.event('written');
    assert.equal(readSnapshotFolder(dir).length, 5);
    assert.deepEqual(await subject.ended(), { code: 0, signal: null });
  });
});

describe('while a snapshot is taken', { skip: !isForking && 'takes the native route' }, () => {
  for (const at of ['waiting', ...CHILD_PHASES, 'done']) {
    it(`process.exit may be called: ${at}`, async (t) => {
      const { dir, subject } = capture(t, { at, act: 'exit', bulk: enoughFor(at) });
      await subject.event('met');
      const children = forkedChildren(subject.pid);
      assert.deepEqual(await subject.ended(), { code: 7, signal: null });
      await Promise.all(children.map(gone));
      assert.equal(readSnapshotFolder(dir).length, at === 'done' ? 1 : 0);
    });
  }

  for (const at of ['waiting', ...CHILD_PHASES]) {
    it(`stop() takes it back: ${at}`, async (t) => {
      const { dir, subject } = capture(t, { at, act: 'stop', bulk: enoughFor(at) });
      await subject.event('met');
      const children = forkedChildren(subject.pid);
      assert.deepEqual((await subject.event('stopped')).left, []);
      assert.equal((await subject.event('failed')).name, 'AbortError');
      assert.deepEqual(await subject.ended(), { code: 0, signal: null });
      await Promise.all(children.map(gone));
      assert.deepEqual(fs.readdirSync(dir), []);
    });
  }

  for (const [how, act] of [
    ['be terminated', 'tell'],
    ['end itself', 'exit'],
  ]) {
    for (const at of ['waiting', ...CHILD_PHASES]) {
      it(`its Worker may ${how}, and the next one is taken: ${at}`, async (t) => {
        const { dir, subject } = capture(t, { where: 'worker', at, act, bulk: enoughFor(at) });
        await subject.event('met');
        await subject.event('worker ended');
        const { file } = await subject.event('main written');
        assert.deepEqual(await subject.ended(), { code: 0, signal: null });
        assert.deepEqual(readSnapshotFolder(dir), [file]);
      });
    }
  }
});

describe('a process that is asked by signal', { skip: !isForking && 'takes the native route' }, () => {
  for (const [act, code] of /** @type {const} */ ([
    ['end', 0],
    ['exit', 7],
    ['terminate', 0],
  ])) {
    // Now while it waits for the thread or for V8's workers, now while the child works.
    for (const after of [0, 10, 50, 200]) {
      it(`may ${act} after ${after} ms, and waits for nobody`, async (t) => {
        const dir = temporaryFolder(t);
        const subject = startChild(t, 'leaves.js', { given: { act, after, bulk: 100_000, options: { dir } } });
        await subject.event('leaving');
        const children = forkedChildren(subject.pid);
        assert.deepEqual(await subject.ended(), { code, signal: null });
        await Promise.all(children.map(gone));
        readSnapshotFolder(dir);
      });
    }
  }
});

describe('a cluster', { skip: !isForking && 'takes the native route' }, () => {
  it('whose processes get the signal at once writes one file after the other', async (t) => {
    const dir = temporaryFolder(t);
    const subject = startChild(t, 'cluster.js', { given: { options: { dir, snapshot: { maxFiles: 10 } } } });
    /** @type {{ pids: number[] }} */
    const { pids } = /** @type {any} */ (await subject.event('ready'));
    let most = 0;
    const look = setInterval(() => {
      most = Math.max(most, pids.flatMap(forkedChildren).length);
    }, 2);
    t.after(() => clearInterval(look));
    for (const pid of pids) process.kill(pid, 'SIGUSR2');
    const files = [];
    for (const _ of pids) files.push((await subject.event('snapshot')).message.file);
    assert.deepEqual(readSnapshotFolder(dir), files.sort());
    assert.deepEqual(files.map((file) => Number(path.basename(file).split('.')[3])).sort(), [...pids].sort());
    assert.equal(most, 1);
    subject.kill('SIGHUP');
    assert.deepEqual(await subject.ended(), { code: 0, signal: null });
  });
});
