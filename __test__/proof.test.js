'use strict';

// Leaks proved by what keeps them. Takes a minute and a half, nearly all of it waiting for growth, and for its end.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const leakguard = require('..');
const { runNode } = require('./run-child');
const { temporaryFolder } = require('./temporary-folder');

const script = path.join(__dirname, 'children', 'two-leaks.js');
const canFork = leakguard.status().routes.fork.route === 'native';

describe('two leaks at once', { skip: !canFork && 'nothing can be forked' }, () => {
  const dir = temporaryFolder({ after });
  /** @type {import('leakguard').Leak[]} */
  let told;
  /** @type {NonNullable<import('leakguard').Status['cost']>} */
  let cost;
  before(async () => {
    const options = `dumpSignal=none,snapshot.keep=true,dir=${dir}`;
    const { code, stdout, stderr } = await runNode([script], { options });
    assert.equal(code, 0, `not told, or not taken back: ${stderr}`);
    [told, cost] = JSON.parse(stdout);
  });

  it('are both named', () => {
    const [{ retainers, evidence, kind }] = told;
    assert.equal(kind, 'heap');
    assert.ok(evidence.includes('snapshot'), evidence.join());
    const paths = retainers.map((retainer) => retainer.path).sort();
    assert.deepEqual(paths, [`module ${script} › drafts :Array`, `module ${script} › sessions :Map`]);
    for (const { reason } of retainers) assert.match(reason, /none of the first [\d,]+ was removed$/);
  });

  it('end when they are cleared, and are told once', () => {
    const [leak, ended, ...more] = told;
    assert.equal(ended.id, leak.id);
    assert.match(ended.reason, /stopped growing/);
    assert.deepEqual(more, []);
  });

  it('leave their snapshots with snapshot.keep', async () => {
    const [{ snapshots }] = told;
    assert.ok(snapshots.length >= 2, `${snapshots.length}`);
    assert.deepEqual(snapshots.map((file) => path.basename(file)).sort(), fs.readdirSync(dir).sort());
    const { suspects } = await leakguard.diff(snapshots);
    assert.ok(
      suspects.some((suspect) => suspect.path.endsWith('sessions :Map')),
      JSON.stringify(suspects),
    );
  });

  it('have cost what status() tells, and leave no snapshots in memory', () => {
    assert.ok(cost.snapshots >= 2 && cost.snapshotsFailed === 0, JSON.stringify(cost));
    assert.ok(cost.snapshotsCpuMs > 0 && cost.snapshotsPauseMs > 0);
    assert.equal(cost.snapshotsKeptBytes, 0);
  });
});
