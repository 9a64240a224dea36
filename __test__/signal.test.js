'use strict';

// The signal that asks for a snapshot: SIGUSR2, unless another was chosen.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const leakguard = require('..');
const { readSnapshot, readSnapshotFolder } = require('./read-snapshot');
const { startChild } = require('./start-child');
const { temporaryFolder } = require('./temporary-folder');

const interruptible = leakguard.status().routes.interrupt.route === 'native';
leakguard.stop();

/** Snapshots as fast as they are asked for. */
const WITHOUT_PAUSE = { minInterval: 0 };

describe('a signal', { skip: process.platform === 'win32' && 'Windows has none' }, () => {
  it('has an idle process write a snapshot, and say so', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { options: { dir } } });
    assert.deepEqual((await child.event('ready')).signal, { name: 'SIGUSR2', handled: true, reason: null });
    child.kill('SIGUSR2');

    const { message } = await child.event('snapshot');
    const { file, bytes, nodes, mode, pauseMs, durationMs, ...rest } = message;
    assert.deepEqual(rest, { redacted: false, threadId: 0, trigger: 'signal' });
    assert.equal(mode, leakguard.status().routes.fork.route === 'native' ? 'fork' : 'in-process');
    assert.ok(pauseMs > 0 && durationMs >= pauseMs, `${pauseMs} ms of ${durationMs} ms`);
    assert.equal(bytes, fs.statSync(file).size);
    assert.equal(nodes, readSnapshot(file).nodes);
    assert.match(path.basename(file), new RegExp(`^Heap\\.\\d{8}\\.\\d{6}\\.${child.pid}\\.0\\.001\\.leakguard\\.`));
    assert.deepEqual(readSnapshotFolder(dir), [file]);

    const [line, saidFile, saidNodes] = await child.line(
      /^leakguard: heap snapshot written to (\S+) \(\d[\d.]* [KM]?i?B, (\d+) nodes, blocked for \d+ ms\)$/m,
    );
    assert.equal(saidFile, file);
    assert.equal(Number(saidNodes), nodes);
    assert.equal(child.stderr, `${line}\n`);
  });

  it('does not keep a server from answering', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'server.js', { given: { options: { dir } } });
    const { port } = await child.event('ready');
    const get = async (/** @type {string} */ name) => (await fetch(`http://127.0.0.1:${port}/${name}`)).text();

    assert.equal(await get('before'), '1');
    child.kill('SIGUSR2');
    assert.equal(await get('meanwhile'), '2');
    const { message } = await child.event('snapshot');
    assert.equal(await get('after'), '3');
    assert.ok(readSnapshot(message.file).strings.includes('KeptRequest'));
  });

  it('comes through while JavaScript spins', { skip: !interruptible && 'takes the native route' }, async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'spin.js', { given: { options: { dir } } });
    await child.event('ready');
    child.kill('SIGUSR2');
    const [, file] = await child.line(/written to (\S+)/);
    assert.deepEqual(readSnapshotFolder(dir), [file]);
  });

  it('is answered when the event loop turns, by whatever route', async (t) => {
    const dir = temporaryFolder(t);
    const until = path.join(temporaryFolder(t), 'until');
    const child = startChild(t, 'spin.js', { given: { until, options: { dir } } });
    await child.event('ready');
    child.kill('SIGUSR2');
    if (interruptible) await child.line(/written to/);
    fs.writeFileSync(until, '');

    const { files } = await child.event('turning');
    const { message } = await child.event('snapshot');
    assert.deepEqual(files, interruptible ? [path.basename(message.file)] : []);
    assert.deepEqual(readSnapshotFolder(dir), [message.file]);
  });

  for (const [what, spin] of /** @type {Array<[string, boolean]>} */ ([
    ['a Worker', false],
    ['a Worker that spins', true],
  ])) {
    const skip = spin && !interruptible && 'takes the native route';
    it(`reaches ${what} as well as the main thread`, { skip }, async (t) => {
      const dir = temporaryFolder(t);
      const child = startChild(t, 'worker.js', { given: { spin, options: { dir } } });
      const { threadId } = await child.event('ready');
      child.kill('SIGUSR2');

      const messages = [(await child.event('snapshot')).message, (await child.event('snapshot')).message];
      messages.sort((a, b) => a.threadId - b.threadId);
      assert.deepEqual(
        messages.map((message) => [message.threadId, message.trigger]),
        [
          [0, 'signal'],
          [threadId, 'signal'],
        ],
      );
      const [main, worker] = messages.map(({ file }) => file);
      assert.match(path.basename(main), /^Heap\.\d+\.\d+\.\d+\.0\./);
      assert.match(path.basename(worker), new RegExp(`^Heap\\.\\d+\\.\\d+\\.\\d+\\.${threadId}\\.`));
      assert.deepEqual(readSnapshotFolder(dir), [main, worker].sort());
      const [, saidFile] = await child.line(new RegExp(`heap snapshot of worker ${threadId} written to (\\S+)`));
      assert.equal(saidFile, worker);
    });
  }

  it('may come in a burst: one file at a time, and each is whole', async (t) => {
    const dir = temporaryFolder(t);
    const options = { dir, snapshot: { ...WITHOUT_PAUSE, compress: 'gzip', maxFiles: 100 } };
    const child = startChild(t, 'idle.js', { given: { options } });
    await child.event('ready');
    let most = 0;
    for (let signals = 0; signals < 40; signals++) {
      child.kill('SIGUSR2');
      const begun = new Set(fs.readdirSync(dir).flatMap((name) => /^\.leakguard-[^.]+/.exec(name) ?? []));
      most = Math.max(most, begun.size);
      // The pace of someone who is impatient.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { message } = await child.event('snapshot');
    assert.ok(most <= 1, `${most} snapshots at once`);

    // What the last signals asked for.
    await child.until('quiet', () => {
      const said = child.stderr.match(/^leakguard: heap snapshot written/gm)?.length;
      const names = fs.readdirSync(dir);
      return (said === names.length && names.every((name) => name.startsWith('Heap.'))) || undefined;
    });
    child.kill('SIGUSR2');
    await child.event('snapshot');
    child.kill('SIGKILL');
    assert.deepEqual(await child.ended(), { code: null, signal: 'SIGKILL' });
    readSnapshot(message.file);
  });

  it('may come a hundred times in a second: one file, and few words', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { options: { dir, snapshot: { minInterval: '1 min' } } } });
    await child.event('ready');
    for (let signals = 0; signals < 100; signals++) {
      child.kill('SIGUSR2');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { file } = (await child.event('snapshot')).message;
    child.kill('SIGKILL');
    await child.ended();
    assert.deepEqual(readSnapshotFolder(dir), [file]);
    const lines = child.stderr.split('\n').filter((line) => line.startsWith('leakguard: '));
    assert.ok(lines.length <= 5, child.stderr);
  });

  it("has the oldest of our own files make way, and nobody else's", async (t) => {
    const dir = temporaryFolder(t);
    const others = ['Heap.20200101.000000.1.0.001.heapsnapshot', 'notes.txt', 'mine.leakguard.heapsnapshot'];
    for (const name of others) fs.writeFileSync(path.join(dir, name), 'precious');
    const old = 'Heap.20200101.000000.1.0.001.leakguard.heapsnapshot';
    fs.writeFileSync(path.join(dir, old), '{}');
    fs.symlinkSync(path.join(dir, 'notes.txt'), path.join(dir, old.replace('001', '002')));
    const options = { dir, snapshot: { ...WITHOUT_PAUSE, maxFiles: 2 } };
    const child = startChild(t, 'idle.js', { given: { options } });
    await child.event('ready');
    const files = [];
    for (let signals = 0; signals < 3; signals++) {
      child.kill('SIGUSR2');
      files.push((await child.event('snapshot')).message.file);
    }
    const left = fs.readdirSync(dir).sort();
    const expected = [...others, old.replace('001', '002'), ...files.slice(1).map((file) => path.basename(file))];
    assert.deepEqual(left, expected.sort());
    for (const file of files.slice(1)) readSnapshot(file);
  });

  it('makes no file that is larger than all may be together', async (t) => {
    const dir = temporaryFolder(t);
    const options = { dir, snapshot: { maxBytes: '1 MB' } };
    const child = startChild(t, 'idle.js', { given: { options } });
    await child.event('ready');
    child.kill('SIGUSR2');
    const { error } = (await child.event('snapshot')).message;
    assert.equal(error.code, 'ERR_LEAKGUARD_NO_ROOM');
    assert.match(error.message, /`snapshot\.maxBytes`/);
    assert.deepEqual(fs.readdirSync(dir), []);
  });

  for (const [how, execArgv] of /** @type {Array<[string, string[]]>} */ ([
    ['', []],
    [' also without the addon', ['--no-addons']],
  ])) {
    it(`that comes too early is refused with a word${how}`, async (t) => {
      const dir = temporaryFolder(t);
      const options = { dir, snapshot: { minInterval: '1h' } };
      const child = startChild(t, 'idle.js', { execArgv, given: { options } });
      await child.event('ready');
      child.kill('SIGUSR2');
      const { file } = (await child.event('snapshot')).message;
      child.kill('SIGUSR2');

      const { error, ...rest } = (await child.event('snapshot')).message;
      assert.deepEqual(rest, { threadId: 0, trigger: 'signal' });
      assert.equal(error.code, 'ERR_LEAKGUARD_TOO_SOON');
      assert.match(error.message, /snapshot\.minInterval/);
      const [line] = await child.line(/^leakguard: no heap snapshot: .*$/m);
      assert.equal(line, `leakguard: no heap snapshot: ${error.message}`);
      assert.deepEqual(readSnapshotFolder(dir), [file]);
    });
  }
});

