'use strict';

// What start() takes and refuses, how options merge, and who inherits them.

const assert = require('node:assert/strict');
const path = require('node:path');
const { beforeEach, describe, it } = require('node:test');
const leakguard = require('..');
const { root, runChild } = require('./run-child');
const { temporaryFolder } = require('./temporary-folder');

/** Takes what is wrong on purpose. */
const start = /** @type {(options?: any) => typeof leakguard} */ (leakguard.start);
const options = () => /** @type {any} */ (leakguard.status().options);
const defaults = options();

beforeEach(() => {
  start(defaults);
});

describe('an option that is wrong', () => {
  /** @type {Array<[string, any, typeof TypeError | typeof RangeError, RegExp?]>} its name, what is given, the error's class and words */
  const table = [
    ['options', null, TypeError],
    ['options', 'off', TypeError],
    ['options', 5, TypeError],
    ['options', [], TypeError],
    ['dumpSignl', { dumpSignl: 'SIGUSR2' }, TypeError, /unknown option dumpSignl; known are dumpSignal/],
    ['hasOwnProperty', { hasOwnProperty: 1 }, TypeError],
    ['dumpSignal', { dumpSignal: 12 }, TypeError],
    ['dumpSignal', { dumpSignal: null }, TypeError],
    ['dumpSignal', { dumpSignal: false }, TypeError],
    ['dumpSignal', { dumpSignal: '' }, RangeError],
    ['dumpSignal', { dumpSignal: 'sigusr2' }, RangeError],
    ['dumpSignal', { dumpSignal: 'toString' }, RangeError],
    ['dumpSignal', { dumpSignal: 'SIGKILL' }, RangeError],
    ['dumpSignal', { dumpSignal: 'SIGSTOP' }, RangeError],
    ['dumpSignal', { dumpSignal: 'SIGSEGV' }, RangeError],
    ['dumpSignal', { dumpSignal: 'SIGUSR1' }, RangeError],
    ['dir', { dir: 5 }, TypeError],
    ['dir', { dir: null }, TypeError],
    ['dir', { dir: '' }, TypeError],
    ['dir', { dir: '/tmp/a\0b' }, RangeError],
    ['detect', { detect: 'yes' }, TypeError],
    ['detect', { detect: 1 }, TypeError],
    ['detect', { detect: null }, TypeError],
    ['detect.often', { detect: { often: 1 } }, TypeError, /snapshotsPerHour/],
    ['detect.snapshotsPerHour', { detect: { snapshotsPerHour: -1 } }, RangeError],
    ['detect.snapshotsPerHour', { detect: { snapshotsPerHour: '5' } }, TypeError],
    ['detect.cpuShare', { detect: { cpuShare: 0 } }, RangeError],
    ['detect.cpuShare', { detect: { cpuShare: '2%' } }, TypeError],
    ['detect.maxMemory', { detect: { maxMemory: 'all' } }, TypeError],
    ['sample', { sample: null }, TypeError],
    ['sample', { sample: '64 KiB' }, TypeError],
    ['sample', { sample: [] }, TypeError],
    ['sample.rate', { sample: { rate: 5 } }, TypeError, /unknown option sample\.rate; known are interval, stackDepth/],
    ['sample.interval', { sample: { interval: '64 parsecs' } }, TypeError],
    ['sample.interval', { sample: { interval: '' } }, TypeError],
    ['sample.interval', { sample: { interval: '-64 KiB' } }, TypeError],
    ['sample.interval', { sample: { interval: Number.NaN } }, TypeError],
    ['sample.interval', { sample: { interval: 65536n } }, TypeError],
    ['sample.interval', { sample: { interval: {} } }, TypeError],
    ['sample.interval', { sample: { interval: 0 } }, RangeError],
    ['sample.interval', { sample: { interval: 1023 } }, RangeError],
    ['sample.interval', { sample: { interval: '1 KB' } }, RangeError],
    ['sample.interval', { sample: { interval: '1.1 GiB' } }, RangeError],
    ['sample.stackDepth', { sample: { stackDepth: '16' } }, TypeError],
    ['sample.stackDepth', { sample: { stackDepth: 1.5 } }, TypeError],
    ['sample.stackDepth', { sample: { stackDepth: 0 } }, RangeError],
    ['sample.stackDepth', { sample: { stackDepth: 256 } }, RangeError],
    ['snapshot', { snapshot: true }, TypeError],
    ['snapshot', { snapshot: 'auto' }, TypeError],
    ['snapshot.mode', { snapshot: { mode: 'spoon' } }, RangeError, /auto, fork, in-process/],
    ['snapshot.mode', { snapshot: { mode: 1 } }, TypeError],
    ['snapshot.redact', { snapshot: { redact: 'yes' } }, TypeError],
    ['snapshot.compress', { snapshot: { compress: 'zip' } }, RangeError, /none, gzip/],
    ['snapshot.compress', { snapshot: { compress: true } }, TypeError],
    ['snapshot.minInterval', { snapshot: { minInterval: '30 moons' } }, TypeError],
    ['snapshot.minInterval', { snapshot: { minInterval: '-1s' } }, TypeError],
    ['snapshot.minInterval', { snapshot: { minInterval: null } }, TypeError],
    ['snapshot.maxFiles', { snapshot: { maxFiles: 0 } }, RangeError],
    ['snapshot.maxFiles', { snapshot: { maxFiles: '5' } }, TypeError],
    ['snapshot.maxBytes', { snapshot: { maxBytes: 'much' } }, TypeError],
    ['snapshot.maxBytes', { snapshot: { maxBytes: 0 } }, RangeError],
    ['snapshot.maxPause', { snapshot: { maxPause: 'soon' } }, TypeError],
    ['snapshot.keep', { snapshot: { keep: 'yes' } }, TypeError],
    ['nearHeapLimit', { nearHeapLimit: {} }, TypeError],
    ['v8', { v8: 'magic' }, RangeError, /native, fallback/],
    ['v8', { v8: true }, TypeError],
  ];
  for (const [name, given, Class, words] of table) {
    it(`is refused by its name: ${show(given)}`, () => {
      assert.throws(
        () => start(given),
        (/** @type {any} */ error) => {
          assert.equal(Object.getPrototypeOf(error), Class.prototype);
          assert.equal(error.code, 'ERR_LEAKGUARD_OPTION');
          assert.ok(error.message.includes(name), error.message);
          if (words) assert.match(error.message, words);
          return true;
        },
      );
      assert.deepEqual(options(), defaults);
    });
  }

  it('leaves what is right beside it without effect', () => {
    assert.throws(() => start({ dir: '/elsewhere', sample: false, dumpSignal: 'none', detect: 'maybe' }));

    assert.deepEqual(options(), defaults);
    assert.equal(leakguard.status().signal.handled, true);
    assert.equal(leakguard.status().sampling.state, 'owned');
  });

  it('arms nothing', () => {
    leakguard.stop();
    assert.throws(() => start({ detect: 'maybe' }));

    assert.equal(leakguard.status().armed, false);
  });
});

