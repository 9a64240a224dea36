'use strict';

// heapProfile(): live bytes by allocation site, in its three formats, and beside other people's profilers.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { gunzipSync } = require('node:zlib');
const leakguard = require('..');
const { runChild } = require('./run-child');

const isNative = leakguard.status().routes.sampling.route === 'native';
const { places } = require('./children/keep');
const keep = path.join(__dirname, 'children', 'keep.js');
const surroundings = { options: 'sample.interval=16KiB', flags: ['--expose-gc'], args: [keep] };

/** Within 40 %: these are estimates. @param {number} a @param {number} b */
const isAbout = (a, b) => a > 0.6 * b && a < 1.4 * b;

describe('heapProfile()', () => {
  it('names the function that keeps memory, where it stands, who called it and how much it keeps', async () => {
    const { profile, growth, begin, end } = await runChild(async (file) => {
      const begin = Date.now();
      const leakguard = require('leakguard');
      const { keepObjects } = require(file);
      const collected = () => {
        /** @type {any} */ (globalThis).gc();
        return process.memoryUsage().heapUsed;
      };
      const before = collected();
      (function serve() {
        keepObjects(250_000);
      })();
      const growth = collected() - before;
      return { profile: await leakguard.heapProfile(), growth, begin, end: Date.now() };
    }, surroundings);

    assert.deepEqual(Object.keys(profile).sort(), ['liveBytes', 'samplingInterval', 'since', 'sites']);
    const [{ stack, liveBytes, liveObjects, samples, ...frame }] = profile.sites;
    assert.deepEqual(frame, { functionName: 'keepObjects', ...places.keepObjects });
    assert.deepEqual(stack[0], frame);
    assert.equal(stack[1].functionName, 'serve');
    assert.ok(growth > 20_000_000, `${growth}`);
    assert.ok(isAbout(liveBytes, growth), `${liveBytes} of ${growth} bytes`);
    assert.ok(isAbout(samples, growth / 16_384), `${samples} samples`);
    assert.ok(liveObjects >= samples, `${liveObjects} objects`);
    assert.equal(profile.samplingInterval, 16_384);
    assert.equal(new Date(profile.since).toISOString(), profile.since);
    assert.ok(Date.parse(profile.since) >= begin - 5 && Date.parse(profile.since) <= end, profile.since);

    const sizes = profile.sites.map((/** @type {any} */ site) => site.liveBytes);
    assert.deepEqual(
      sizes,
      [...sizes].sort((a, b) => b - a),
    );
    assert.ok(profile.liveBytes >= liveBytes && profile.liveBytes < 2 * liveBytes, `${profile.liveBytes} in all`);
  });

  it('tells functions without a name apart by their place', async () => {
    const [site] = await runChild(async (file) => {
      const leakguard = require('leakguard');
      require(file).keepNameless(50_000);
      return (await leakguard.heapProfile()).sites;
    }, surroundings);

    const { functionName, scriptName, lineNumber, columnNumber } = site;
    assert.deepEqual(
      { functionName, scriptName, lineNumber, columnNumber },
      { functionName: '(anonymous)', ...places.nameless },
    );
  });

  it('keeps the innermost `stackDepth` frames', {
    skip: isNative ? false : 'the inspector takes no depth before Node 26',
  }, async () => {
    const depths = await runChild(
      async (file) => {
        const leakguard = require('leakguard');
        const { keepObjects } = require(file);
        /** @param {number} depth */
        function nest(depth) {
          if (depth > 0) nest(depth - 1);
          else keepObjects(50_000);
        }
        nest(20);
        return (await leakguard.heapProfile()).sites.map(({ stack }) => stack.length);
      },
      { ...surroundings, options: 'sample.interval=16KiB,sample.stackDepth=5' },
    );

    assert.equal(Math.max(...depths), 5);
  });

  it('forgets what has been collected', async () => {
    const [full, empty] = await runChild(async (file) => {
      const leakguard = require('leakguard');
      const { keepObjects, release } = require(file);
      const look = async () => {
        /** @type {any} */ (globalThis).gc();
        const { sites } = await leakguard.heapProfile();
        return sites.find(({ functionName }) => functionName === 'keepObjects')?.liveBytes ?? 0;
      };
      keepObjects(100_000);
      const full = await look();
      release();
      return [full, await look()];
    }, surroundings);

    assert.ok(full > 5_000_000, `${full}`);
    assert.ok(empty < full / 10, `${empty} of ${full} are left`);
  });

  it("is each thread's own", async () => {
    const [main, worker] = await runChild(async (file) => {
      const { once } = require('node:events');
      const { Worker } = require('node:worker_threads');
      const leakguard = require('leakguard');
      require(file).keepObjects(50_000);
      const script = `
        const { parentPort, workerData } = require('node:worker_threads');
        const leakguard = require('leakguard');
        require(workerData).keepOthers(50_000);
        leakguard.heapProfile().then(({ sites }) => parentPort.postMessage(sites));`;
      const [sites] = await once(new Worker(script, { eval: true, workerData: file }), 'message');
      return [(await leakguard.heapProfile()).sites, sites];
    }, surroundings);

    const names = (/** @type {any[]} */ sites) => sites.map(({ functionName }) => functionName);
    assert.equal(names(main)[0], 'keepObjects');
    assert.equal(names(worker)[0], 'keepOthers');
    assert.ok(!names(main).includes('keepOthers') && !names(worker).includes('keepObjects'));
  });

  it('as heapprofile is the tree that DevTools opens', async () => {
    const { head, samples } = await runChild(async (file) => {
      const leakguard = require('leakguard');
      require(file).keepObjects(100_000);
      return leakguard.heapProfile({ format: 'heapprofile' });
    }, surroundings);

    /** @type {Map<number, any>} */
    const nodes = new Map();
    const open = [head];
    for (let node = open.pop(); node; node = open.pop()) {
      assert.deepEqual(Object.keys(node).sort(), ['callFrame', 'children', 'id', 'selfSize']);
      assert.ok(!nodes.has(node.id), `two nodes have the id ${node.id}`);
      nodes.set(node.id, node);
      open.push(...node.children);
    }
    /** @type {Map<number, number>} */
    const sizes = new Map();
    for (const { size, nodeId, ordinal } of samples) {
      assert.ok(nodes.has(nodeId), `no node has the id ${nodeId}`);
      assert.ok(size > 0 && ordinal >= 0);
      sizes.set(nodeId, (sizes.get(nodeId) ?? 0) + size);
    }
    for (const { id, selfSize } of nodes.values()) {
      const size = sizes.get(id) ?? 0;
      // V8 rounds each sample.
      assert.ok(Math.abs(size - selfSize) <= 0.01 * selfSize, `node ${id}: ${selfSize}, its samples: ${size}`);
    }
    const [biggest] = [...nodes.values()].sort((a, b) => b.selfSize - a.selfSize);
    const { scriptId, ...frame } = biggest.callFrame;
    assert.match(scriptId, /^\d+$/);
    assert.deepEqual(frame, {
      functionName: 'keepObjects',
      url: places.keepObjects.scriptName,
      lineNumber: places.keepObjects.lineNumber - 1,
      columnNumber: places.keepObjects.columnNumber - 1,
    });
  });

  it('as pprof is a gzipped profile.proto of what is in use', async () => {
    const { base64, site, period } = await runChild(async (file) => {
      const leakguard = require('leakguard');
      require(file).keepObjects(100_000);
      /** @type {any} */ (globalThis).gc();
      const buffer = await leakguard.heapProfile({ format: 'pprof' });
      const { sites, samplingInterval } = await leakguard.heapProfile();
      return { base64: buffer.toString('base64'), site: sites[0], period: samplingInterval };
    }, surroundings);

    const profile = fieldsOf(gunzipSync(Buffer.from(base64, 'base64')));
    const strings = profile[6].map(String);
    const text = (/** @type {any} */ index) => strings[Number(index ?? 0)];
    const valueType = (/** @type {Buffer} */ message) => {
      const [[type], [unit]] = [fieldsOf(message)[1], fieldsOf(message)[2]];
      return `${text(type)}/${text(unit)}`;
    };
    assert.equal(strings[0], '');
    assert.deepEqual(profile[1].map(valueType), ['inuse_objects/count', 'inuse_space/bytes']);
    assert.equal(valueType(profile[11][0]), 'space/bytes');
    assert.equal(Number(profile[12][0]), period);

    const byId = (/** @type {Buffer[]} */ messages) =>
      new Map(messages.map((message) => [fieldsOf(message)[1][0], fieldsOf(message)]));
    const [locations, functions] = [byId(profile[4]), byId(profile[5])];
    const lineOf = (/** @type {bigint} */ location) => {
      const { 1: id, 2: line } = fieldsOf(locations.get(location)?.[4][0]);
      const { 2: name, 4: file, 5: start } = functions.get(id[0]) ?? {};
      return { name: text(name), file: text(file), start: Number(start), line: Number(line) };
    };
    let inUse = 0;
    for (const { 1: ids, 2: values } of profile[2].map(fieldsOf)) {
      const [locationIds, [, space]] = [varintsOf(ids[0]), varintsOf(values[0])];
      const [leaf] = locationIds.map(lineOf);
      if (leaf.name !== 'keepObjects') continue;
      const { scriptName, lineNumber } = places.keepObjects;
      assert.deepEqual(leaf, { name: 'keepObjects', file: scriptName, start: lineNumber, line: lineNumber });
      inUse += Number(space);
    }
    assert.ok(inUse > 0.95 * site.liveBytes && inUse < 1.05 * site.liveBytes, `${inUse}, not ${site.liveBytes}`);
  });

  it('refuses other formats by name', async () => {
    for (const format of ['json', '', null, 5]) {
      await assert.rejects(/** @type {any} */ (leakguard.heapProfile)({ format }), {
        name: 'RangeError',
        code: 'ERR_LEAKGUARD_OPTION',
        message: /format must be one of object, pprof, heapprofile/,
      });
    }
  });

  it('is not available where sampling is off', async () => {
    const code = await runChild(
      () =>
        require('leakguard')
          .heapProfile()
          .catch((/** @type {any} */ { code }) => code),
      { options: 'sample=off' },
    );

    assert.equal(code, 'ERR_LEAKGUARD_UNAVAILABLE');
  });
});