describe('the option dumpSignal', { skip: process.platform === 'win32' && 'Windows has no signals' }, () => {
  for (const dumpSignal of /** @type {NodeJS.Signals[]} */ (['SIGHUP', 'SIGIO'])) {
    it(`may be ${dumpSignal}, and SIGUSR2 then does what it always did`, async (t) => {
      const dir = temporaryFolder(t);
      const child = startChild(t, 'idle.js', { given: { options: { dir, dumpSignal } } });
      assert.deepEqual((await child.event('ready')).signal, { name: dumpSignal, handled: true, reason: null });
      child.kill(dumpSignal);
      const { file } = (await child.event('snapshot')).message;
      assert.deepEqual(readSnapshotFolder(dir), [file]);

      child.kill('SIGUSR2');
      assert.deepEqual(await child.ended(), { code: null, signal: 'SIGUSR2' });
    });
  }

  it('may be none: no handler is installed', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { options: { dir, dumpSignal: 'none' } } });
    const { signal, listeners } = await child.event('ready');
    assert.deepEqual(signal, { name: 'none', handled: false, reason: 'the option dumpSignal is none' });
    assert.equal(listeners, 0);
    child.kill('SIGUSR2');
    assert.deepEqual(await child.ended(), { code: null, signal: 'SIGUSR2' });
    assert.deepEqual(fs.readdirSync(dir), []);
  });

  it('may not be a signal that Node or the kernel needs', () => {
    for (const dumpSignal of /** @type {NodeJS.Signals[]} */ ([
      'SIGUSR1',
      'SIGKILL',
      'SIGSTOP',
      'SIGSEGV',
      'SIGPROF',
    ])) {
      assert.throws(() => leakguard.start({ dumpSignal }), {
        name: 'RangeError',
        code: 'ERR_LEAKGUARD_OPTION',
        message: new RegExp(`^dumpSignal: '${dumpSignal}'`),
      });
    }
    assert.equal(leakguard.status().armed, false);
  });
});