describe('a size', () => {
  for (const [given, bytes] of /** @type {Array<[number | string, number]>} */ ([
    [65_536, 65_536],
    ['65536', 65_536],
    ['64 KiB', 65_536],
    ['64KiB', 65_536],
    [' 64 kib ', 65_536],
    ['64 KB', 64_000],
    ['1.5 MB', 1_500_000],
    ['0.5 GiB', 536_870_912],
    ['2048 B', 2_048],
    [4096.4, 4_096],
  ])) {
    it(`may be ${show(given)}`, () => {
      start({ sample: { interval: given } });

      assert.equal(options().sample.interval, bytes);
    });
  }
});

describe('a duration', () => {
  for (const [given, ms] of /** @type {Array<[number | string, number]>} */ ([
    [0, 0],
    [2_500, 2_500],
    ['2500', 2_500],
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5 s', 1_500],
    ['5 min', 300_000],
    ['5m', 300_000],
    ['1 H', 3_600_000],
  ])) {
    it(`may be ${show(given)}`, () => {
      start({ snapshot: { minInterval: given } });

      assert.equal(options().snapshot.minInterval, ms);
    });
  }
});

describe('options', () => {
  it('merge from call to call, groups included', () => {
    start({ sample: { interval: '64 KiB' }, snapshot: { compress: 'gzip' } });
    start({ sample: { stackDepth: 16 }, dir: '/one' });
    start({ snapshot: { minInterval: '5s' }, detect: false, dir: undefined, sample: undefined });

    assert.deepEqual(options(), {
      ...defaults,
      dir: '/one',
      detect: false,
      sample: { interval: 65_536, stackDepth: 16 },
      snapshot: { ...defaults.snapshot, compress: 'gzip', minInterval: 5_000 },
    });
  });

  it('turn sampling off, and on again', () => {
    start({ sample: false });
    assert.equal(options().sample, false);
    assert.equal(leakguard.status().sampling.state, 'off');

    start({ sample: true });
    assert.deepEqual(options().sample, { interval: 524_288, stackDepth: 64 });
    assert.equal(leakguard.status().sampling.state, 'owned');

    start({ sample: false }).start({ sample: { stackDepth: 16 } });
    assert.deepEqual(options().sample, { interval: 524_288, stackDepth: 16 });
  });

  it('turn the detector off, and on again', () => {
    const { on, reason } = start({ detect: false }).status().detector;
    assert.equal(on, false);
    assert.match(reason ?? '', /detect/);

    assert.equal(start({ detect: true }).status().detector.on, true);
    assert.deepEqual(options().detect, defaults.detect);

    start({ detect: false }).start({ detect: { cpuShare: 0.5 } });
    assert.deepEqual(options().detect, { ...defaults.detect, cpuShare: 0.5 });
  });

  it('move from signal to signal', () => {
    leakguard.stop();
    // Node's test runner may listen as well.
    const others = ['SIGUSR2', 'SIGHUP'].map((signal) => process.listenerCount(signal));
    const listeners = () => ['SIGUSR2', 'SIGHUP'].map((signal, index) => process.listenerCount(signal) - others[index]);

    start();
    assert.deepEqual(listeners(), [1, 0]);

    start({ dumpSignal: 'SIGHUP' });
    assert.deepEqual(listeners(), [0, 1]);
    assert.deepEqual(leakguard.status().signal, { name: 'SIGHUP', handled: true, reason: null });

    start({ dumpSignal: 'none' });
    assert.deepEqual(listeners(), [0, 0]);
    assert.equal(leakguard.status().signal.handled, false);
  });

  it('move from route to route', () => {
    const routes = () => Object.values(start().status().routes);
    start({ v8: 'fallback' });
    for (const { route, reason } of routes()) {
      assert.notEqual(route, 'native');
      assert.match(reason ?? '', /v8/);
    }

    start({ v8: 'native' });
    for (const { route, reason } of routes()) assert.deepEqual({ route, reason }, { route: 'native', reason: null });
  });

  it('outlast stop()', () => {
    start({ dir: '/one' }).stop();

    assert.equal(start().status().armed, true);
    assert.equal(options().dir, '/one');
  });

  it('cannot be changed through status()', () => {
    options().sample.interval = 1;
    options().dir = '/elsewhere';

    assert.deepEqual(options(), defaults);
  });

  it('given by code win over the environment, one by one', async () => {
    const { dir, sample, detect } = await runChild(
      () =>
        require('leakguard')
          .start({ dir: '/code', sample: { interval: '64 KiB' } })
          .status().options,
      { options: 'dir=/environment,sample.interval=128KiB,sample.stackDepth=16,detect=off' },
    );

    assert.deepEqual(
      { dir, sample, detect },
      { dir: '/code', sample: { interval: 65_536, stackDepth: 16 }, detect: false },
    );
  });

  it('of the environment may be words for true and false', async () => {
    const { detect, sample, snapshot } = await runChild(() => require('leakguard').status().options, {
      options: 'detect=false,sample=off,snapshot.redact=false',
    });

    assert.deepEqual([detect, sample, snapshot.redact], [false, false, false]);
  });
});

