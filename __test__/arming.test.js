'use strict';

// `require('leakguard')`: arms at once, never throws, holds nothing open, goes together with other copies of itself; stop() takes all of
// it back.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const leakguard = require('..');
const { binaries, copyPackage } = require('./copy-package');
const { root, runChild, runNode } = require('./run-child');
const { temporaryFolder } = require('./temporary-folder');

const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

describe('require', () => {
  it('arms before it returns', async () => {
    const status = await runChild(() => require('leakguard').status());

    assert.equal(status.armed, true);
    assert.deepEqual(status.signal, { name: 'SIGUSR2', handled: true, reason: null });
    assert.equal(status.sampling.state, 'owned');
  });

  it('listens to the signal once, whoever requires it again', async () => {
    const counts = await runChild(() => {
      require('leakguard');
      const once = process.listenerCount('SIGUSR2');
      require('leakguard').start();
      return [once, process.listenerCount('SIGUSR2')];
    });

    assert.deepEqual(counts, [1, 1]);
  });

  for (const [how, args] of Object.entries({
    'require()': ['-e', "require('leakguard')"],
    '--require': ['--require', path.join(root, 'index.js'), '-e', ''],
    import: ['--input-type=module', '-e', "import leakguard, { start, stop } from 'leakguard'; start();"],
    'import()': ['-e', "import('leakguard')"],
    '--import': ['--import', `file://${path.join(root, 'index.js')}`, '-e', ''],
  })) {
    it(`lets a script end that only has ${how}`, async () => {
      assert.deepEqual(await runNode(args), { code: 0, signal: null, stdout: '', stderr: '' });
    });
  }

  it('is in force where --require loaded it', async () => {
    const armed = await runChild(() => /** @type {any} */ (globalThis)[Symbol.for('leakguard')].guard.status().armed, {
      flags: ['--require', path.join(root, 'index.js')],
    });

    assert.equal(armed, true);
  });

  it('lets a Worker end that only requires it, with or without it on the main thread', async () => {
    const codes = await runChild(async () => {
      const { Worker } = require('node:worker_threads');
      const { once } = require('node:events');
      const run = async () => (await once(new Worker("require('leakguard')", { eval: true }), 'exit'))[0];
      const alone = await run();
      require('leakguard');
      return [alone, await run()];
    });

    assert.deepEqual(codes, [0, 0]);
  });

  it('arms each Worker for itself', async () => {
    const { armed, threadId, signal } = await statusInWorker('');

    assert.equal(armed, true);
    assert.notEqual(threadId, 0);
    assert.deepEqual(signal, {
      name: 'SIGUSR2',
      handled: false,
      reason: 'the main thread handles it for all threads',
    });
  });
});

describe('LEAKGUARD_OPTIONS', () => {
  it('is taken where it is right, and warned of and left out where it is wrong', async () => {
    const { options, warnings } = await runChild(reportWarnings, {
      options:
        'sample.interval=nonsense,sample.stackDepth=16, detect=maybe ,dumpSignal=SIGNONE,snapshot.minInterval=5s,nope=1',
    });

    const fine = await runChild(() => require('leakguard').status().options);
    assert.deepEqual(options, {
      ...fine,
      sample: { ...fine.sample, stackDepth: 16 },
      snapshot: { ...fine.snapshot, minInterval: 5_000 },
    });
    assert.equal(warnings.length, 4);
    for (const [index, name] of ['sample.interval', 'detect', 'dumpSignal', 'nope'].entries()) {
      assert.equal(warnings[index].code, 'LEAKGUARD_OPTIONS');
      assert.ok(warnings[index].message.includes(name), warnings[index].message);
    }
  });

  for (const text of [
    '=',
    '===',
    'sample',
    'sample=',
    'sample.interval.deep=1',
    'sample.=1',
    '.interval=1',
    '__proto__.polluted=1',
    'constructor.prototype=1',
    'snapshot=true',
    'dir=',
    'v8=magic',
    'null',
    '{"dir":"/tmp"}',
    '\u{1f4a9}=1',
  ]) {
    it(`does no harm as ${JSON.stringify(text)}`, async () => {
      const { armed, warnings, options } = await statusInWorker(text);

      assert.equal(armed, true);
      assert.equal(warnings.length, 1, warnings.join('\n'));
      assert.deepEqual(options, leakguard.status().options);
      assert.equal(/** @type {any} */ ({}).polluted, undefined);
    });
  }

  it('is as good as unset where it is empty', async () => {
    const unset = await runChild(reportWarnings, { env: { LEAKGUARD_OPTIONS: undefined } });

    assert.deepEqual(unset.warnings, []);
    for (const LEAKGUARD_OPTIONS of ['', ' ', ' , ,']) {
      assert.deepEqual(await runChild(reportWarnings, { env: { LEAKGUARD_OPTIONS } }), unset);
    }
  });

  it("takes a folder's name as text, whatever it looks like", async () => {
    const { options } = await runChild(reportWarnings, { options: 'dir=2024' });

    assert.equal(options.dir, path.join(root, '2024'));
  });

  it('disarms by `off`, until start()', async () => {
    const { before, after } = await runChild(
      () => {
        const leakguard = require('leakguard');
        const look = () => ({ ...leakguard.status(), listeners: process.listenerCount('SIGUSR2') });
        return { before: look(), after: leakguard.start() && look() };
      },
      { options: 'off,sample.stackDepth=16' },
    );

    assert.equal(before.armed, false);
    assert.equal(before.listeners, 0);
    assert.equal(before.sampling.state, 'off');
    assert.equal(after.armed, true);
    assert.equal(after.listeners, 1);
    assert.equal(after.options.sample.stackDepth, 16);
  });
});

