'use strict';

// writeHeapSnapshot(): what it answers, what it writes, and what it refuses.

const assert = require('node:assert/strict');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const fs = require('node:fs');
const path = require('node:path');
const { beforeEach, describe, it } = require('node:test');
const { threadId } = require('node:worker_threads');
const leakguard = require('..');
const { readSnapshot, readSnapshotFolder } = require('./read-snapshot');
const { temporaryFolder } = require('./temporary-folder');

/** Stands in every snapshot of this process. */
class KeptForTheSnapshot {}
const kept = new KeptForTheSnapshot();

const forks = leakguard.status().routes.fork.route === 'native';
const takesForked = forks ? false : 'takes a forked child';

/** Options of the language that are wrong on purpose. */
const writeHeapSnapshot = /** @type {(...args: any[]) => Promise<leakguard.SnapshotResult>} */ (
  leakguard.writeHeapSnapshot
);

/**
 * What `leakguard:snapshot` carries while `run` runs.
 *
 * @param {() => Promise<unknown>} run
 */
async function messagesDuring(run) {
  /** @type {any[]} */
  const messages = [];
  const note = (/** @type {unknown} */ message) => messages.push(message);
  subscribe('leakguard:snapshot', note);
  try {
    await run();
  } finally {
    unsubscribe('leakguard:snapshot', note);
  }
  return messages;
}

