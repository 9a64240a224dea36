'use strict';

// heapStatistics(), memory(), history(), and the GC events on the diagnostics channel.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const v8 = require('node:v8');
const leakguard = require('..');
const { runChild } = require('./run-child');

const isNative = leakguard.status().routes.gcEvents.route === 'native';
const flags = ['--expose-gc'];
const MB = 1_000_000;

describe('heapStatistics()', () => {
  it("has every field of v8.getHeapStatistics(), in camelCase, and the heap's spaces", () => {
    const camelCase = (/** @type {string} */ name) =>
      name
        .split('_')
        .map((word, index) => (index === 0 ? word : word[0].toUpperCase() + word.slice(1)))
        .join('');
    const { spaces, ...fields } = leakguard.heapStatistics();

    assert.deepEqual(Object.keys(fields), Object.keys(v8.getHeapStatistics()).map(camelCase));
    for (const [name, value] of Object.entries(fields)) assert.equal(typeof value, 'number', name);
    assert.deepEqual(
      spaces.map(({ name }) => name),
      v8.getHeapSpaceStatistics().map(({ space_name }) => space_name),
    );
    for (const { name, ...sizes } of spaces) {
      assert.deepEqual(Object.keys(sizes), ['size', 'used', 'available', 'physical'], name);
      for (const size of Object.values(sizes)) assert.ok(Number.isInteger(size) && size >= 0, `${name}: ${size}`);
    }
  });

  it('says what V8 says', () => {
    const { heap_size_limit, number_of_native_contexts } = v8.getHeapStatistics();
    const { heapSizeLimit, numberOfNativeContexts, usedHeapSize, totalHeapSize, spaces } = leakguard.heapStatistics();

    assert.deepEqual([heapSizeLimit, numberOfNativeContexts], [heap_size_limit, number_of_native_contexts]);
    assert.ok(usedHeapSize < totalHeapSize, `${usedHeapSize} of ${totalHeapSize}`);
    const used = spaces.reduce((sum, space) => sum + space.used, 0);
    assert.ok(Math.abs(used - usedHeapSize) < MB, `the spaces use ${used}, the heap ${usedHeapSize}`);
  });
});

