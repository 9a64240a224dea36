'use strict';

// `leakguard dump`: the snapshots of a process that is armed, asked for from outside; and who is left alone.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const leakguard = require('..');
const { version } = require('../package.json');
const { readSnapshot, readSnapshotFolder } = require('./read-snapshot');
const { startChild } = require('./start-child');
const { temporaryFolder } = require('./temporary-folder');

const bin = path.join(__dirname, '..', 'bin', 'leakguard.js');
const { addon, routes } = leakguard.status();
const interruptible = routes.interrupt.route === 'native';
leakguard.stop();

/** What a command does takes some seconds at most; on a machine that is very busy it may take longer. */
const PATIENCE_MS = 60_000;
/** Namespaces of its own for a process, where they are allowed. */
const UNSHARE = ['unshare', '--user', '--map-root-user', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
const noNamespaces = spawnSync(UNSHARE[0], [...UNSHARE.slice(1), 'true']).status !== 0 && 'takes namespaces';

/**
 * Starts the command.
 *
 * @param {string[]} args
 */
function start(...args) {
  const command = spawn(process.execPath, [bin, 'dump', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr] = [command.stdout, command.stderr].map(async (stream) => {
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += chunk;
    return text;
  });
  /** @type {Promise<{ code: number | null, signal: string | null }>} */
  const end = new Promise((resolve) => command.on('close', (code, signal) => resolve({ code, signal })));
  const ended = async () => ({ ...(await end), stdout: await stdout, stderr: await stderr });
  return { command, ended };
}

/**
 * Runs the command to its end.
 *
 * @param {Array<string | number>} args
 */
function dump(...args) {
  return start(...args.map(String)).ended();
}

/** Where nothing can be forked, a large heap takes it. */
const LONG_PAUSE = { snapshot: { maxPause: '5 min' } };

/**
 * Waits until the child has begun a file, which may have no name yet.
 *
 * @param {ReturnType<typeof startChild>} child
 * @param {string} dir
 */
function begun(child, dir) {
  const descriptors = `/proc/${child.pid}/fd`;
  return child.until('a file', () =>
    fs.readdirSync(descriptors).find((fd) => {
      try {
        return fs.readlinkSync(`${descriptors}/${fd}`).startsWith(`${dir}/`);
      } catch {
        return false;
      }
    }),
  );
}

describe('leakguard dump', { skip: !addon.loaded && 'takes the addon' }, () => {
  it('has an armed process write a snapshot and prints its path', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { options: { dir } } });
    await child.event('ready');
    const { stdout, ...rest } = await dump(child.pid);
    assert.deepEqual(rest, { code: 0, signal: null, stderr: '' });
    assert.deepEqual(readSnapshotFolder(dir), [stdout.trimEnd()]);
    assert.equal(stdout, `${(await child.event('snapshot')).message.file}\n`);
  });

  it('prints a file for each thread, the main one first', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'worker.js', { given: { options: { dir } } });
    const { threadId } = await child.event('ready');
    const { code, stdout, stderr } = await dump(child.pid);
    assert.deepEqual([code, stderr], [0, '']);
    const files = stdout.trimEnd().split('\n');
    assert.deepEqual(readSnapshotFolder(dir), [...files].sort());
    const threads = files.map((file) => Number(path.basename(file).split('.')[4]));
    assert.deepEqual(threads, [0, threadId]);
  });

  it('says with --json what was written', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { options: { dir, snapshot: { compress: 'gzip' } } } });
    await child.event('ready');
    const { code, stdout, stderr } = await dump('--json', child.pid);
    assert.deepEqual([code, stderr], [0, '']);
    const { threads, ...process } = JSON.parse(stdout);
    assert.deepEqual(process, {
      version: 1,
      pid: child.pid,
      leakguard: version,
      signal: 'SIGUSR2',
      dir,
      unlisted: 0,
    });
    const { message } = await child.event('snapshot');
    const { file, bytes, nodes } = message;
    const [{ pauseMs, ...thread }] = threads;
    assert.deepEqual([threads.length, thread], [1, { threadId: 0, file, path: file, bytes, nodes }]);
    assert.ok(Math.abs(pauseMs - message.pauseMs) < 0.01, `${pauseMs} ms, ${message.pauseMs} ms`);
    assert.equal(readSnapshot(file).nodes, nodes);
  });

  it('comes through while JavaScript spins', { skip: !interruptible && 'takes the native route' }, async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'spin.js', { given: { options: { dir } } });
    await child.event('ready');
    const { code, stdout } = await dump(child.pid);
    assert.equal(code, 0);
    assert.deepEqual(readSnapshotFolder(dir), [stdout.trimEnd()]);
  });

  it('sends the signal that the process handles', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { options: { dir, dumpSignal: 'SIGHUP' } } });
    await child.event('ready');
    const { code, stdout } = await dump('--json', child.pid);
    assert.deepEqual([code, JSON.parse(stdout).signal], [0, 'SIGHUP']);
    readSnapshotFolder(dir);
  });

  it('passes on why the process writes none', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { options: { dir, snapshot: { minInterval: '1h' } } } });
    await child.event('ready');
    const { stdout } = await dump(child.pid);
    const second = await dump(child.pid);
    assert.deepEqual([second.code, second.stdout], [1, '']);
    assert.match(second.stderr, /^leakguard dump: the last snapshot .*minInterval.* \(ERR_LEAKGUARD_TOO_SOON\)\n$/);
    const third = await dump('--json', child.pid);
    assert.equal(third.code, 1);
    const [{ threadId, error }] = JSON.parse(third.stdout).threads;
    assert.deepEqual([threadId, error.code], [0, 'ERR_LEAKGUARD_TOO_SOON']);
    assert.deepEqual(readSnapshotFolder(dir), [stdout.trimEnd()]);
  });

  it('waits for a snapshot that is being written instead of a new one', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { objects: 200_000, options: { dir, ...LONG_PAUSE } } });
    await child.event('ready');
    const first = start(String(child.pid));
    await begun(child, dir);
    const second = await dump(child.pid);
    const { code, stdout } = await first.ended();
    assert.deepEqual([code, second.code, second.stdout], [0, 0, stdout]);
    assert.deepEqual(readSnapshotFolder(dir), [stdout.trimEnd()]);
  });

  it('says that the process ended in the middle', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { objects: 200_000, options: { dir, ...LONG_PAUSE } } });
    await child.event('ready');
    const command = start(String(child.pid));
    await begun(child, dir);
    child.kill('SIGKILL');
    const { code, stdout, stderr } = await command.ended();
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /the process ended before the snapshot was written \(ERR_LEAKGUARD_PROCESS_ENDED\)\n$/);
  });

  it('leaves the snapshot alone when it is interrupted', async (t) => {
    const dir = temporaryFolder(t);
    const child = startChild(t, 'idle.js', { given: { objects: 200_000, options: { dir, ...LONG_PAUSE } } });
    await child.event('ready');
    const { command, ended } = start(String(child.pid));
    await begun(child, dir);
    command.kill('SIGINT');
    assert.equal((await ended()).signal, 'SIGINT');
    const { file } = (await child.event('snapshot')).message;
    assert.deepEqual(readSnapshotFolder(dir), [file]);
  });

  it('reaches into a container, and prints a path that opens from here', { skip: noNamespaces }, async (t) => {
    const dir = temporaryFolder(t);
    // What is mounted there is seen by the child only.
    const through = [...UNSHARE, 'sh', '-c', `mount -t tmpfs none '${dir}'; exec "$@"`, 'sh'];
    const child = startChild(t, 'idle.js', { through, given: { options: { dir } } });
    const ready = await child.event('ready');
    const pid = Number(fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'));
    assert.notEqual(ready.pid, pid);

    const { code, stdout, stderr } = await dump('--json', pid);
    assert.deepEqual([code, stderr], [0, '']);
    const [{ file, path: outside }] = JSON.parse(stdout).threads;
    assert.equal(path.dirname(file), dir);
    assert.equal(outside, `/proc/${pid}/root${file}`);
    readSnapshot(outside);
    assert.deepEqual(fs.readdirSync(dir), []);
  });
});

