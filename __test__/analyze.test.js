'use strict';

// `leakguard analyze` and analyze(): what they say of a snapshot, and what they refuse. That the numbers are DevTools' is tested in
// devtools.test.js.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const zlib = require('node:zlib');
const leakguard = require('..');
const { temporaryFolder } = require('./temporary-folder');

const hoards = path.join(__dirname, 'children', 'hoards.js');
const bin = path.join(__dirname, '..', 'bin', 'leakguard.js');

/** Options of the language that are wrong on purpose. */
const analyze = /** @type {(...args: any[]) => Promise<leakguard.Analysis>} */ (leakguard.analyze);

/**
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
function run(args, options) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { ...options, encoding: 'utf8' });
  return { status, stdout: String(stdout), stderr: String(stderr) };
}

describe('analyze', () => {
  let folder = '';
  let file = '';
  /** @type {leakguard.Analysis} */
  let analysis;

  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leakguard-test-'));
    file = path.join(folder, 'hoards.heapsnapshot');
    const { status, stderr } = spawnSync(process.execPath, [hoards, file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    analysis = await leakguard.analyze(file, { rows: 200 });
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** @param {string} ending */
  const collectionAt = (ending) => analysis.collections.find(({ path: words }) => words.endsWith(ending));

  it('counts nodes and edges as the file does', () => {
    const { snapshot } = JSON.parse(fs.readFileSync(file, 'utf8'));
    assert.deepEqual([analysis.version, analysis.nodes, analysis.edges], [1, snapshot.node_count, snapshot.edge_count]);
    const sizes = analysis.types.reduce((sum, { size }) => sum + size, 0);
    assert.equal(sizes + analysis.extraNativeBytes, analysis.totalSize);
  });

  it('names the collections, with their way in words and their entries', () => {
    const found = [
      `module ${hoards} › maps :Map`,
      `module ${hoards} › seen :Set`,
      `module ${hoards} › byName :Object`,
    ].map((words) => {
      const collection = collectionAt(words);
      return [collection?.kind, collection?.entries];
    });
    assert.deepEqual(found, [
      ['Map', 3_000],
      ['Set', 400],
      ['Object', 200],
    ]);
    const rows = collectionAt('rows :Array');
    assert.deepEqual([rows?.kind, rows?.entries], ['Array', 300]);
    assert.match(String(rows?.path), /keeper\(\) \(.*hoards\.js:\d+\) › rows :Array$/);
  });

  it('suspects the one that holds most of the heap, and nothing of Node itself', () => {
    assert.equal(analysis.suspects.length, 1, JSON.stringify(analysis.suspects));
    const [suspect] = analysis.suspects;
    assert.equal(suspect.path, `module ${hoards} › maps :Map`);
    assert.match(suspect.reason, /^3000 entries of \d+ B each on average keep \d+ % of the heap$/);
    assert.ok(suspect.retainedSize > 3_000 * 20 * 16);
  });

  it('tells the listeners of an EventEmitter by event', () => {
    const listeners = collectionAt('listeners of "news"');
    assert.deepEqual([listeners?.kind, listeners?.entries], ['Listeners', 150]);
    assert.match(String(listeners?.path), /hoards\.js.* › feed :EventEmitter › _events › listeners of "news"$/);
    // Each with its scope, the subscriber in it and the text of that.
    assert.ok(Number(listeners?.retainedSize) > 150 * 100);
  });

  it('tells timers by what they call', () => {
    const timers = analysis.collections.find(({ kind, path: words }) => kind === 'Timers' && words.includes('ring()'));
    assert.equal(timers?.entries, 120);
    assert.match(String(timers?.path), /^timers › ring\(\) \(.*hoards\.js:\d+\)$/);
    assert.ok(Number(timers?.retainedSize) > 120 * 150);
  });

  it('tells which functions keep most by their closures and scopes, and no functions of Node', () => {
    const of = (/** @type {string} */ name) => analysis.closures.find(({ functionName }) => functionName === name);
    const deliver = of('deliver');
    assert.deepEqual([deliver?.kind, deliver?.count, deliver?.location?.scriptName], ['closure', 150, hoards]);
    const line = fs.readFileSync(hoards, 'utf8').split('\n')[Number(deliver?.location?.lineNumber) - 1];
    assert.match(line, /function deliver\(\)/);
    assert.match(String(deliver?.path), /hoards\.js › feed :EventEmitter › /);
    assert.ok(Number(deliver?.retainedSize) > 150 * 100);
    assert.equal(of('ring')?.count, 120);
    assert.ok(analysis.closures.every(({ location }) => !location?.scriptName.startsWith('node:')));
    const [first] = analysis.closures;
    assert.ok(analysis.closures.every(({ retainedSize }) => retainedSize <= first.retainedSize));
  });

  it('adds up classes', () => {
    const session = analysis.classes.find(({ name }) => name === 'Session');
    assert.equal(session?.count, 3_000);
    assert.ok(Number(session?.retainedSize) > Number(session?.shallowSize));
  });

  it('reads what is packed, whatever its name', async (t) => {
    const packed = path.join(temporaryFolder(t), 'packed');
    fs.writeFileSync(packed, zlib.gzipSync(fs.readFileSync(file)));
    assert.deepEqual(await leakguard.analyze(packed, { rows: 200 }), analysis);
  });

  it('reads zstd', { skip: !('zstdCompressSync' in zlib) && 'this Node cannot write it' }, async (t) => {
    const packed = path.join(temporaryFolder(t), 'packed');
    const { zstdCompressSync } = /** @type {any} */ (zlib);
    const text = fs.readFileSync(file);
    // Two frames, one behind the other.
    fs.writeFileSync(
      packed,
      Buffer.concat([zstdCompressSync(text.subarray(0, 1_000)), zstdCompressSync(text.subarray(1_000))]),
    );
    assert.deepEqual(await leakguard.analyze(packed, { rows: 200 }), analysis);
  });

  it('tells how far it is', async () => {
    /** @type {number[]} */
    const fractions = [];
    await leakguard.analyze(file, { progress: (fraction) => fractions.push(fraction) });
    assert.ok(fractions.length >= 2, `${fractions}`);
    assert.ok(
      fractions.every((fraction, index) => fraction >= (fractions[index - 1] ?? 0) && fraction <= 1),
      `${fractions}`,
    );
  });

  it('is ended by a signal', async () => {
    await assert.rejects(leakguard.analyze(file, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    const controller = new AbortController();
    const analyzing = leakguard.analyze(file, { signal: controller.signal });
    controller.abort();
    await assert.rejects(analyzing, { name: 'AbortError' });
  });

  it('makes do with a part of a file when asked to', async (t) => {
    const part = path.join(temporaryFolder(t), 'part');
    const text = fs.readFileSync(file);
    fs.writeFileSync(part, text.subarray(0, text.length * 0.9));
    await assert.rejects(leakguard.analyze(part), {
      code: 'ERR_LEAKGUARD_NOT_A_SNAPSHOT',
      message: /^at byte \d+: the snapshot ends here, in the middle of `strings`/,
    });
    const partial = await leakguard.analyze(part, { partial: true });
    assert.deepEqual([partial.cutOffWithin, partial.nodes], ['`strings`', analysis.nodes]);
  });

  for (const [what, content, message] of /** @type {[string, string, RegExp][]} */ ([
    ['an empty file', '', /^at byte 0: /],
    [
      'what is no JSON',
      'hello',
      /^at byte 0: expected `\{"snapshot":`, with which a heap snapshot begins, found `hello`$/,
    ],
    ['JSON of another kind', '{"a":1}', /expected a heap snapshot with/],
    ['damaged zstd', '(\xb5/\xfdnonsense', /./],
  ])) {
    it(`refuses ${what}`, async (t) => {
      const bad = path.join(temporaryFolder(t), 'bad');
      fs.writeFileSync(bad, content, 'latin1');
      await assert.rejects(leakguard.analyze(bad), { name: 'LeakguardError', message });
      const { status, stdout, stderr } = run(['analyze', bad]);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^leakguard analyze: .*bad: /);
    });
  }

  it('refuses a folder and what is not there', async () => {
    await assert.rejects(leakguard.analyze(__dirname), { code: 'ERR_LEAKGUARD_FILE', message: /directory/i });
    await assert.rejects(leakguard.analyze('/no/such/file'), { code: 'ERR_LEAKGUARD_FILE', message: /No such file/ });
  });

  for (const [what, args] of /** @type {[string, unknown[]][]} */ ([
    ['no file', []],
    ['an empty name', ['']],
    ['options that are text', ['x', 'y']],
    ['an unknown option', ['x', { row: 1 }]],
    ['no rows', ['x', { rows: 0 }]],
    ['partial that is text', ['x', { partial: 'yes' }]],
    ['a signal that is none', ['x', { signal: {} }]],
  ])) {
    it(`rejects ${what}`, () => assert.rejects(analyze(...args), { name: 'TypeError', code: 'ERR_LEAKGUARD_OPTION' }));
  }

  it('is a command: a screen of text, all of it, or JSON', () => {
    const { status, stdout } = run(['analyze', file]);
    assert.equal(status, 1);
    assert.match(stdout, /^[\d,]+ nodes, [\d,]+ edges, [\d.]+ MiB in all\n\nSuspects\n/);
    assert.ok(stdout.split('\n').length <= 35, stdout);
    assert.ok(!stdout.includes('\u001b'));
    const full = run(['analyze', '--full', '--rows', '50', file]);
    assert.ok(full.stdout.length > stdout.length && full.stdout.includes('\nRepeated strings\n'));
    const json = run(['analyze', '--json', '--rows', '200', file]);
    assert.deepEqual([json.status, JSON.parse(json.stdout)], [1, analysis]);
  });

  it('is a command that reads from standard input', () => {
    const input = fs.openSync(file, 'r');
    const fromFile = run(['analyze', '--json', '--rows', '200', '-'], { stdio: [input, 'pipe', 'pipe'] });
    fs.closeSync(input);
    assert.deepEqual(JSON.parse(fromFile.stdout), analysis);
    const fromPipe = run(['analyze', '--json', '--rows', '200', '-'], { input: fs.readFileSync(file) });
    assert.deepEqual(JSON.parse(fromPipe.stdout), analysis);
  });

  it('is a command that teaches', () => {
    for (const args of [['--help'], ['analyze', '--help']]) {
      const { status, stdout } = run(args);
      assert.equal(status, 0);
      assert.match(stdout, /Usage: leakguard /);
    }
    assert.equal(run([]).status, 2);
    assert.match(run(['analyse']).stderr, /^leakguard: there is no command "analyse"/);
    assert.match(run(['analyze']).stderr, /give one FILE; there are 0/);
    assert.match(run(['analyze', '--nonsense', 'x']).stderr, /Unknown option '--nonsense'/);
    assert.equal(run(['--version']).stdout.trim(), require('../package.json').version);
  });
});
