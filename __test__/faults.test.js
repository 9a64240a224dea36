'use strict';

// What goes wrong around a snapshot must be said, and must harm neither the process nor the folder.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { readSnapshot, readSnapshotFolder } = require('./read-snapshot');
const { startChild } = require('./start-child');
const { temporaryFolder } = require('./temporary-folder');

/** @typedef {import('node:test').TestContext} TestContext */

const isWindows = process.platform === 'win32';
const isNative = require('..').status().routes.fork.route === 'native';
const noSignals = isWindows && 'Windows has no signals';

/** Folders that take no file, whoever asks: root may write where it pleases, but not there. */
const UNFIT = {
  'is missing': (/** @type {string} */ base) => path.join(base, 'missing'),
  'is a file': (/** @type {string} */ base) => path.join(base, 'file'),
  'is below a file': (/** @type {string} */ base) => path.join(base, 'file', 'sub'),
  ...(process.platform === 'linux' ? { 'is not writable': () => '/proc' } : {}),
};

describe('a dir that', () => {
  for (const [what, unfit] of Object.entries(UNFIT)) {
    /** @param {TestContext} t */
    const prepare = (t) => {
      const base = temporaryFolder(t);
      fs.writeFileSync(path.join(base, 'file'), 'precious');
      return { base, dir: unfit(base) };
    };
    /** @param {string} base */
    const assertUntouched = (base) => {
      assert.deepEqual(fs.readdirSync(base), ['file']);
      assert.equal(fs.readFileSync(path.join(base, 'file'), 'utf8'), 'precious');
    };

    it(`${what} is named with the remedy, by call`, async (t) => {
      const { base, dir } = prepare(t);
      const leakguard = require('..');
      leakguard.start({ dir });
      t.after(() => leakguard.stop());
      await assert.rejects(leakguard.writeHeapSnapshot(), (/** @type {any} */ { name, code, message }) => {
        assert.deepEqual([name, code], ['LeakguardError', 'ERR_LEAKGUARD_DIR']);
        assert.ok(message.startsWith(`cannot write into ${dir}: `), message);
        assert.ok(message.endsWith('; make the folder writable or set another `dir`'), message);
        assert.ok(!message.includes('.tmp'), message);
        return true;
      });
      assertUntouched(base);
    });

    it(`${what} is named with the remedy, by signal`, { skip: noSignals }, async (t) => {
      const { base, dir } = prepare(t);
      const child = startChild(t, 'idle.js', { given: { options: { dir } } });
      await child.event('ready');
      for (let signals = 1; signals <= 2; signals++) {
        child.kill('SIGUSR2');
        const { error, ...rest } = (await child.event('snapshot')).message;
        assert.deepEqual(rest, { threadId: 0, trigger: 'signal' });
        assert.equal(error.code, 'ERR_LEAKGUARD_DIR');
        assert.ok(error.message.startsWith(`cannot write into ${dir}: `), error.message);
        const [line] = await child.line(/^leakguard: no heap snapshot: .*$/m);
        assert.equal(line, `leakguard: no heap snapshot: ${error.message}`);
      }
      assertUntouched(base);
    });
  }
});

describe('a limit for the size of files', { skip: isWindows && 'Windows has none' }, () => {
  // Less than any snapshot takes; without care the system would end the process by SIGXFSZ.
  const through = ['sh', '-c', 'ulimit -f 100; exec "$@"', 'sh'];

  it('is an error by call', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'write-once.js', { through, given: { options: { dir } } });
    const { name, code, message } = await child.event('failed');
    assert.deepEqual([name, code], ['LeakguardError', 'ERR_LEAKGUARD_WRITE']);
    assert.match(message, /limit for a file|file too large/);
    assert.deepEqual(await child.ended(), { code: 0, signal: null });
    assert.deepEqual(fs.readdirSync(dir), []);
  });

  it('is an error by signal', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'signal-once.js', { through, given: { options: { dir } } });
    const { error } = (await child.event('snapshot')).message;
    assert.equal(error.code, 'ERR_LEAKGUARD_WRITE');
    assert.match(error.message, /limit for a file|file too large/);
    assert.deepEqual(await child.ended(), { code: 0, signal: null });
    assert.ok(child.stderr.includes(`leakguard: no heap snapshot: ${error.message}\n`), child.stderr);
    assert.deepEqual(fs.readdirSync(dir), []);
  });

  it('does no harm where the snapshot fits', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'write-once.js', {
      through: ['sh', '-c', 'ulimit -f 1000000; exec "$@"', 'sh'],
      given: { options: { dir } },
    });
    const { file } = await child.event('written');
    assert.deepEqual(readSnapshotFolder(dir), [file]);
  });
});