describe('another interval', () => {
  it('keeps what was sampled before', { skip: isNative ? false : 'the fallback begins anew' }, async () => {
    const [before, after] = await runChild(async (file) => {
      const leakguard = require('leakguard');
      const { keepObjects, keepOthers } = require(file);
      keepObjects(100_000);
      /** @type {any} */ (globalThis).gc();
      const before = await leakguard.heapProfile();
      leakguard.start({ sample: { interval: '32 KiB' } });
      keepOthers(100_000);
      /** @type {any} */ (globalThis).gc();
      return [before, await leakguard.heapProfile()];
    }, surroundings);

    const liveBytes = (/** @type {any} */ { sites }, /** @type {string} */ name) =>
      sites.find((/** @type {any} */ { functionName }) => functionName === name)?.liveBytes;
    assert.equal(after.since, before.since);
    assert.equal(after.samplingInterval, 32_768);
    assert.equal(liveBytes(after, 'keepObjects'), liveBytes(before, 'keepObjects'));
    const others = liveBytes(after, 'keepOthers');
    assert.ok(isAbout(others, liveBytes(before, 'keepObjects')), `${others} bytes`);
  });

  it('is in force, and `since` says since when', async () => {
    const { before, change, after } = await runChild(async (file) => {
      const leakguard = require('leakguard');
      const before = await leakguard.heapProfile();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const change = Date.now();
      leakguard.start({ sample: { interval: 8192 } });
      require(file).keepObjects(100_000);
      return { before, change, after: await leakguard.heapProfile() };
    }, surroundings);

    const [{ functionName, liveBytes, samples }] = after.sites;
    assert.equal(after.samplingInterval, 8_192);
    assert.equal(functionName, 'keepObjects');
    assert.ok(isAbout(samples, liveBytes / 8_192), `${samples} samples`);
    assert.ok(after.since === before.since || Date.parse(after.since) >= change);
  });
});