describe('without the addon', () => {
  /** @type {Array<{ what: string, reason: RegExp, surroundings: (dir: string) => object }>} */
  const cases = [
    {
      what: 'under --no-addons',
      reason: /--no-addons/,
      surroundings: () => ({ flags: ['--no-addons'] }),
    },
    {
      what: 'under --permission',
      reason: /--permission without --allow-addons/,
      surroundings: (dir) => ({ flags: [permission, '--allow-fs-read=*', `--allow-fs-write=${dir}/*`] }),
    },
    {
      what: 'where the binary is missing',
      reason: /the binary is missing/,
      surroundings: (dir) => ({ cwd: copyPackage(path.join(dir, 'package'), { binary: false }) }),
    },
    {
      what: 'where the binary is broken',
      reason: /the binary cannot be loaded: .*leakguard/,
      surroundings: (dir) => {
        const cwd = copyPackage(path.join(dir, 'package'), { binary: false });
        for (const name of binaries()) fs.writeFileSync(path.join(cwd, name), 'This is no shared object.');
        return { cwd };
      },
    },
  ];
  for (const { what, reason, surroundings } of cases) {
    it(`does ${what} what JavaScript can`, async (t) => {
      const dir = temporaryFolder(t);
      const { flags = [], ...others } = /** @type {{ flags?: string[] }} */ (surroundings(dir));

      const found = await runChild(reportOfAll, { args: [dir], flags: ['--expose-gc', ...flags], ...others });

      assert.equal(found.status.armed, true);
      assert.equal(found.status.addon.loaded, false);
      assert.match(found.status.addon.reason, reason);
      for (const [feature, { route, reason }] of Object.entries(found.status.routes)) {
        assert.notEqual(route, 'native', feature);
        assert.equal(typeof reason, 'string', feature);
      }
      assert.deepEqual(Object.keys(found.memory), Object.keys(leakguard.memory({ detail: true })));
      assert.equal(found.memory.heapSizeLimit, found.heapStatistics.heapSizeLimit);
      assert.equal(found.history[0].kind, 'mark-compact');
      assert.equal(found.snapshot.bytes, fs.statSync(found.snapshot.file).size);
      assert.ok(found.snapshot.nodes > 1_000, `${found.snapshot.nodes} nodes`);
      assert.deepEqual(fs.readdirSync(dir).sort(), [
        path.basename(found.snapshot.file),
        ...('cwd' in others ? ['package'] : []),
      ]);
    });
  }

  it('says so where --permission lets nothing be written', async (t) => {
    const dir = temporaryFolder(t);
    const { code, message } = await runChild(
      (/** @type {string} */ file) =>
        require('leakguard')
          .writeHeapSnapshot(file)
          .catch((/** @type {any} */ { code, message }) => ({ code, message })),
      {
        args: [path.join(dir, 'a.heapsnapshot')],
        flags: [permission, '--allow-fs-read=*'],
      },
    );

    assert.equal(code, 'ERR_LEAKGUARD_DIR');
    assert.ok(message.includes(dir), message);
  });
});

