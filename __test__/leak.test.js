'use strict';

// The main job, for real: a process leaks on two threads, and the events say what and who. Takes half a minute, nearly all of it
// waiting for the growth to be long enough to judge.

const assert = require('node:assert/strict');
const path = require('node:path');
const { before, describe, it } = require('node:test');
const { runNode } = require('./run-child');

const script = path.join(__dirname, 'children', 'leaky.js');

describe('a leak', () => {
  /** @type {import('leakguard').Leak[]} */
  let leaks;
  before(async () => {
    const { code, stdout, stderr } = await runNode([script], { options: 'dumpSignal=none' });
    assert.equal(code, 0, `not both leaks were told: ${stderr}`);
    leaks = JSON.parse(stdout);
  });

  it('is told on process, with the function that allocates it', () => {
    const leak = leaks.find(({ threadId }) => threadId === 0);
    assert.ok(leak);
    assert.match(leak.id, /^heap-0-\d+$/);
    assert.equal(leak.kind, 'heap');
    assert.ok(Date.parse(leak.start) < Date.parse(leak.end));
    assert.ok(leak.growth > 1_000_000, `${leak.growth}`);
    assert.ok(leak.bytesPerHour > 0);
    assert.ok(leak.confidence > 0.5 && leak.confidence <= 1, `${leak.confidence}`);
    assert.ok(leak.limitInMs !== null && leak.limitInMs > 0);
    assert.deepEqual(leak.evidence, ['trend', 'cohort']);
    assert.deepEqual([leak.retainers, leak.snapshots], [[], []]);
    const [site] = leak.sites;
    assert.equal(site.functionName, 'remember');
    assert.equal(site.scriptName, script);
    assert.equal(site.lineNumber, 20);
    assert.ok(site.samples > 0 && site.growthBytes > 0 && site.liveBytes >= site.growthBytes);
    assert.equal(typeof site.stack[0].functionName, 'string');
    assert.ok(leak.reason.includes(`${script}:20`), leak.reason);
  });

  it('of a Worker is told on the main thread', () => {
    const leak = leaks.find(({ threadId }) => threadId === 1);
    assert.ok(leak);
    assert.match(leak.id, /^heap-1-\d+$/);
    assert.equal(leak.sites[0].functionName, 'remember');
  });
});