describe("Node's own --heapsnapshot-signal", { skip: process.platform === 'win32' && 'Windows has no signals' }, () => {
  for (const [where, how] of Object.entries({
    'the command line': { execArgv: ['--heapsnapshot-signal=SIGUSR2'] },
    NODE_OPTIONS: { env: { NODE_OPTIONS: '--heapsnapshot-signal=SIGUSR2' } },
  })) {
    it(`on ${where} goes before`, async (t) => {
      const dir = temporaryFolder(t);
      const cwd = temporaryFolder(t);
      const child = startChild(t, 'idle.js', { ...how, cwd, given: { options: { dir } } });
      const { signal } = await child.event('ready');
      assert.equal(signal.handled, false);
      assert.match(signal.reason, /--heapsnapshot-signal/);
      child.kill('SIGUSR2');

      const name = await child.until("Node's file", () => fs.readdirSync(cwd).find(isWhole));
      function isWhole(/** @type {string} */ file) {
        return fs.readFileSync(path.join(cwd, file), 'latin1').trimEnd().endsWith('}');
      }
      readSnapshot(path.join(cwd, name));
      assert.match(name, /^Heap\.\d+\.\d+\.\d+\.0\.\d+\.heapsnapshot$/);
      assert.deepEqual(fs.readdirSync(cwd), [name]);
      assert.deepEqual(fs.readdirSync(dir), []);
    });
  }

  it('leaves us another signal', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', {
      execArgv: ['--heapsnapshot-signal=SIGUSR2'],
      cwd: dir,
      given: { options: { dir, dumpSignal: 'SIGHUP' } },
    });
    await child.event('ready');
    child.kill('SIGHUP');
    const { file } = (await child.event('snapshot')).message;
    assert.deepEqual(readSnapshotFolder(dir), [file]);
  });
});

