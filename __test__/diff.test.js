'use strict';

// `leakguard diff` and diff(): what has grown between snapshots, and who keeps it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { pathToFileURL } = require('node:url');
const leakguard = require('..');
const { temporaryFolder } = require('./temporary-folder');

const grows = path.join(__dirname, 'children', 'grows.js');
const bin = path.join(__dirname, '..', 'bin', 'leakguard.js');
const WORK = [1_000, 2_000, 3_000];

/** Options of the language that are wrong on purpose. */
const diff = /** @type {(...args: any[]) => Promise<leakguard.Difference>} */ (leakguard.diff);

/** @param {string[]} args */
function run(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/**
 * The same snapshot with other ids, as forked children number things afresh.
 *
 * @param {string} file
 */
function renumber(file) {
  const snapshot = JSON.parse(fs.readFileSync(file, 'utf8'));
  const fields = snapshot.snapshot.meta.node_fields;
  const count = snapshot.nodes.length / fields.length;
  for (let node = 0; node < count; node++) {
    // A prime: no two nodes get the same id.
    snapshot.nodes[node * fields.length + fields.indexOf('id')] = 2 * ((node * 7_919) % count) + 1;
  }
  const renumbered = `${file}.renumbered`;
  fs.writeFileSync(renumbered, JSON.stringify(snapshot));
  return renumbered;
}

describe('diff', () => {
  let folder = '';
  /** @type {string[]} */
  let files = [];
  /** @type {leakguard.Difference} */
  let difference;

  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leakguard-test-'));
    files = [1, 2, 3].map((number) => path.join(folder, `${number}.heapsnapshot`));
    const { status, stderr } = spawnSync(process.execPath, [grows, ...files], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    difference = await leakguard.diff(files, { work: WORK });
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** @param {leakguard.Difference} found */
  const named = (found) => Object.fromEntries(found.suspects.map(({ path: words, kind }) => [words, kind]));
  const expected = {
    [`module ${grows} › maps :Map`]: 'Map',
    [`module ${grows} › pool :Array`]: 'Array',
    [`module ${grows} › bus :EventEmitter › _events › listeners of "reload"`]: 'listeners',
    [`module ${grows} › settled :Promise`]: 'promises',
    [`module ${grows} › chain :Object`]: 'chain',
    'module node:timers › timerListMap :Object › [60000] :TimersList': 'timers',
  };

  it('names every container that keeps what it gets, and nothing else', () => {
    assert.equal(difference.idsMatch, true);
    assert.deepEqual(named(difference), expected);
    for (const { verdict, populations, removed, rate } of difference.suspects) {
      assert.deepEqual([verdict, removed], ['confirmed', 0]);
      assert.equal(populations[2] - populations[1], 1_000);
      assert.equal(rate, 1);
    }
  });

  it('names the same where ids do not match', async () => {
    const found = await leakguard.diff(files.map(renumber), { work: WORK });
    assert.equal(found.idsMatch, false);
    assert.deepEqual(named(found), expected);
  });

  it('names the same in redacted snapshots', async () => {
    const redacted = await Promise.all(files.map(async (file) => (await leakguard.redact(file)).file));
    const found = await leakguard.diff(/** @type {string[]} */ (redacted), { work: WORK });
    assert.deepEqual(named(found), expected);
  });

  it('names them from two snapshots as well', async () => {
    assert.deepEqual(named(await leakguard.diff([files[0], files[2]])), expected);
  });

  it('says of what is turned over that it is healthy', () => {
    const words = difference.others.map(({ path: words, verdict }) => [words, verdict]);
    assert.deepEqual(words.sort(), [
      [`module ${grows} › queue :Array`, 'healthy'],
      [`module ${grows} › sessions :Map`, 'healthy'],
    ]);
    for (const { reason } of difference.others) assert.match(reason, /399 of the first 399 were removed/);
  });

  it('says who is called, who waits, and what came of the members', () => {
    /** @param {string} kind */
    const reason = (kind) => difference.suspects.find((suspect) => suspect.kind === kind)?.reason ?? '';
    assert.match(
      reason('listeners'),
      /^1,200 → 2,200 → 3,200 listeners, .*, all onReload \(.*grows\.js:\d+\); none of/,
    );
    assert.match(reason('timers'), /; they run refresh \(.*grows\.js:\d+\)/);
    assert.match(reason('Array'), /; each keeps a store of AsyncLocalStorage; none of/);
    assert.match(reason('promises'), /; audit \(.*grows\.js:\d+\) waits for each/);
    assert.match(reason('Map'), /1\.00 more per unit of work, \d+ B each; none of the first 1,200 was removed$/);
  });

  it('names what an ES module keeps, exported or not, static or private', async (t) => {
    const script = path.join(__dirname, 'children', 'grows.mjs');
    const inFolder = temporaryFolder(t);
    const written = [1, 2, 3].map((number) => path.join(inFolder, `${number}.heapsnapshot`));
    const { status, stderr } = spawnSync(process.execPath, [script, ...written], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const where = `module ${pathToFileURL(script)}`;
    assert.deepEqual(named(await leakguard.diff(written)), {
      [`${where} › shared :Map`]: 'Map',
      [`${where} › own :Map`]: 'Map',
      [`${where} › Registry :Registry() › seen :Set`]: 'Set',
      [`${where} › registry :Registry › #entries :Map`]: 'Map',
    });
  });

  it('finds growing classes, apart from what V8 has come to know', () => {
    const timeouts = difference.classes.find(({ name }) => name === 'Timeout');
    assert.equal(Number(timeouts?.counts[2]) - Number(timeouts?.counts[0]), 2_000);
    assert.ok(difference.classes.every(({ name }) => !['(compiled code)', '(system)'].includes(name)));
    assert.deepEqual([difference.version, difference.unit, difference.snapshots.length], [1, 'work', 3]);
  });

  it('finds nothing between twice the same', async () => {
    const { suspects, others, classes } = await leakguard.diff([files[1], files[1]]);
    assert.deepEqual([suspects, others, classes], [[], [], []]);
    assert.equal(run(['diff', files[1], files[1]]).status, 0);
  });

  it('is a command: a screen of text, or JSON', () => {
    const work = ['--work', WORK.join(',')];
    const { status, stdout } = run(['diff', ...work, ...files]);
    assert.equal(status, 1);
    assert.match(stdout, /^baseline {2}[\d,]+ nodes, .*\ntarget .*\nfinal .*\n\nSuspects\n/);
    assert.ok(stdout.split('\n').every((line) => line.length <= 120));
    assert.match(run(['diff', '--full', ...work, ...files]).stdout, /\nGrown, but no suspect\n/);
    const json = run(['diff', '--json', ...work, ...files]);
    assert.deepEqual([json.status, JSON.parse(json.stdout)], [1, difference]);
    assert.match(run(['diff', '--help']).stdout, /Usage: leakguard diff /);
  });

  it('names the file that cannot be read', () => {
    const { status, stderr } = run(['diff', files[0], '/no/such/file']);
    assert.equal(status, 2);
    assert.match(stderr, /^leakguard diff: \/no\/such\/file: No such file/);
    assert.match(run(['diff', files[0]]).stderr, /give two or three files; there are 1/);
  });

  for (const [what, Class, args] of /** @type {[string, string, unknown[]][]} */ ([
    ['a path alone', 'TypeError', ['x']],
    ['one file', 'RangeError', [['x']]],
    ['four files', 'RangeError', [['x', 'x', 'x', 'x']]],
    ['a file that is none', 'TypeError', [['x', 1]]],
    ['an unknown option', 'TypeError', [['x', 'y'], { partial: true }]],
    ['work that is text', 'TypeError', [['x', 'y'], { work: '1,2' }]],
    ['work for one file', 'RangeError', [['x', 'y'], { work: [1] }]],
    ['work that does not rise', 'RangeError', [['x', 'y'], { work: [1, 1] }]],
  ])) {
    it(`rejects ${what}`, () => assert.rejects(diff(...args), { name: Class, code: 'ERR_LEAKGUARD_OPTION' }));
  }
});