describe('leakguard dump leaves alone', { skip: !addon.loaded && 'takes the addon' }, () => {
  /**
   * @param {ReturnType<typeof startChild>} child
   * @param {RegExp} reason
   */
  async function assertRefused(child, reason) {
    const { code, stdout, stderr } = await dump(child.pid);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, reason);
    assert.match(stderr, /node --require leakguard|start it without|another one/);
    // The signal would have ended it.
    process.kill(child.pid, 0);
  }

  it('a process that knows nothing of leakguard', async (t) => {
    const child = startChild(t, 'stranger.js');
    await child.event('ready');
    await assertRefused(
      child,
      new RegExp(`^leakguard dump: process ${child.pid} \\(\\S+\\) does not have leakguard loaded`),
    );
    await child.event('alive');
    await child.event('alive');
  });

  it('a process with leakguard in a Worker only', async (t) => {
    const child = startChild(t, 'stranger.js', { given: { inWorker: true } });
    await child.event('ready');
    await assertRefused(child, /handles no signal for it: .*only a Worker has loaded it/);
    await child.event('alive');
    await child.event('alive');
  });

  for (const [what, given, env, reason] of /** @type {Array<[string, any, Record<string, string>, RegExp]>} */ ([
    ['that was told so by code', { options: { dumpSignal: 'none' } }, {}, /its `dumpSignal` is 'none'/],
    ['that was told so by the environment', {}, { LEAKGUARD_OPTIONS: 'dumpSignal=none' }, /LEAKGUARD_OPTIONS=dumpSig/],
    ['that has stopped leakguard', { stop: true }, {}, /leakguard was stopped/],
  ])) {
    it(`a process without a handler ${what}`, async (t) => {
      const child = startChild(t, 'idle.js', { given, env });
      assert.equal((await child.event('ready')).listeners, 0);
      await assertRefused(child, reason);
    });
  }

  it('a process that runs leakguard without its addon', async (t) => {
    const child = startChild(t, 'idle.js', { execArgv: ['--no-addons'] });
    await child.event('ready');
    await assertRefused(child, /--no-addons/);
  });

  it('a process under nodemon', async (t) => {
    const nodemon = startChild(t, 'nodemon.js');
    const { pid } = await nodemon.event('ready');
    const { code, stderr } = await dump(pid);
    // It has to be there still.
    process.kill(pid, 'SIGKILL');
    assert.equal((await nodemon.event('ended')).signal, 'SIGKILL');
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`nodemon \\(pid ${nodemon.pid}\\)`));
  });

  it('a process that has the beacon of another one', async (t) => {
    const lender = startChild(t, 'lend-beacon.js');
    const { pid, beacons } = await lender.event('ready');
    const { code, stderr } = await dump(pid);
    // It has to be there still.
    process.kill(pid, 'SIGKILL');
    assert.equal((await lender.event('ended')).signal, 'SIGKILL');
    assert.deepEqual([code, beacons], [2, 1]);
    assert.match(stderr, new RegExp(`process ${pid} has the beacon of another process, ${lender.pid} in`));
  });

  it('a process that is stopped', async (t) => {
    const child = startChild(t, 'idle.js', { given: { options: { dir: temporaryFolder(t) } } });
    await child.event('ready');
    child.kill('SIGSTOP');
    const { code, stderr } = await dump(child.pid);
    assert.equal(code, 2);
    assert.match(stderr, /is stopped and cannot answer/);
  });

  it('nobody where there is nobody', async (t) => {
    const child = startChild(t, 'stranger.js');
    await child.event('ready');
    child.kill('SIGKILL');
    await child.ended();
    for (const pid of [child.pid, 0, 4_294_967_296]) {
      const { code, stdout, stderr } = await dump(pid);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^leakguard dump: there is no process \d+; /);
    }
  });

  it('what is no process at all', async () => {
    for (const args of [['x'], ['-1'], ['1.5'], ['1', '2'], ['--nonsense']]) {
      const { code, stdout, stderr } = await dump(...args);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.match(stderr, /^leakguard dump: /);
    }
  });
});