describe('dir', () => {
  const dirOf = (/** @type {import('./run-child').Surroundings} */ surroundings) =>
    runChild(() => require(/** @type {string} */ (process.env.LEAKGUARD_UNDER_TEST)).status().options.dir, {
      ...surroundings,
      env: { LEAKGUARD_UNDER_TEST: root, ...surroundings.env },
    });

  it('is the working directory', async (t) => {
    const cwd = temporaryFolder(t);

    assert.equal(await dirOf({ cwd }), cwd);
  });

  it('is what --diagnostic-dir says, wherever that is said', async (t) => {
    const cwd = temporaryFolder(t);

    for (const [flags, NODE_OPTIONS, dir] of /** @type {Array<[string[], string, string]>} */ ([
      [['--diagnostic-dir=/var/dumps'], '', '/var/dumps'],
      [['--diagnostic-dir', '/var/dumps'], '', '/var/dumps'],
      [['--diagnostic_dir=/var/dumps'], '', '/var/dumps'],
      [['--diagnostic-dir=dumps'], '', path.join(cwd, 'dumps')],
      [[], '--no-warnings --diagnostic-dir=/var/dumps', '/var/dumps'],
      [[], '--diagnostic-dir="/var/my dumps"', '/var/my dumps'],
      [['--diagnostic-dir=/one'], '--diagnostic-dir=/two', '/one'],
    ])) {
      assert.equal(await dirOf({ cwd, flags, env: { NODE_OPTIONS } }), dir, `${flags} ${NODE_OPTIONS}`);
    }
  });

  it('is what leakguard was told, rather than that', async () => {
    assert.equal(await dirOf({ flags: ['--diagnostic-dir=/one'], options: 'dir=/two' }), '/two');
  });

  it('is made absolute when it is given', () => {
    start({ dir: 'dumps' });

    assert.equal(options().dir, path.resolve('dumps'));
  });
});