describe('two copies in one process', () => {
  let folder = '';
  /** @type {Record<string, string>} */
  const copies = {};

  before((t) => {
    folder = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'leakguard-test-'));
    for (const [name, version] of Object.entries({ '0.9.0': '0.9.0', '0.10.0': '0.10.0', twin: '0.10.0' })) {
      copies[name] = copyPackage(path.join(folder, name), { version });
    }
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  for (const [first, second] of [
    ['0.10.0', 'twin'],
    ['0.10.0', '0.9.0'],
    ['0.9.0', '0.10.0'],
  ]) {
    it(`the newest is in charge: ${first}, then ${second}`, async () => {
      const found = await runChild(
        async (first, second) => {
          const [a, b] = [require(first), require(second)];
          const look = () => [a.status().armed, b.status().armed];
          const loaded = {
            inCharge: [a.status().version, b.status().version],
            listeners: process.listenerCount('SIGUSR2'),
            armed: look(),
          };
          a.stop();
          const stopped = look();
          const returnsItself = [b.start({ dir: '/one' }) === b, a.start() === a];
          const profiles = await Promise.all([a, b].map((copy) => copy.heapProfile({ format: 'heapprofile' })));
          return {
            ...loaded,
            stopped,
            returnsItself,
            started: look(),
            dirs: [a.status().options.dir, b.status().options.dir],
            routes: b.status().routes,
            profiles: profiles.map(({ samples }) => Array.isArray(samples)),
          };
        },
        { args: [copies[first], copies[second]] },
      );

      assert.deepEqual(found, {
        inCharge: ['0.10.0', '0.10.0'],
        listeners: 1,
        armed: [true, true],
        stopped: [false, false],
        started: [true, true],
        dirs: ['/one', '/one'],
        returnsItself: [true, true],
        routes: leakguard.status().routes,
        profiles: [true, true],
      });
    });
  }

  it('the newer keeps to what the older was told', async () => {
    const { options, listeners } = await runChild(
      (older, newer) => {
        require(older).start({ dumpSignal: 'none', sample: { interval: '64 KiB' } });
        return { options: require(newer).status().options, listeners: process.listenerCount('SIGUSR2') };
      },
      { args: [copies['0.9.0'], copies['0.10.0']] },
    );

    assert.equal(options.dumpSignal, 'none');
    assert.equal(options.sample.interval, 65_536);
    assert.equal(listeners, 0);
  });

  it('the older leaves out in a Worker what it does not know of a newer one on the main thread', async () => {
    const { armed, warnings } = await runChild(async () => {
      const { once } = require('node:events');
      const { Worker, setEnvironmentData } = require('node:worker_threads');
      setEnvironmentData('leakguard.options', { telepathy: 'on' });
      const script = `
        const { parentPort } = require('node:worker_threads');
        const warnings = [];
        process.on('warning', ({ message }) => warnings.push(message));
        const { armed } = require('leakguard').status();
        setImmediate(() => parentPort.postMessage({ armed, warnings }));`;
      return (await once(new Worker(script, { eval: true }), 'message'))[0];
    });

    assert.equal(armed, true);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /telepathy/);
  });

  it('the older takes everything back', async () => {
    const [alone, both] = await runChild(
      (older, newer) => {
        const count = () => process.eventNames().map((name) => [String(name), process.listenerCount(name)]);
        require(older);
        const alone = count();
        require(newer);
        return [alone, count()];
      },
      { args: [copies['0.9.0'], copies['0.10.0']] },
    );

    assert.deepEqual(Object.fromEntries(both), Object.fromEntries(alone));
  });
});

