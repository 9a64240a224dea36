'use strict';

// `leakguard query` and query(): single things in a snapshot of children/hoards.js, and what is refused.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const leakguard = require('..');

const hoards = path.join(__dirname, 'children', 'hoards.js');
const bin = path.join(__dirname, '..', 'bin', 'leakguard.js');

/** Questions that are wrong on purpose. */
const ask = /** @type {(...args: any[]) => Promise<any>} */ (leakguard.query);

/** @param {string[]} args */
function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'query', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('query', () => {
  let folder = '';
  let file = '';
  /** The object of class Session that came last. */
  let session = 0;

  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leakguard-test-'));
    file = path.join(folder, 'hoards.heapsnapshot');
    const { status, stderr } = spawnSync(process.execPath, [hoards, file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const { objects } = await leakguard.query(file, {
      what: 'objects',
      class: 'Session',
      property: 'name',
      value: 'last',
    });
    assert.equal(objects.length, 1);
    session = objects[0].id;
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('finds classes by a part of their name, with filters', async () => {
    const { version, what, total, classes } = await leakguard.query(file, { what: 'classes', name: 'Sess' });
    assert.deepEqual([version, what, total], [1, 'classes', 1]);
    const [{ name, location, count, shallowSize, retainedSize }] = classes;
    assert.deepEqual([name, count], ['Session', 3_000]);
    assert.equal(location?.scriptName, hoards);
    assert.ok(retainedSize > shallowSize && shallowSize >= 3_000 * 16);
    const many = await leakguard.query(file, { what: 'classes', minCount: 3_000, minSize: '1 MiB' });
    assert.ok(many.classes.some(({ name }) => name === 'Session'));
    assert.ok(many.classes.every(({ count, retainedSize }) => count >= 3_000 && retainedSize >= 2 ** 20));
  });

  it('puts the class of exactly that name first', async () => {
    const { classes } = await leakguard.query(file, { what: 'classes', name: 'Set' });
    assert.equal(classes[0].name, 'Set');
    assert.ok(classes.length > 1);
  });

  it('finds the objects of a class by size, count and property', async () => {
    const all = await leakguard.query(file, { what: 'objects', class: 'Session' }, { rows: 5, skip: 2 });
    assert.deepEqual([all.total, all.objects.length], [3_000, 5]);
    assert.match(all.objects[0].preview, /^Session \{.*notes: Array/);
    const maps = await leakguard.query(file, { what: 'objects', class: 'Map', minCount: 3_000, minSize: '1 MiB' });
    assert.equal(maps.total, 1);
    assert.match(maps.objects[0].preview, /^Map \{"req-0" => Session, .*, … 2995 more\}$/);
    const none = await leakguard.query(file, { what: 'objects', class: 'Map', minSize: '99999999999999 GB' });
    assert.equal(none.total, 0);
    const named = await leakguard.query(file, { what: 'objects', class: 'Session', property: 'name' });
    assert.deepEqual(
      named.objects.map(({ id }) => id),
      [session],
    );
  });

  it('shows one object', async () => {
    const answer = await leakguard.query(file, { what: 'object', id: session });
    assert.equal(answer.object.class, 'Session');
    assert.match(answer.object.preview, /^Session \{.*name: "last"/);
    assert.equal(answer.path, `module ${hoards} › maps :Map › "req-2999" › Session`);
    assert.equal(answer.location?.scriptName, hoards);
    const notes = answer.references.find(({ name }) => name === 'notes');
    assert.deepEqual([notes?.type, notes?.to.class], ['property', 'Array']);
    assert.match(String(notes?.to.preview), /^Array \["note 2999:0", /);
    assert.ok(answer.references.length === answer.total && answer.isDetached === false);
    assert.ok(answer.selfSize <= answer.object.shallowSize && answer.object.shallowSize <= answer.object.retainedSize);
  });

  it('says who refers to an object, and by which ways it is kept', async () => {
    const { retainers } = await leakguard.query(file, { what: 'retainers', id: session });
    const table = retainers.find(({ isWeak, from }) => !isWeak && from.type === 'array');
    assert.equal(table?.partOf?.class, 'Map', JSON.stringify(retainers));
    const { paths } = await leakguard.query(file, { what: 'paths', id: session });
    assert.equal(paths[0].words, `module ${hoards} › maps :Map › "req-2999" › Session`);
    for (const { steps } of paths) assert.equal(steps.at(-1)?.to.id, session);
    assert.equal(new Set(paths.map(({ steps }) => JSON.stringify(steps))).size, paths.length);
  });

  it('says what only an object keeps', async () => {
    const { object, total, immediate, classes } = await leakguard.query(file, { what: 'dominates', id: session });
    assert.equal(immediate.length, total);
    const kept = immediate.reduce((sum, { retainedSize }) => sum + retainedSize, 0);
    assert.equal(kept + object.shallowSize, object.retainedSize);
    assert.equal(classes.find(({ name }) => name === '(string)')?.count, 21);
  });

  it('lists the global variables, those of the program first', async () => {
    const own = await leakguard.query(file, { what: 'globals' });
    assert.deepEqual(
      own.globals.map(({ name, kind, isStandard, value }) => [name, kind, isStandard, value.class]),
      [['hoard', 'property', false, 'Array']],
    );
    const all = await leakguard.query(file, { what: 'globals', all: true }, { rows: 1_000 });
    assert.equal(all.globals[0].name, 'hoard');
    assert.ok(all.globals.some(({ name, isStandard }) => name === 'JSON' && isStandard));
    assert.equal(all.total, own.total + own.standard);
  });

  it('proposes classes that are alike', async () => {
    const { total, similar } = await leakguard.query(file, { what: 'objects', class: 'session' });
    assert.deepEqual([total, similar], [0, ['Session']]);
  });

  it('says that an id is not there', async () => {
    await assert.rejects(leakguard.query(file, { what: 'paths', id: 4_294_967_295 }), {
      name: 'LeakguardError',
      code: 'ERR_LEAKGUARD_NOT_FOUND',
      message: /^there is no object @4294967295 in this snapshot; take an id from /,
    });
  });

  for (const [what, args, message] of /** @type {[string, unknown[], RegExp][]} */ ([
    ['no file', [], /the file must be a path/],
    ['no query', ['x'], /the query must be an object/],
    ['an unknown question', ['x', { what: 'leaks' }], /"what" must be one of classes, objects, /],
    ['a question without its word', ['x', { what: 'object' }], /a query for object must have "id"/],
    ['an id that is none', ['x', { what: 'object', id: 1.5 }], /"id" must be an object's id/],
    ['a filter that does not belong', ['x', { what: 'paths', id: 1, minCount: 1 }], /there is no option "minCount"/],
    ['a size that is none', ['x', { what: 'classes', minSize: 'big' }], /"minSize" must be a number of bytes/],
    ['a value of no property', ['x', { what: 'objects', class: 'A', value: 'b' }], /must have "property"/],
    ['an unknown option', ['x', { what: 'globals' }, { row: 1 }], /there is no option "row"/],
    ['a skip that is none', ['x', { what: 'globals' }, { skip: -1 }], /"skip" must be a whole number/],
  ])) {
    it(`rejects ${what}`, () =>
      assert.rejects(ask(...args), { name: 'TypeError', code: 'ERR_LEAKGUARD_OPTION', message }));
  }

  it('is a command: text, or JSON', async () => {
    const { status, stdout } = run(file, 'object', `@${session}`);
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`^@${session} Session \\{.*\n +class  Session \\(object\\)\n`));
    assert.match(stdout, /\n +path {2}module .* › maps :Map › "req-2999" › Session\n/);
    assert.match(stdout, /\nReferences\n.*\n(.*\n)*.* \.notes → @\d+ Array \[/);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 120 || / {2}(path|class) {2}/.test(line), line);
    const json = run('--json', file, 'object', String(session));
    assert.deepEqual(JSON.parse(json.stdout), await leakguard.query(file, { what: 'object', id: session }));
  });

  for (const [args, expected] of /** @type {[string[], RegExp][]} */ ([
    [['classes', 'Sess'], /3,000 {2}Session {2}.*hoards\.js:\d+\n$/],
    [['objects', 'Session', '--rows', '2', '--min-size', '100B'], /\n2 of 3,000 are shown; --rows N shows more/],
    [['objects', 'Session', '--property', 'name=last'], /^1 of class Session, /],
    [['globals'], / hoard = @\d+ Array .*\n\d+ that every program has are left out/],
    [['retainers', 'SESSION'], /\nReferred to by\n(.*\n)*.* in @\d+ \(array\) of @\d+ Map \{/],
    [['paths', 'SESSION'], /\nmodule .* › maps :Map › "req-2999" › Session\n {2}\[1\] → @3 \(GC roots\)\n/],
    [['dominates', 'SESSION'], /\nAll that it keeps, by class\n(.*\n)* +\d+ B +21 {2}\(string\)\n/],
  ])) {
    it(`is a command: ${args.join(' ')}`, () => {
      const { status, stdout, stderr } = run(file, ...args.map((arg) => arg.replace('SESSION', String(session))));
      assert.deepEqual([status, stderr], [0, '']);
      assert.match(stdout, expected);
    });
  }

  for (const [args, status, expected] of /** @type {[string[], number, RegExp][]} */ ([
    [['objects', 'session'], 1, /^There is no class session; there are Session\.\n$/],
    [['classes', 'NoSuchClass'], 1, /^No class fits\./],
    [['object', '@4294967295'], 1, /^leakguard query: .*: there is no object @4294967295 in this snapshot/],
    [['object'], 2, /object takes an ID, such as @4711/],
    [['object', 'it'], 2, /"it" is no ID/],
    [['object', '1', '2'], 2, /"2" is one word too many for object/],
    [['leaks'], 2, /there is no question "leaks"; there are classes, /],
    [['globals', '--min-count', '1'], 2, /--min-count does not go with globals/],
    [['classes', '--min-size', 'big'], 2, /--min-size takes a size such as 64KiB, not "big"/],
    [['classes', '--rows', 'all'], 2, /--rows takes a whole number, not "all"/],
    [['classes', '--rows', '0'], 2, /"rows" must be a whole number from 1/],
    [[], 2, /give a FILE and a QUESTION/],
  ])) {
    it(`ends with ${status} for: ${args.join(' ')}`, () => {
      const result = run(file, ...args);
      assert.equal(result.status, status);
      assert.match(`${result.stdout}${result.stderr}`, expected);
    });
  }

  it('is a command that teaches', () => {
    const { status, stdout } = run('--help');
    assert.equal(status, 0);
    assert.match(stdout, /Usage: leakguard query /);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 130, line);
  });
});