describe('memory()', () => {
  const keys = [
    ...['rss', 'heapTotal', 'heapUsed', 'external', 'arrayBuffers'],
    ...['malloced', 'heapSizeLimit', 'cgroupLimit', 'cgroupUsage'],
  ];

  it('has its fields, and with `detail` two more', () => {
    assert.deepEqual(Object.keys(leakguard.memory()), keys);
    assert.deepEqual(Object.keys(leakguard.memory({ detail: false })), keys);
    assert.deepEqual(Object.keys(leakguard.memory({ detail: true })), [...keys, 'pss', 'malloc']);
  });

  it('agrees with process.memoryUsage()', () => {
    const theirs = process.memoryUsage();
    const ours = leakguard.memory();

    for (const name of /** @type {const} */ (['rss', 'heapTotal', 'heapUsed', 'external', 'arrayBuffers'])) {
      assert.ok(Math.abs(ours[name] - theirs[name]) < 8 * MB, `${name}: ${ours[name]}, not ${theirs[name]}`);
    }
    assert.equal(ours.heapSizeLimit, v8.getHeapStatistics().heap_size_limit);
    assert.ok(ours.malloced > 0);
  });

  it('sees a Buffer come', () => {
    const before = leakguard.memory({ detail: true });
    const buffer = Buffer.alloc(64 * MB, 1);
    const after = leakguard.memory({ detail: true });

    for (const name of /** @type {const} */ (['rss', 'external', 'arrayBuffers'])) {
      const growth = after[name] - before[name];
      assert.ok(growth > 0.9 * buffer.length, `${name} grew by ${growth}`);
    }
  });

  it("tells the container's limit, or null where there is none", () => {
    const { cgroupLimit, cgroupUsage } = leakguard.memory();
    const known = process.constrainedMemory() ?? 0;

    if (cgroupLimit !== null) assert.ok(cgroupLimit > 0);
    // Node says 0, or a number beyond all memory, where there is none.
    if (known > 0 && known < 2 ** 50) assert.equal(cgroupLimit, known);
    if (cgroupUsage !== null) assert.ok(cgroupUsage > 0);
  });

  it("tells the process's share and malloc's accounting, with `detail`", async () => {
    // A process of its own: here V8 may free what other tests have left.
    const { before, after, size } = await runChild(async () => {
      const leakguard = require('leakguard');
      const detailed = async () => {
        for (;;) {
          const memory = leakguard.memory({ detail: true });
          // It may take longer than one call waits.
          if (memory.malloc !== null) return memory;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      const before = await detailed();
      const buffer = Buffer.alloc(64_000_000, 1);
      return { before, after: await detailed(), size: buffer.length };
    });

    assert.ok(after.pss > 0.9 * size && after.pss < 1.1 * after.rss, `${after.pss} of ${after.rss}`);
    assert.deepEqual(Object.keys(after.malloc), ['inUse', 'free', 'mapped']);
    const growth = after.malloc.inUse - before.malloc.inUse;
    assert.ok(growth > 0.9 * size && growth < 1.5 * size, `malloc grew by ${growth}`);
    assert.ok(after.malloc.mapped > 0.9 * size && after.malloc.mapped <= after.malloc.inUse);
  });

  it('refuses nothing that it does not know', () => {
    assert.deepEqual(Object.keys(/** @type {any} */ (leakguard.memory)({ unknown: 1 })), keys);
  });
});

describe('history()', () => {
  it('has every major GC, oldest first', async () => {
    const { events, limit, begin, end } = await runChild(
      async () => {
        const leakguard = require('leakguard');
        const begin = Date.now();
        for (let count = 0; count < 3; count++) /** @type {any} */ (globalThis).gc();
        while (leakguard.history().length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
        const limit = require('node:v8').getHeapStatistics().heap_size_limit;
        return { events: leakguard.history(), limit, begin, end: Date.now() };
      },
      { flags },
    );

    // V8 may have added one of its own.
    assert.ok(events.length >= 3);
    for (const [index, event] of events.entries()) {
      assert.deepEqual(Object.keys(event).sort(), [
        ...['contexts', 'external', 'kind', 'limit', 'malloced', 'oldSpace', 'pauseMs', 'time', 'used'],
      ]);
      assert.equal(event.kind, 'mark-compact');
      assert.equal(event.limit, limit);
      assert.ok(event.time > begin - 1_000 && event.time < end + 1_000, `${event.time}: not in ${begin}..${end}`);
      if (index > 0) assert.ok(event.time > events[index - 1].time);
      assert.ok(event.pauseMs > 0 && event.pauseMs < end - begin + 1, `${event.pauseMs} ms`);
      assert.ok(event.used > MB && event.used < limit, `${event.used} bytes`);
      assert.ok(event.oldSpace > 0 && event.oldSpace < event.used, `${event.oldSpace} bytes`);
      assert.ok(event.malloced > 0);
      assert.ok(event.contexts >= 1);
    }
  });

  it('has it at once, with the heap as it was then', {
    skip: isNative ? false : 'the fallback reads a moment later',
  }, async () => {
    const [empty, full, released] = await runChild(
      () => {
        const leakguard = require('leakguard');
        const collect = () => {
          /** @type {any} */ (globalThis).gc();
          return leakguard.history().at(-1);
        };
        const empty = collect();
        /** @type {any} */
        let kept = Array.from({ length: 100_000 }, (_, index) => ({ index, text: [index] }));
        const full = collect();
        kept = kept.length;
        return [empty, full, collect()];
      },
      { flags },
    );

    assert.ok(full.used - empty.used > 4 * MB, `${empty.used} -> ${full.used}`);
    assert.ok(full.used - released.used > 4 * MB, `${full.used} -> ${released.used}`);
  });

  it('leaves minor GCs out', async () => {
    const [gcs, events] = await runChild(async () => {
      const leakguard = require('leakguard');
      /** @type {any} */
      let garbage;
      while ((leakguard.status().cost?.gcs ?? 0) < 3) {
        for (let count = 0; count < 100_000; count++) garbage = [garbage && count];
        await new Promise((resolve) => setImmediate(resolve));
      }
      return [leakguard.status().cost?.gcs, leakguard.history()];
    });

    assert.ok(gcs > events.length, `${events.length} of ${gcs}`);
    for (const { kind } of events) assert.equal(kind, 'mark-compact');
  });

  it('keeps the latest 512', async () => {
    const { events, times } = await runChild(
      async () => {
        const leakguard = require('leakguard');
        /** @type {number[]} */
        const times = [];
        for (let count = 0; count < 600; count++) {
          times.push(Date.now());
          /** @type {any} */ (globalThis).gc();
          if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        const isLast = () => (leakguard.history().at(-1)?.time ?? 0) > times[599] - 1;
        for (let turn = 0; turn < 500 && !isLast(); turn++) await new Promise((resolve) => setTimeout(resolve, 10));
        return { events: leakguard.history(), times };
      },
      { flags },
    );

    assert.equal(events.length, 512);
    for (const [index, { time }] of events.entries()) if (index > 0) assert.ok(time > events[index - 1].time);
    assert.ok(events[0].time > times[600 - 512] - 20, 'the oldest are gone');
    assert.ok(events[511].time > times[599] - 20, 'the latest is there');
  });

  it('is each thread’s own', async () => {
    const { main, worker } = await runChild(
      async () => {
        const { once } = require('node:events');
        const { Worker } = require('node:worker_threads');
        const leakguard = require('leakguard');
        const script = `
          const { parentPort } = require('node:worker_threads');
          const leakguard = require('leakguard');
          for (let count = 0; count < 10; count++) gc();
          const timer = setInterval(() => {
            const events = leakguard.history();
            if (events.length < 10) return;
            clearInterval(timer);
            parentPort.postMessage({ events, limit: require('node:v8').getHeapStatistics().heap_size_limit });
          }, 10);`;
        const resourceLimits = { maxOldGenerationSizeMb: 100 };
        const [worker] = await once(new Worker(script, { eval: true, resourceLimits }), 'message');
        return { main: leakguard.history(), worker };
      },
      { flags },
    );

    assert.ok(worker.events.length >= 10);
    assert.ok(main.length < 10, 'the main thread knows of the GCs of the Worker');
    for (const { limit } of worker.events) assert.equal(limit, worker.limit);
    assert.notEqual(worker.limit, v8.getHeapStatistics().heap_size_limit);
  });

  it('is a copy', async () => {
    const [length, kind] = await runChild(
      async () => {
        const leakguard = require('leakguard');
        /** @type {any} */ (globalThis).gc();
        while (leakguard.history().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
        const history = leakguard.history();
        history[0].kind = 'scavenge';
        history.length = 0;
        leakguard.stop();
        leakguard.history()[0].kind = 'scavenge';
        leakguard.history().length = 0;
        return [leakguard.history().length, leakguard.history()[0].kind];
      },
      { flags },
    );

    assert.deepEqual([length, kind], [1, 'mark-compact']);
  });
});

describe('the channel leakguard:gc', () => {
  for (const [where, addon] of Object.entries({ 'with the addon': [], 'without the addon': ['--no-addons'] })) {
    it(`carries batches of GCs of all kinds, each GC once, ${where}`, async () => {
      const { messages, history } = await runChild(
        async () => {
          const { subscribe } = require('node:diagnostics_channel');
          const leakguard = require('leakguard');
          /** @type {any[]} */
          const messages = [];
          subscribe('leakguard:gc', (message) => messages.push(message));
          for (const batches of [1, 2]) {
            /** @type {any} */ (globalThis).gc({ type: 'minor' });
            for (let count = 0; count < 3; count++) /** @type {any} */ (globalThis).gc();
            while (messages.length < batches) await new Promise((resolve) => setTimeout(resolve, 10));
          }
          return { messages, history: leakguard.history() };
        },
        { flags: [...flags, ...addon] },
      );

      const events = messages.flatMap((/** @type {any} */ { events }) => events);
      assert.deepEqual(
        messages.map((/** @type {any} */ { threadId, events }) => [threadId, events.length >= 4]),
        [
          [0, true],
          [0, true],
        ],
      );
      const times = events.map((/** @type {any} */ { time }) => time);
      assert.deepEqual(
        times,
        [...new Set(times)].sort((a, b) => a - b),
      );
      const kinds = new Set(events.map((/** @type {any} */ { kind }) => kind));
      assert.ok(kinds.has('mark-compact') && kinds.size > 1, [...kinds].join());
      const majors = events.filter((/** @type {any} */ { kind }) => kind === 'mark-compact');
      assert.deepEqual(majors, history.slice(0, majors.length));
    });
  }

  it('is left alone while nobody subscribes', async () => {
    const published = await runChild(
      async () => {
        const channel = require('node:diagnostics_channel').channel('leakguard:gc');
        let published = 0;
        channel.publish = () => {
          published++;
        };
        const leakguard = require('leakguard');
        /** @type {any} */ (globalThis).gc();
        while ((leakguard.status().cost?.ticks ?? 0) < 2) await new Promise((resolve) => setTimeout(resolve, 50));
        return published;
      },
      { flags },
    );

    assert.equal(published, 0);
  });
});