describe("someone else's profiler", () => {
  it('is read along with, and left running', async () => {
    const found = await runChild(async (file) => {
      const { Session } = require('node:inspector');
      const session = new Session();
      session.connect();
      const post = (/** @type {any} */ method, params = {}) => {
        let answer = /** @type {any} */ (undefined);
        session.post(method, params, (_error, result) => {
          answer = result;
        });
        return answer;
      };
      const theirs = () => post('HeapProfiler.getSamplingProfile')?.profile.samples.length ?? 0;
      post('HeapProfiler.startSampling', { samplingInterval: 16_384 });
      const { keepObjects, keepOthers } = require(file);
      keepObjects(50_000);

      const leakguard = require('leakguard');
      const adopted = leakguard.status().sampling;
      const profile = await leakguard.heapProfile();
      leakguard.start({ sample: { interval: '1 MiB' } });
      const afterStart = theirs();
      leakguard.stop();
      keepOthers(50_000);
      const afterStop = theirs();
      leakguard.start();
      post('HeapProfiler.stopSampling');
      keepOthers(50_000);
      const own = await leakguard.heapProfile();
      return { adopted, profile, afterStart, afterStop, own, sampling: leakguard.status().sampling };
    }, surroundings);

    assert.equal(found.adopted.state, 'adopted');
    assert.equal(found.profile.samplingInterval, null);
    assert.equal(found.profile.sites[0].functionName, 'keepObjects');
    assert.ok(found.afterStart > 100, `${found.afterStart} samples`);
    assert.ok(found.afterStop > 1.5 * found.afterStart, `${found.afterStart} -> ${found.afterStop} samples`);
    // They ended theirs: now it is ours, and it begins anew.
    assert.equal(found.sampling.state, 'owned');
    assert.equal(found.sampling.lost, 1);
    assert.equal(found.own.samplingInterval, 1_048_576);
  });

  it('may end ours: what it had is lost, status() tells, and it goes on', async () => {
    const { before, empty, after, sampling } = await runChild(async (file) => {
      const { Session } = require('node:inspector');
      const leakguard = require('leakguard');
      const { keepObjects, keepOthers } = require(file);
      keepObjects(50_000);
      const before = await leakguard.heapProfile();
      const session = new Session();
      session.connect();
      session.post('HeapProfiler.startSampling');
      session.post('HeapProfiler.stopSampling');
      const empty = await leakguard.heapProfile();
      keepOthers(50_000);
      return { before, empty, after: await leakguard.heapProfile(), sampling: leakguard.status().sampling };
    }, surroundings);

    assert.equal(before.sites[0].functionName, 'keepObjects');
    assert.ok(empty.liveBytes < before.liveBytes / 10);
    assert.ok(Date.parse(empty.since) > Date.parse(before.since));
    assert.equal(after.sites[0].functionName, 'keepOthers');
    assert.equal(after.samplingInterval, 16_384);
    assert.equal(sampling.state, 'owned');
    assert.equal(sampling.lost, 1);
  });

  it('may end ours while the detector is looking', async () => {
    const sampling = await runChild(async (file) => {
      const { Session } = require('node:inspector');
      const leakguard = require('leakguard');
      require(file).keepObjects(1_000);
      const session = new Session();
      session.connect();
      session.post('HeapProfiler.stopSampling');
      /** @type {any} */ (globalThis).gc();
      while ((leakguard.status().cost?.ticks ?? 0) < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      return leakguard.status().sampling;
    }, surroundings);

    assert.equal(sampling.state, 'owned');
    assert.equal(sampling.lost, 1);
  });

  it('may end ours before stop() does', async () => {
    const armed = await runChild(() => {
      const { Session } = require('node:inspector');
      const leakguard = require('leakguard');
      const session = new Session();
      session.connect();
      session.post('HeapProfiler.stopSampling');
      leakguard.stop();
      return leakguard.status().armed;
    }, surroundings);

    assert.equal(armed, false);
  });
});

/**
 * The fields of a protobuf message, by their numbers: numbers as bigint, the rest as bytes.
 *
 * @param {Buffer | undefined} message
 * @returns {Record<number, any[]>}
 */
function fieldsOf(message) {
  assert.ok(message);
  /** @type {Record<number, any[]>} */
  const fields = {};
  for (let at = 0; at < message.length; ) {
    const [key, afterKey] = varintAt(message, at);
    const [number, wireType] = [Number(key >> 3n), Number(key & 7n)];
    const [value, afterValue] = varintAt(message, afterKey);
    assert.ok(wireType === 0 || wireType === 2, `wire type ${wireType}`);
    at = wireType === 0 ? afterValue : afterValue + Number(value);
    fields[number] ??= [];
    fields[number].push(wireType === 0 ? value : message.subarray(afterValue, at));
    assert.ok(at <= message.length);
  }
  return fields;
}

/** @param {Buffer} packed */
function varintsOf(packed) {
  const values = [];
  for (let at = 0; at < packed.length; ) {
    const [value, next] = varintAt(packed, at);
    values.push(value);
    at = next;
  }
  return values;
}

/**
 * @param {Buffer} bytes
 * @param {number} at
 * @returns {[bigint, number]} the value, and where the next begins
 */
function varintAt(bytes, at) {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[at++];
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}