describe('under nodemon', { skip: process.platform !== 'linux' && 'ancestors are looked up in /proc' }, () => {
  it('SIGUSR2 ends the process, as nodemon expects', async (t) => {
    const dir = temporaryFolder(t);
    const nodemon = startChild(t, 'nodemon.js', { given: { options: { dir } } });
    const { pid, signal, listeners } = await nodemon.event('ready');
    assert.equal(signal.handled, false);
    assert.match(signal.reason, new RegExp(`nodemon \\(pid ${nodemon.pid}\\)`));
    assert.equal(listeners, 0);
    process.kill(pid, 'SIGUSR2');
    const { code, signal: endedBy } = await nodemon.event('ended');
    assert.deepEqual([code, endedBy], [null, 'SIGUSR2']);
    assert.deepEqual(fs.readdirSync(dir), []);
  });
});

describe("a user's own handler", { skip: process.platform === 'win32' && 'Windows has no signals' }, () => {
  /**
   * @param {import('node:test').TestContext} t
   * @param {Record<string, unknown>} given
   */
  async function startWithHandler(t, given) {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'user-handler.js', { given: { ...given, options: { dir, snapshot: WITHOUT_PAUSE } } });
    await child.event('ready');
    return { child, dir };
  }

  for (const when of ['before', 'after']) {
    for (const how of ['on', 'once']) {
      it(`installed ${when} leakguard by ${how} runs, and each signal brings a snapshot`, async (t) => {
        const { child, dir } = await startWithHandler(t, { when, how });
        const files = [];
        for (let signals = 1; signals <= 3; signals++) {
          child.kill('SIGUSR2');
          if (how === 'on' || signals === 1) await child.event('handled');
          files.push((await child.event('snapshot')).message.file);
        }
        assert.deepEqual(child.unread('handled'), []);
        assert.deepEqual(readSnapshotFolder(dir), files.sort());
      });

      it(`installed ${when} leakguard by ${how} and removed with all others leaves the next signal harmless`, async (t) => {
        const { child, dir } = await startWithHandler(t, { when, how, removeAll: true });
        const files = [];
        for (let signals = 1; signals <= 2; signals++) {
          child.kill('SIGUSR2');
          files.push((await child.event('snapshot')).message.file);
        }
        assert.deepEqual(child.unread('handled'), []);
        assert.deepEqual(readSnapshotFolder(dir), files.sort());
      });
    }

    for (const action of ['end', 'end later', 'close the server and end']) {
      it(`installed ${when} leakguard by once ends the process if it is to ${action}`, async (t) => {
        const { child } = await startWithHandler(t, { when, how: 'once', action });
        child.kill('SIGUSR2');
        assert.deepEqual(await child.ended(), { code: null, signal: 'SIGUSR2' });
        assert.equal(child.unread('handled').length, 1);
      });
    }

    it(`installed ${when} leakguard by once ends the process also when that sends itself the signal`, async (t) => {
      const { child } = await startWithHandler(t, { when, how: 'once', action: 'end', signalsItself: true });
      assert.deepEqual(await child.ended(), { code: null, signal: 'SIGUSR2' });
      assert.equal(child.unread('handled').length, 1);
    });

    it(`installed ${when} leakguard goes on after stop()`, async (t) => {
      const { child, dir } = await startWithHandler(t, { when, how: 'on', stop: true });
      for (let signals = 1; signals <= 2; signals++) {
        child.kill('SIGUSR2');
        await child.event('handled');
      }
      assert.deepEqual(child.unread('snapshot'), []);
      assert.deepEqual(fs.readdirSync(dir), []);
    });
  }

  it('is not needed by a process that asks itself for snapshots', async (t) => {
    const given = { when: 'before', how: 'once', signalsItself: true, signalsItselfAgain: true };
    const { child, dir } = await startWithHandler(t, given);
    const files = [(await child.event('snapshot')).message.file];
    files.push((await child.event('snapshot')).message.file);
    assert.deepEqual(readSnapshotFolder(dir), files.sort());
  });
});