describe('leakguard dump without PID', { skip: !addon.loaded && 'takes the addon' }, () => {
  it('lists those who are armed', async (t) => {
    const dir = temporaryFolder(t);
    const armed = startChild(t, 'worker.js', { given: { options: { dir } } });
    const stranger = startChild(t, 'stranger.js');
    await armed.event('ready');
    await stranger.event('ready');

    const { code, stdout } = await dump('--json');
    assert.equal(code, 0);
    const { version: shape, processes } = JSON.parse(stdout);
    assert.equal(shape, 1);
    const find = (/** @type {number} */ wanted) => processes.find((/** @type {any} */ found) => found.pid === wanted);
    const { command, ...rest } = find(armed.pid);
    assert.deepEqual(rest, { pid: armed.pid, leakguard: version, signal: 'SIGUSR2', dir, threads: 2 });
    assert.equal(command[0], process.execPath);
    assert.equal(find(stranger.pid), undefined);

    const { stdout: text } = await dump();
    assert.match(text, /^ *PID +SIGNAL +THREADS +DIR +COMMAND\n/);
    assert.match(text, new RegExp(`^${armed.pid} +SIGUSR2 +2 +${dir} +${process.execPath} `, 'm'));
    assert.deepEqual(fs.readdirSync(dir), []);
  });

  it('says how to arm a process', async () => {
    const { code, stdout } = await dump('--help');
    assert.equal(code, 0);
    assert.match(stdout, /Usage: leakguard dump/);
    assert.match(stdout, /node --require leakguard/);
  });
});