describe('a full disk', { skip: isWindows && 'takes a file system of its own' }, () => {
  /**
   * @param {TestContext} t
   * @param {string} size
   */
  const prepare = (t, size) => {
    const dir = temporaryFolder(t);
    // In a mount namespace of its own, which ends with the child.
    const mount = `mount -t tmpfs -o size=${size} none '${dir}' && exec "$@"`;
    const through = ['unshare', '--map-root-user', '--mount', 'sh', '-c', mount, 'sh'];
    const [command, ...args] = [...through, 'true'];
    const { status, error } = spawnSync(command, args);
    return status === 0 && !error ? { dir, through } : undefined;
  };

  for (const by of ['call', 'signal']) {
    it(`is known before anything is begun, by ${by}`, async (t) => {
      const disk = prepare(t, '1m');
      if (!disk) return t.skip('no file system may be mounted here');
      const script = by === 'call' ? 'write-once.js' : 'signal-once.js';
      const child = startChild(t, script, { through: disk.through, given: { options: { dir: disk.dir } } });
      const { error } = (await child.event('snapshot')).message;
      assert.equal(error.code, 'ERR_LEAKGUARD_NO_ROOM');
      const words =
        /^a snapshot of about \d.* does not fit into \S+: \S+ \S+ are free there, .*make space, set another `dir`, or compress$/;
      assert.match(error.message, words);
      assert.deepEqual((await child.event('left')).left, []);
      assert.deepEqual(await child.ended(), { code: 0, signal: null });
    });
  }

  for (const compress of ['none', 'gzip']) {
    const skip = !isNative && 'takes a forked child, beside which JavaScript goes on';
    it(`that others fill meanwhile is an error, compressed: ${compress}`, { skip }, async (t) => {
      const disk = prepare(t, '200m');
      if (!disk) return t.skip('no file system may be mounted here');
      const given = { fill: true, options: { dir: disk.dir, snapshot: { compress } } };
      const child = startChild(t, 'write-once.js', { through: disk.through, given });
      const { name, code, message } = await child.event('failed');
      assert.deepEqual([name, code], ['LeakguardError', 'ERR_LEAKGUARD_WRITE']);
      assert.match(message, /no space left on device/i);
      assert.match(message, /the partial file was removed$/);
      assert.deepEqual((await child.event('left')).left, ['filling']);
      assert.deepEqual(await child.ended(), { code: 0, signal: null });
    });
  }
});

describe('stop() while a snapshot is due by signal', { skip: noSignals }, () => {
  for (const when of ['at once', 'when it is begun']) {
    it(`${when}: the process goes on and ends, and what is left is whole`, async (t) => {
      const dir = temporaryFolder(t);
      const options = { dir, snapshot: { compress: 'gzip' } };
      const child = startChild(t, 'stop-while-due.js', { given: { when, options } });
      const { files } = await child.event('stopped');
      assert.deepEqual(await child.ended(), { code: 0, signal: null });
      const left = readSnapshotFolder(dir);
      // Nothing gets its name after stop().
      assert.deepEqual(
        left.map((file) => path.basename(file)),
        files.filter((/** @type {string} */ name) => name.startsWith('Heap.')),
      );
      assert.doesNotMatch(child.stderr, /Error|Warning/);
    });
  }
});

describe('Workers', { skip: noSignals }, () => {
  it('may end while their snapshot is due', async (t) => {
    const dir = temporaryFolder(t);
    const options = { dir, snapshot: { minInterval: 0 } };
    const child = startChild(t, 'worker-ends.js', { given: { options } });
    await child.event('done');
    assert.deepEqual(await child.ended(), { code: 0, signal: null });
    for (const name of fs.readdirSync(dir).filter((file) => file.startsWith('Heap.'))) {
      readSnapshot(path.join(dir, name));
    }
  });

  it('may come and go while signals arrive', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'many-workers.js', { given: { options: { dir } } });
    const { started, signals } = await child.event('done');
    assert.deepEqual([started, signals], [20, 10]);
    assert.deepEqual(await child.ended(), { code: 0, signal: null });
    const names = fs.readdirSync(dir).filter((file) => file.startsWith('Heap.'));
    assert.ok(names.length > 0);
    for (const name of names) readSnapshot(path.join(dir, name));
  });
});

describe('process.exit', () => {
  for (const by of ['call', 'signal']) {
    it(`may be called where a snapshot by ${by} is heard of`, { skip: by === 'signal' && noSignals }, async (t) => {
      const dir = temporaryFolder(t);
      const child = startChild(t, 'exit-in-subscriber.js', { given: { by, options: { dir } } });
      const { message } = await child.event('snapshot');
      assert.equal(message.trigger, by);
      assert.deepEqual(await child.ended(), { code: 7, signal: null });
      assert.deepEqual(readSnapshotFolder(dir), [message.file]);
    });
  }

  it("may be called in a 'leak' listener", async (t) => {
    const child = startChild(t, 'announce.js', { given: { action: 'exit' } });
    assert.deepEqual(await child.ended(), { code: 7, signal: null });
  });
});

describe("a 'leak'", () => {
  it('whose listener throws gives a warning, and the process goes on', async (t) => {
    const child = startChild(t, 'announce.js', { given: { action: 'throw' } });
    const { name, code, message } = await child.event('warning');
    assert.deepEqual([name, code], ['LeakguardWarning', 'LEAKGUARD_LISTENER']);
    assert.match(message, /^leakguard: a 'leak' listener threw: Error: a slip of mine\n {4}at /);
    await child.event('went on');
    assert.deepEqual(await child.ended(), { code: 0, signal: null });
    assert.deepEqual(child.unread('warning'), []);
  });

  it('that nobody listens to gives one warning, with the functions to look at', async (t) => {
    const child = startChild(t, 'announce.js');
    const { name, code, message } = await child.event('warning');
    assert.deepEqual([name, code], ['LeakguardWarning', 'LEAKGUARD_LEAK']);
    assert.match(
      message,
      /^leakguard: the heap grew by 2 MB in a minute\n {4}at keepName \(\/srv\/shop\/names\.js:12:3\)$/m,
    );
    await child.event('went on');
    assert.deepEqual(await child.ended(), { code: 0, signal: null });
    assert.deepEqual(child.unread('warning'), []);
  });
});