describe('stop', () => {
  it('is done when it returns, and may be called again; start() arms anew', async () => {
    const found = await runChild(() => {
      const leakguard = /** @type {any} */ (require('leakguard'));
      const look = () => ({
        armed: leakguard.status().armed,
        handled: leakguard.status().signal.handled,
        sampling: leakguard.status().sampling.state,
        listeners: process.listenerCount('SIGUSR2'),
      });
      const looks = [];
      for (const step of ['start', 'stop', 'stop', 'start', 'start', 'stop', 'start']) {
        leakguard[step]();
        looks.push(look());
      }
      return looks;
    });

    const on = { armed: true, handled: true, sampling: 'owned', listeners: 1 };
    const off = { armed: false, handled: false, sampling: 'off', listeners: 0 };
    assert.deepEqual(found, [on, off, off, on, on, off, on]);
  });

  it('leaves no listener behind', async () => {
    const [before, after] = await runChild(() => {
      const count = () =>
        Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]));
      const before = count();
      const leakguard = require('leakguard');
      for (let round = 0; round < 3; round++) leakguard.start({ dumpSignal: round % 2 ? 'SIGHUP' : 'SIGUSR2' }).stop();
      return [before, count()];
    });

    assert.deepEqual(after, before);
  });

  it('gives the signal its own meaning back', async () => {
    const script = "require('leakguard').stop(); process.kill(process.pid, 'SIGUSR2'); setTimeout(() => {}, 60_000);";

    assert.equal((await runNode(['-e', script])).signal, 'SIGUSR2');
  });

  it('keeps the readings for history()', async () => {
    const [armed, stopped] = await runChild(
      async () => {
        const leakguard = require('leakguard');
        /** @type {any} */ (globalThis).gc();
        while (leakguard.history().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
        const armed = leakguard.history();
        leakguard.stop();
        return [armed, leakguard.history()];
      },
      { flags: ['--expose-gc'] },
    );

    assert.ok(armed.length > 0);
    assert.deepEqual(stopped, armed);
  });

  it('is answered by heapProfile() with ERR_LEAKGUARD_NOT_ARMED, and by nothing else', async () => {
    const { profile, memory, spaces } = await runChild(async () => {
      const leakguard = require('leakguard');
      leakguard.stop();
      return {
        profile: await leakguard.heapProfile().catch((/** @type {any} */ { code }) => code),
        memory: leakguard.memory({ detail: true }),
        spaces: leakguard.heapStatistics().spaces,
      };
    });

    assert.equal(profile, 'ERR_LEAKGUARD_NOT_ARMED');
    assert.ok(memory.rss > 0);
    assert.ok(spaces.length > 0);
  });

  it('lets the process end', async () => {
    const script = "require('leakguard').stop(); require('leakguard').start();";

    assert.deepEqual(await runNode(['-e', script]), { code: 0, signal: null, stdout: '', stderr: '' });
  });
});

describe('start', () => {
  it('returns leakguard', () => {
    assert.equal(leakguard.start(), leakguard);
    assert.equal(leakguard.start({}), leakguard);
  });
});

/**
 * What status() says in a Worker that requires leakguard with these options in its environment, and the warnings there were.
 *
 * @param {string} text
 * @returns {Promise<any>}
 */
async function statusInWorker(text) {
  const script = `
    const { parentPort } = require('node:worker_threads');
    const warnings = [];
    process.on('warning', ({ message }) => warnings.push(message));
    const status = require(${JSON.stringify(root)}).status();
    setImmediate(() => parentPort.postMessage({ ...status, warnings }));`;
  const LEAKGUARD_OPTIONS = [process.env.LEAKGUARD_OPTIONS ?? '', text].join(',');
  const worker = new Worker(script, { eval: true, env: { ...process.env, LEAKGUARD_OPTIONS } });
  return new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
}

/** In a child: the options in force, and the warnings that requiring gave. */
async function reportWarnings() {
  /** @type {any[]} */
  const warnings = [];
  process.on('warning', (/** @type {any} */ { code, message }) => warnings.push({ code, message }));
  const { options } = require('leakguard').status();
  await new Promise((resolve) => setImmediate(resolve));
  return { options, warnings };
}

/**
 * In a child: what everything that JavaScript can do answers.
 *
 * @param {string} dir
 */
async function reportOfAll(dir) {
  const leakguard = require('leakguard');
  /** @type {any} */ (globalThis).gc();
  while (leakguard.history().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    status: leakguard.status(),
    memory: leakguard.memory({ detail: true }),
    heapStatistics: leakguard.heapStatistics(),
    history: leakguard.history(),
    snapshot: await leakguard.start({ dir }).writeHeapSnapshot(),
  };
}
