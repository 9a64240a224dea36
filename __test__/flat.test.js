'use strict';

// Ten thousand major GCs and rises without end, and leakguard needs no more memory than at the beginning. Takes a minute.

const assert = require('node:assert/strict');
const path = require('node:path');
const { it } = require('node:test');
const leakguard = require('..');
const { runNode } = require('./run-child');

const script = path.join(__dirname, 'children', 'flat.js');
const MOST_GROWTH = 8 * 2 ** 20;
/** A machine that is busy with other tests takes 15 ms for a GC. */
const PATIENCE_MS = 360_000;
const canFork = leakguard.status().routes.fork.route === 'native';

it('memory stays flat over ten thousand major GCs', { skip: !canFork && 'nothing can be forked' }, async () => {
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const options = 'dumpSignal=none,detect.cpuShare=1,detect.snapshotsPerHour=3600';
  const { code, stdout, stderr } = await runNode([script], { options, flags, patience: PATIENCE_MS });
  assert.equal(code, 0, stderr);
  const { majors, early, late, cost } = JSON.parse(stdout);
  assert.ok(majors >= 10_000, `${majors}`);
  assert.ok(cost.snapshots >= 4, JSON.stringify(cost));
  for (const kind of ['rss', 'heapUsed', 'external']) {
    const growth = late[kind] - early[kind];
    assert.ok(growth < MOST_GROWTH, `${kind} grew by ${growth} bytes: ${JSON.stringify({ early, late, cost })}`);
  }
});
