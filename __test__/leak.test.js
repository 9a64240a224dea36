'use strict';

// The main job, for real: a process leaks on two threads, and the events say what and who. Takes half a minute, nearly all of it
// waiting for the growth to be long enough to judge.

const assert = require('node:assert/strict');
const path = require('node:path');
const { before, describe, it } = require('node:test');
const leakguard = require('..');
const { runNode } = require('./run-child');

const script = path.join(__dirname, 'children', 'leaky.js');
const canFork = leakguard.status().routes.fork.route === 'native';

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
    assert.ok(leak.evidence.includes('trend') && leak.evidence.length > 1, leak.evidence.join());
    assert.deepEqual(leak.snapshots, []);
    const [site] = leak.sites;
    assert.equal(site.functionName, 'remember');
    assert.equal(site.scriptName, script);
    assert.equal(site.lineNumber, 20);
    assert.ok(site.samples > 0 && site.growthBytes > 0 && site.liveBytes >= site.growthBytes);
    assert.equal(typeof site.stack[0].functionName, 'string');
    assert.ok(leak.reason.includes(`${script}:20`), leak.reason);
  });

  it('is proved by what keeps it, where a child can be forked', { skip: !canFork && 'nothing can be forked' }, () => {
    for (const { threadId, evidence, retainers, reason } of leaks) {
      assert.ok(evidence.includes('snapshot'), `${threadId}: ${evidence.join()}`);
      const [retainer] = retainers;
      assert.equal(retainer.path, `module ${script} › kept :Map`);
      assert.ok(retainer.count > retainer.countGrowth && retainer.countGrowth > 0);
      assert.ok(retainer.retainedGrowth > 1_000_000, `${retainer.retainedGrowth}`);
      assert.match(retainer.reason, /none of the first [\d,]+ was removed$/);
      assert.ok(reason.includes(retainer.reason), reason);
    }
  });

  it('of a Worker is told on the main thread', () => {
    const leak = leaks.find(({ threadId }) => threadId === 1);
    assert.ok(leak);
    assert.match(leak.id, /^heap-1-\d+$/);
    assert.equal(leak.sites[0].functionName, 'remember');
  });
});