describe('a Worker', () => {
  it('inherits what code told the main thread, and that wins over its environment', async () => {
    const [main, worker] = await runChild(optionsOfWorker, {
      options: 'dir=/environment,sample.stackDepth=16',
      args: [[{ dir: '/code', sample: false }, { sample: true, dir: undefined }, { detect: false }]],
    });

    assert.equal(worker.dir, '/code');
    assert.equal(worker.detect, false);
    assert.deepEqual(worker, main);
  });

  it('keeps what its own environment says where code said nothing', async () => {
    const [main, worker] = await runChild(optionsOfWorker, {
      args: [[{ sample: { interval: '64 KiB' } }], 'sample.interval=128KiB,sample.stackDepth=16'],
    });

    assert.deepEqual(main.sample, { interval: 65_536, stackDepth: 64 });
    assert.deepEqual(worker.sample, { interval: 65_536, stackDepth: 16 });
  });

  it('inherits nothing of a start() that failed', async () => {
    const [main, worker] = await runChild(optionsOfWorker, { args: [[{ dir: '/code', detect: 'maybe' }]] });

    assert.notEqual(worker.dir, '/code');
    assert.deepEqual(worker, main);
  });

  it('has options of its own', async () => {
    const [main, worker] = await runChild(optionsOfWorker, { args: [[], '', { dir: '/worker' }] });

    assert.equal(worker.dir, '/worker');
    assert.notEqual(main.dir, '/worker');
  });
});

/**
 * In a child: the options on the main thread and those in a Worker, after these calls of start().
 *
 * @param {any[]} given on the main thread; a call that fails is passed over
 * @param {string} [environment] added to the Worker's
 * @param {object} [inWorker]
 */
async function optionsOfWorker(given, environment = '', inWorker = {}) {
  const { once } = require('node:events');
  const { Worker } = require('node:worker_threads');
  const leakguard = require('leakguard');
  for (const options of given) {
    try {
      leakguard.start(options);
    } catch {}
  }
  const script = `const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage(require('leakguard').start(workerData).status().options);`;
  const LEAKGUARD_OPTIONS = [process.env.LEAKGUARD_OPTIONS, environment].join(',');
  const env = { ...process.env, LEAKGUARD_OPTIONS };
  const [worker] = await once(new Worker(script, { eval: true, env, workerData: inWorker }), 'message');
  return [leakguard.status().options, worker];
}

/** @param {unknown} given */
function show(given) {
  return JSON.stringify(given, (_, value) =>
    typeof value === 'bigint' || Number.isNaN(value) ? String(value) : value,
  );
}