describe('without the addon a signal', { skip: process.platform === 'win32' && 'Windows has none' }, () => {
  const execArgv = ['--no-addons'];

  it('brings a snapshot, and says so', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { execArgv, given: { options: { dir } } });
    assert.deepEqual((await child.event('ready')).signal, { name: 'SIGUSR2', handled: true, reason: null });
    child.kill('SIGUSR2');
    const { file, bytes, threadId, trigger } = (await child.event('snapshot')).message;
    assert.deepEqual([threadId, trigger, bytes], [0, 'signal', fs.statSync(file).size]);
    assert.equal((await child.line(/^leakguard: heap snapshot written to (\S+) /m))[1], file);
    assert.deepEqual(readSnapshotFolder(dir), [file]);
  });

  for (const how of ['on', 'once']) {
    it(`leaves a user's handler by ${how} working, and the next signal harmless`, async (t) => {
      const dir = temporaryFolder(t);
      const given = { when: 'after', how, options: { dir, snapshot: WITHOUT_PAUSE } };
      const child = startChild(t, 'user-handler.js', { execArgv, given });
      await child.event('ready');
      const files = [];
      for (let signals = 1; signals <= 3; signals++) {
        child.kill('SIGUSR2');
        if (how === 'on' || signals === 1) await child.event('handled');
        files.push((await child.event('snapshot')).message.file);
      }
      assert.deepEqual(readSnapshotFolder(dir), files.sort());
    });
  }

  it('ends a process whose once handler ends it', async (t) => {
    const given = { when: 'before', how: 'once', action: 'end', options: { dir: temporaryFolder(t) } };
    const child = startChild(t, 'user-handler.js', { execArgv, given });
    await child.event('ready');
    child.kill('SIGUSR2');
    assert.deepEqual(await child.ended(), { code: null, signal: 'SIGUSR2' });
    assert.equal(child.unread('handled').length, 1);
  });
});

describe('after stop()', { skip: process.platform === 'win32' && 'Windows has no signals' }, () => {
  it('the signal ends a process without a handler, as it always did', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { stop: true, options: { dir } } });
    const { signal, listeners } = await child.event('ready');
    assert.deepEqual(signal, { name: 'SIGUSR2', handled: false, reason: 'leakguard is not armed' });
    assert.equal(listeners, 0);
    child.kill('SIGUSR2');
    assert.deepEqual(await child.ended(), { code: null, signal: 'SIGUSR2' });
    assert.deepEqual(fs.readdirSync(dir), []);
  });
});