describe('writeHeapSnapshot', () => {
  let dir = '';

  beforeEach((t) => {
    dir = temporaryFolder(/** @type {import('node:test').TestContext} */ (t));
    // Where nothing can be forked, the heap of a test may be too large for a second.
    leakguard.start({ dir, snapshot: { maxPause: '5 min' } });
  });

  it('tells what it wrote', async () => {
    const result = await leakguard.writeHeapSnapshot();

    assert.deepEqual(Object.keys(result).sort(), [
      'bytes',
      'durationMs',
      'file',
      'mode',
      'nodes',
      'pauseMs',
      'redacted',
    ]);
    const { size, mode } = fs.statSync(result.file);
    assert.equal(result.bytes, size);
    assert.equal(result.mode, forks ? 'fork' : 'in-process');
    assert.equal(result.redacted, false);
    assert.ok(result.pauseMs > 0, `${result.pauseMs} ms`);
    assert.ok(result.durationMs >= result.pauseMs, `${result.durationMs} ms, ${result.pauseMs} ms of them blocked`);
    assert.equal(mode & 0o777, 0o600);

    const { nodes, strings } = readSnapshot(result.file);
    assert.equal(result.nodes, nodes);
    assert.ok(strings.includes(kept.constructor.name));
  });

  it('names the file after the time, the process, the thread and the place in the row', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const results = [await leakguard.writeHeapSnapshot(), await leakguard.writeHeapSnapshot()];
    const after = Date.now();

    const sequence = results.map(({ file }) => {
      assert.equal(path.dirname(file), dir);
      const form = /^Heap\.(\d{4})(\d\d)(\d\d)\.(\d\d)(\d\d)(\d\d)\.(\d+)\.(\d+)\.(\d{3,})\.leakguard\.heapsnapshot$/;
      const parts = form.exec(path.basename(file))?.slice(1).map(Number);
      assert.ok(parts, file);
      const [year, month, day, hour, minute, second, pid, tid, number] = parts;
      const time = new Date(year, month - 1, day, hour, minute, second).getTime();
      assert.ok(time >= before && time <= after, `${new Date(time)}`);
      assert.equal(pid, process.pid);
      assert.equal(tid, threadId);
      return number;
    });
    assert.equal(sequence[1], sequence[0] + 1);
    assert.deepEqual(
      readSnapshotFolder(dir),
      results.map(({ file }) => file),
    );
  });

  it('takes a relative file as relative to dir', async () => {
    fs.mkdirSync(path.join(dir, 'inner'));
    const { file } = await leakguard.writeHeapSnapshot('inner/mine.heapsnapshot');
    assert.equal(file, path.join(dir, 'inner', 'mine.heapsnapshot'));
    readSnapshot(file);
  });

  it('takes an absolute file wherever it is', async (t) => {
    const elsewhere = path.join(temporaryFolder(t), 'mine.heapsnapshot');
    const { file } = await leakguard.writeHeapSnapshot(elsewhere);
    assert.equal(file, elsewhere);
    readSnapshot(file);
    assert.deepEqual(fs.readdirSync(dir), []);
  });

  it('compresses when asked by call', async () => {
    const { file, bytes, nodes } = await leakguard.writeHeapSnapshot(undefined, { compress: 'gzip' });
    assert.match(file, /\.leakguard\.heapsnapshot\.gz$/);
    assert.equal(bytes, fs.statSync(file).size);
    assert.equal(readSnapshot(file).nodes, nodes);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readSnapshotFolder(dir), [file]);
  });

  it('compresses when asked by option, unless the call says otherwise', async (t) => {
    t.after(() => leakguard.start({ snapshot: { compress: 'none' } }));
    leakguard.start({ snapshot: { compress: 'gzip' } });
    const packed = await leakguard.writeHeapSnapshot();
    const plain = await leakguard.writeHeapSnapshot(undefined, { compress: 'none' });
    assert.match(packed.file, /\.heapsnapshot\.gz$/);
    assert.match(plain.file, /\.heapsnapshot$/);
    assert.ok(packed.bytes < plain.bytes / 2, `${packed.bytes} of ${plain.bytes} bytes`);
    assert.deepEqual(readSnapshotFolder(dir), [packed.file, plain.file].sort());
  });

  it('is taken in-process when asked by call', async () => {
    const { file, mode, nodes } = await leakguard.writeHeapSnapshot(undefined, { mode: 'in-process' });
    assert.equal(mode, 'in-process');
    assert.equal(readSnapshot(file).nodes, nodes);
    assert.deepEqual(readSnapshotFolder(dir), [file]);
  });

  it('blocks the thread for a small part of the time that it takes when it is forked', {
    skip: takesForked,
  }, async () => {
    const { mode, pauseMs, durationMs } = await leakguard.writeHeapSnapshot(undefined, { mode: 'fork' });
    assert.equal(mode, 'fork');
    assert.ok(pauseMs < durationMs / 2, `${pauseMs} of ${durationMs} ms`);
  });

  it('is refused where a child has to be forked and none can', { skip: forks && 'it can' }, async () => {
    await assert.rejects(leakguard.writeHeapSnapshot(undefined, { mode: 'fork' }), { code: 'ERR_LEAKGUARD_FORK' });
    assert.deepEqual(fs.readdirSync(dir), []);
  });

  it('is refused where it would stop the thread for too long, with the remedies', {
    skip: forks && 'it forks',
  }, async () => {
    const promise = leakguard.writeHeapSnapshot(undefined, { maxPause: 1 });
    await assert.rejects(promise, (/** @type {any} */ { code, message }) => {
      assert.equal(code, 'ERR_LEAKGUARD_WOULD_BLOCK');
      assert.match(
        message,
        /for about \d+\.\d s, more than `snapshot\.maxPause` \(0\.0 s\), .*raise `snapshot\.maxPause`/,
      );
      return true;
    });
    assert.deepEqual(fs.readdirSync(dir), []);
    await leakguard.writeHeapSnapshot('insisted', { maxPause: 1, mode: 'in-process' });
    readSnapshot(path.join(dir, 'insisted'));
  });

  for (const mode of forks ? ['fork', 'in-process'] : ['in-process']) {
    it(`leaves out what strings say when asked to: ${mode}`, async () => {
      const secret = ['hunter2', process.pid, 'secret'].join('-');
      const wanted = /** @type {any} */ ({ mode });
      const plain = await leakguard.writeHeapSnapshot('plain', wanted);
      const redacted = await leakguard.writeHeapSnapshot('redacted', { ...wanted, redact: true, compress: 'gzip' });
      assert.deepEqual([plain.redacted, redacted.redacted], [false, true]);
      assert.ok(readSnapshot(plain.file).strings.includes(secret), 'it is in the heap');
      fs.renameSync(redacted.file, `${redacted.file}.gz`);
      const { nodes, strings } = readSnapshot(`${redacted.file}.gz`);
      assert.equal(redacted.nodes, nodes);
      assert.ok(!strings.some((string) => string.includes(secret)), 'it is in no string');
      assert.ok(strings.includes(kept.constructor.name), 'what code says stays');
    });
  }

  it('tells its progress', async () => {
    /** @type {leakguard.SnapshotProgress[]} */
    const progress = [];
    const onProgress = (/** @type {leakguard.SnapshotProgress} */ step) => progress.push(step);
    const { bytes } = await leakguard.writeHeapSnapshot(undefined, { onProgress, compress: 'gzip' });
    const order = ['waiting', 'collecting', 'building', 'writing', 'syncing', 'done'];
    const phases = progress.map(({ phase }) => order.indexOf(phase));
    assert.deepEqual([...phases].sort(), phases, JSON.stringify(progress));
    assert.deepEqual(progress[0], { phase: 'waiting', fraction: null, bytes: 0 });
    assert.deepEqual(progress.at(-1), { phase: 'done', fraction: null, bytes });
    for (const { fraction, bytes: written } of progress) {
      assert.ok(fraction === null || (fraction >= 0 && fraction <= 1), `${fraction}`);
      assert.ok(written <= bytes);
    }
  });

  it('is given up when its progress is told to someone who throws', { skip: takesForked }, async () => {
    const error = new Error('a slip of mine');
    const onProgress = (/** @type {leakguard.SnapshotProgress} */ { phase }) => {
      if (phase !== 'waiting') throw error;
    };
    await assert.rejects(leakguard.writeHeapSnapshot('a', { onProgress }), error);
    // Also where the file was whole before anybody heard of it.
    assert.ok(fs.readdirSync(dir).every((name) => name === 'a'));
  });

  it('is given up in the middle by its signal, and leaves nothing behind', { skip: takesForked }, async () => {
    for (const mode of /** @type {const} */ (['fork', 'in-process'])) {
      const abort = new AbortController();
      const promise = leakguard.writeHeapSnapshot('a', { mode, signal: abort.signal, redact: true });
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      const reason = new Error('not any more');
      abort.abort(reason);
      await assert.rejects(promise, reason);
      assert.deepEqual(fs.readdirSync(dir), []);
    }
    await leakguard.writeHeapSnapshot('a');
    readSnapshot(path.join(dir, 'a'));
  });

  it('is refused by a signal that was aborted before', async () => {
    const reason = new Error('not now');
    await assert.rejects(leakguard.writeHeapSnapshot('a', { signal: AbortSignal.abort(reason) }), reason);
    await assert.rejects(leakguard.writeHeapSnapshot('a', { signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.deepEqual(fs.readdirSync(dir), []);
  });

  it('is taken back by a signal that is aborted in the same turn', async () => {
    const abort = new AbortController();
    const promise = leakguard.writeHeapSnapshot('a', { signal: abort.signal });
    abort.abort();
    await assert.rejects(promise, { name: 'AbortError' });
    assert.deepEqual(fs.readdirSync(dir), []);

    await leakguard.writeHeapSnapshot('a');
    readSnapshot(path.join(dir, 'a'));
  });

  it('writes one file for two calls at once that name none', async () => {
    const [first, second] = await Promise.all([leakguard.writeHeapSnapshot(), leakguard.writeHeapSnapshot()]);
    assert.equal(first.file, second.file);
    assert.deepEqual(readSnapshotFolder(dir), [first.file]);
  });

  it('joins no calls that want different things', async () => {
    const first = leakguard.writeHeapSnapshot();
    await assert.rejects(leakguard.writeHeapSnapshot(undefined, { compress: 'gzip' }), { code: 'ERR_LEAKGUARD_BUSY' });
    const { file } = await first;
    assert.deepEqual(readSnapshotFolder(dir), [file]);
  });

  it('writes one at a time: a second one with a name of its own is refused', async () => {
    const first = leakguard.writeHeapSnapshot('first');
    await assert.rejects(leakguard.writeHeapSnapshot('second'), { name: 'LeakguardError', code: 'ERR_LEAKGUARD_BUSY' });
    await assert.rejects(leakguard.writeHeapSnapshot(), { code: 'ERR_LEAKGUARD_BUSY' });
    await first;
    assert.deepEqual(fs.readdirSync(dir), ['first']);

    await leakguard.writeHeapSnapshot('second');
    assert.deepEqual(fs.readdirSync(dir), ['first', 'second']);
  });

  it('overwrites nothing', async () => {
    const file = path.join(dir, 'precious');
    fs.writeFileSync(file, 'precious');
    await assert.rejects(leakguard.writeHeapSnapshot('precious'), (/** @type {any} */ error) => {
      assert.equal(error.code, 'ERR_LEAKGUARD_EXISTS');
      assert.ok(error.message.includes(file), error.message);
      return true;
    });
    assert.equal(fs.readFileSync(file, 'utf8'), 'precious');
    assert.deepEqual(fs.readdirSync(dir), ['precious']);
  });

  it('follows no symbolic link', async () => {
    const elsewhere = path.join(dir, 'elsewhere');
    fs.symlinkSync(elsewhere, path.join(dir, 'link'));
    await assert.rejects(leakguard.writeHeapSnapshot('link'), { code: 'ERR_LEAKGUARD_EXISTS' });
    assert.deepEqual(fs.readdirSync(dir), ['link']);
  });

  for (const umask of [0, 0o777]) {
    it(`is for its owner only, whatever the umask is: ${umask.toString(8)}`, async (t) => {
      const before = process.umask(umask);
      t.after(() => process.umask(before));
      for (const options of [{}, { redact: true }, { compress: /** @type {const} */ ('gzip') }]) {
        const { file } = await leakguard.writeHeapSnapshot(undefined, options);
        assert.equal(fs.statSync(file).mode & 0o777, 0o600);
      }
    });
  }

  for (const [what, Class, ...args] of /** @type {Array<[string, typeof TypeError | typeof RangeError, ...any[]]>} */ ([
    ['a file that is a number', TypeError, 1],
    ['a file that is null', TypeError, null],
    ['a file without a name', TypeError, ''],
    ['a file that no system takes', RangeError, 'a\0b'],
    ['options in the place of the file', TypeError, { compress: 'gzip' }],
    ['options that are null', TypeError, 'a', null],
    ['options that are text', TypeError, 'a', 'gzip'],
    ['an unknown option', TypeError, 'a', { compression: 'gzip' }],
    ['an unknown compression', RangeError, 'a', { compress: 'zip' }],
    ['a compression that is no text', TypeError, 'a', { compress: true }],
    ['an unknown mode', RangeError, 'a', { mode: 'quick' }],
    ['a signal that is none', TypeError, 'a', { signal: 'SIGUSR2' }],
    ['progress that is no function', TypeError, 'a', { onProgress: true }],
    ['a minInterval that is no duration', TypeError, 'a', { minInterval: 'soon' }],
  ])) {
    it(`rejects ${what}`, async () => {
      const promise = writeHeapSnapshot(...args);
      await assert.rejects(promise, { name: Class.name, code: 'ERR_LEAKGUARD_OPTION' });
      assert.deepEqual(fs.readdirSync(dir), []);
    });
  }

  it('is aborted by stop(), and works without being armed', async (t) => {
    t.after(() => leakguard.start());
    const pending = leakguard.writeHeapSnapshot('a');
    leakguard.stop();
    await assert.rejects(pending, { name: 'AbortError' });
    assert.deepEqual(fs.readdirSync(dir), []);

    await leakguard.writeHeapSnapshot('b');
    readSnapshot(path.join(dir, 'b'));
  });

  it('is told on leakguard:snapshot', async () => {
    /** @type {leakguard.SnapshotResult | undefined} */
    let result;
    const messages = await messagesDuring(async () => {
      result = await leakguard.writeHeapSnapshot('a');
    });
    assert.deepEqual(messages, [Object.assign({ threadId, trigger: 'call' }, result)]);
  });

  it('is told on leakguard:snapshot and counted when it fails', async () => {
    await leakguard.writeHeapSnapshot('a');
    const before = leakguard.status().snapshots;
    const messages = await messagesDuring(() => assert.rejects(leakguard.writeHeapSnapshot('a')));
    assert.equal(messages.length, 1);
    const [{ error, ...rest }] = messages;
    assert.deepEqual(rest, { threadId, trigger: 'call' });
    assert.equal(error.code, 'ERR_LEAKGUARD_EXISTS');
    assert.match(error.message, /exists already/);

    const { written, failed, last, lastError } = leakguard.status().snapshots;
    assert.deepEqual([written, failed], [before.written, before.failed + 1]);
    assert.equal(last?.error, undefined);
    assert.deepEqual(lastError, messages[0]);
    const { count, time, reason } = leakguard.status().snapshots.refusals.ERR_LEAKGUARD_EXISTS;
    assert.equal(count, (before.refusals.ERR_LEAKGUARD_EXISTS?.count ?? 0) + 1);
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
    assert.equal(reason, error.message);
  });
});
