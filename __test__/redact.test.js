'use strict';

// `leakguard redact` and redact(): that no secret is left, that everything else is as it was, and what they refuse.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const zlib = require('node:zlib');
const leakguard = require('..');
const { toldSecrets } = require('./secret');
const { temporaryFolder } = require('./temporary-folder');

const secrets = path.join(__dirname, 'children', 'secrets.js');
const writer = path.join(__dirname, 'children', 'write-secrets.js');
const bin = path.join(__dirname, '..', 'bin', 'leakguard.js');
/** Secrets a place. */
const COUNT = 30;

/** Options of the language that are wrong on purpose. */
const redact = /** @type {(...args: any[]) => Promise<leakguard.Redaction>} */ (leakguard.redact);

/**
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
function run(args, options) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    maxBuffer: 256 * 1024 * 1024,
    ...options,
    encoding: 'utf8',
  });
  return { status, stdout: String(stdout), stderr: String(stderr) };
}

/** @param {string} file */
function columns(file) {
  const { snapshot, nodes, edges, strings, ...others } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const { node_fields: nodeFields, edge_types: edgeTypes, node_types: nodeTypes } = snapshot.meta;
  const isNumbered = ['element', 'hidden'].map((type) => edgeTypes[0].indexOf(type));
  /** @type {string[]} */
  const names = [];
  for (let at = nodeFields.indexOf('name'); at < nodes.length; at += nodeFields.length) {
    names.push(strings[nodes[at]]);
    nodes[at] = 0;
  }
  const count = names.length;
  for (let at = 0; at < edges.length; at += 3) {
    if (isNumbered.includes(edges[at])) continue;
    names.push(strings[edges[at + 1]]);
    edges[at + 1] = 0;
  }
  const types = names.slice(0, count).map((_, node) => nodeTypes[0][nodes[node * nodeFields.length]]);
  return { structure: { snapshot, nodes, edges, ...others }, names, types };
}

describe('redact', () => {
  let folder = '';
  let file = '';
  let redacted = '';
  /** @type {{ places: Record<string, string[]>, numbers: number[] }} */
  let told;

  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leakguard-test-'));
    file = path.join(folder, 'plain.heapsnapshot');
    const exposed = path.join(folder, 'exposed.heapsnapshot');
    const { status, stdout, stderr } = spawnSync(process.execPath, [writer, file, String(COUNT), exposed], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    told = JSON.parse(stdout);
    redacted = (await leakguard.redact(file)).file ?? '';
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('leaves no secret, wherever it was', () => {
    assert.equal(redacted, path.join(folder, 'plain.redacted.heapsnapshot'));
    const plain = toldSecrets(file, told.places);
    const silent = Object.keys(told.places).filter((place) => !(place in plain));
    assert.deepEqual(silent, [], 'the snapshot tells nothing of these');
    assert.deepEqual(toldSecrets(redacted, told.places), {});
  });

  it('leaves no number where V8 wrote numbers', async () => {
    const exposed = path.join(folder, 'exposed.heapsnapshot');
    const output = path.join(folder, 'numbers.heapsnapshot');
    await leakguard.redact(exposed, { output });
    const present = (/** @type {string} */ name) => {
      const strings = new Set(JSON.parse(fs.readFileSync(name, 'utf8')).strings);
      return told.numbers.filter((number) => strings.has(String(number))).length;
    };
    assert.equal(present(exposed), 2 * COUNT);
    assert.equal(present(output), 0);
    assert.deepEqual(toldSecrets(output, told.places), {});
  });

  it('leaves the structure, and the length of every name', () => {
    const [one, other] = [file, redacted].map(columns);
    assert.deepEqual(other.structure, one.structure);
    const isLonger = (/** @type {string} */ name, /** @type {number} */ index) =>
      name.length !== one.names[index].length;
    assert.deepEqual(other.names.filter(isLonger), []);
  });

  it('leaves equal values equal, and only those', () => {
    const [one, other] = [file, redacted].map(columns);
    /** @type {Map<string, string>} */
    const known = new Map();
    /** @type {Map<string, string>} */
    const back = new Map();
    for (const [index, type] of one.types.entries()) {
      if (type !== 'string') continue;
      const [text, placeholder] = [one.names[index], other.names[index]];
      assert.equal(known.get(text) ?? placeholder, placeholder);
      known.set(text, placeholder);
      // Where they are short, there are not enough.
      if (text.length > 16) assert.equal(back.get(placeholder) ?? text, text);
      back.set(placeholder, text);
    }
  });

  it('leaves the names that code has put there', () => {
    const { names } = columns(redacted);
    const left = new Set(names);
    for (const name of [
      'Session',
      'token',
      'authorization',
      'dictionary',
      'look',
      'tagged',
      secrets,
      'node:http',
      '__proto__',
    ]) {
      assert.ok(left.has(name), name);
    }
    assert.ok(left.has('<symbol Symbol.toStringTag>'));
  });

  it('changes nothing for an analysis', async () => {
    const [one, other] = await Promise.all([file, redacted].map((name) => leakguard.analyze(name, { rows: 10_000 })));
    for (const analysis of [one, other]) {
      // What is said of values, and what data has named.
      const { retainers, collections, suspects, closures } = analysis;
      for (const item of [...retainers, ...collections, ...suspects, ...closures]) item.path = '';
      for (const item of closures) Object.assign(item, { functionName: '', location: null });
      for (const item of analysis.duplicateStrings) item.text = '';
      for (const item of analysis.classes) if (!/^(\(|[A-Z][a-z]+$|system )/.test(item.name)) item.name = '';
      for (const item of analysis.retainers) item.class = '';
    }
    const sorted = (/** @type {leakguard.ClassTotal[]} */ classes) =>
      classes.map((item) => JSON.stringify(item)).sort();
    assert.deepEqual({ ...other, classes: sorted(other.classes) }, { ...one, classes: sorted(one.classes) });
  });

  it('leaves the ways in words, but for what is data', async () => {
    const [one, other] = await Promise.all([file, redacted].map((name) => leakguard.analyze(name, { rows: 200 })));
    const mine = ['dictionary :Object', 'map :Map', 'set :Set', 'numbers :Array', 'integers :Array'].flatMap((last) =>
      one.collections.filter(({ path: words }) => words === `module ${secrets} › ${last}`),
    );
    assert.equal(mine.length, 5, JSON.stringify(one.collections));
    for (const { id, path: words } of mine) {
      assert.equal(other.collections.find((collection) => collection.id === id)?.path, words);
    }
  });

  it('draws another salt for each file', async (t) => {
    const output = path.join(temporaryFolder(t), 'again');
    const { file: written, ...counts } = await leakguard.redact(file, { output });
    assert.equal(written, output);
    assert.equal(counts.bytes, fs.statSync(output).size);
    assert.equal(counts.nodes, columns(file).types.length);
    const [one, other] = [redacted, output].map((name) => columns(name).names.filter((text) => text.length > 16));
    assert.ok(one.filter((text, index) => text === other[index]).length < one.length);
    const values = columns(file).types.map((type) => type === 'string');
    const [first, second] = [redacted, output].map((name) => columns(name).names);
    const same = first.filter((text, index) => values[index] && text.length > 4 && text === second[index]);
    assert.deepEqual(same, []);
  });

  it('leaves the keys of dictionaries to the other rules when asked to', async (t) => {
    const output = path.join(temporaryFolder(t), 'keys');
    await leakguard.redact(file, { output, keys: false });
    assert.deepEqual(toldSecrets(output, told.places), {});
    const has = (/** @type {string} */ name) => columns(name).names.filter((text) => text === 'globalThis').length;
    assert.ok(has(output) >= has(redacted));
  });

  it('reads what is packed, and packs', async (t) => {
    const inner = temporaryFolder(t);
    const packed = path.join(inner, 'a.heapsnapshot.gz');
    fs.writeFileSync(packed, zlib.gzipSync(fs.readFileSync(file)));
    const plain = await leakguard.redact(packed);
    assert.equal(plain.file, path.join(inner, 'a.redacted.heapsnapshot'));
    const again = await leakguard.redact(packed, { compress: 'gzip' });
    assert.equal(again.file, path.join(inner, 'a.redacted.heapsnapshot.gz'));
    assert.equal(zlib.gunzipSync(fs.readFileSync(String(again.file))).length, plain.bytes);
    assert.equal(again.bytes, fs.statSync(String(again.file)).size);
  });

  it('writes for the owner only, and never over a file', async (t) => {
    assert.equal(fs.statSync(redacted).mode & 0o777, 0o600);
    const output = path.join(temporaryFolder(t), 'precious');
    fs.writeFileSync(output, 'precious');
    await assert.rejects(leakguard.redact(file, { output }), { code: 'ERR_LEAKGUARD_EXISTS' });
    assert.equal(fs.readFileSync(output, 'utf8'), 'precious');
    await assert.rejects(leakguard.redact(file, { output: '/no/such/folder/a' }), { code: 'ERR_LEAKGUARD_DIR' });
  });

  it('leaves nothing behind when the input is cut off or something else', async (t) => {
    const inner = temporaryFolder(t);
    const text = fs.readFileSync(file);
    for (const [name, content, message] of /** @type {[string, Buffer | string, RegExp][]} */ ([
      ['part', text.subarray(0, text.length * 0.9), /^at byte \d+: the snapshot ends here, in the middle of `strings`/],
      ['early', text.subarray(0, text.length * 0.5), /^at byte \d+: the snapshot ends here, in the middle of `edges`/],
      ['none', 'hello', /^at byte 0: expected `\{"snapshot":`/],
      ['empty', '', /^at byte 0: /],
      ['other', '{"a":[1]}', /expected a heap snapshot with/],
    ])) {
      const bad = path.join(inner, name);
      fs.writeFileSync(bad, content);
      await assert.rejects(leakguard.redact(bad), { code: 'ERR_LEAKGUARD_NOT_A_SNAPSHOT', message });
      const { status, stdout, stderr } = run(['redact', bad]);
      assert.deepEqual([status, stdout], [2, '']);
      assert.ok(stderr.startsWith(`leakguard redact: ${bad}: `), stderr);
    }
    assert.deepEqual(fs.readdirSync(inner).sort(), ['early', 'empty', 'none', 'other', 'part']);
    await assert.rejects(leakguard.redact('/no/such/file'), { code: 'ERR_LEAKGUARD_FILE' });
  });

  it('tells how far it is, and is ended by a signal', async (t) => {
    const inner = temporaryFolder(t);
    /** @type {number[]} */
    const fractions = [];
    await leakguard.redact(file, {
      output: path.join(inner, 'a'),
      progress: (fraction) => fractions.push(fraction),
    });
    assert.ok(fractions.length >= 2 && fractions.every((fraction) => fraction >= 0 && fraction <= 1), `${fractions}`);
    const controller = new AbortController();
    const redacting = leakguard.redact(file, { output: path.join(inner, 'b'), signal: controller.signal });
    controller.abort();
    await assert.rejects(redacting, { name: 'AbortError' });
    assert.deepEqual(fs.readdirSync(inner), ['a']);
  });

  for (const [what, args] of /** @type {[string, unknown[]][]} */ ([
    ['no file', []],
    ['an unknown option', ['x', { key: true }]],
    ['keys that are text', ['x', { keys: 'no' }]],
    ['an empty output', ['x', { output: '' }]],
    ['an unknown compression', ['x', { compress: 'zip' }]],
  ])) {
    it(`rejects ${what}`, () => assert.rejects(redact(...args), { name: 'TypeError', code: 'ERR_LEAKGUARD_OPTION' }));
  }

  it('is a command', (t) => {
    const inner = temporaryFolder(t);
    const copy = path.join(inner, 'a.heapsnapshot');
    fs.copyFileSync(file, copy);
    const { status, stdout } = run(['redact', copy]);
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^.*a\.redacted\.heapsnapshot: [\d,]+ bytes, [\d,]+ nodes, [\d,]+ texts of [\d,]+ replaced\n$/,
    );
    const again = run(['redact', copy]);
    assert.equal(again.status, 2);
    assert.match(again.stderr, /exists already and is not overwritten/);
    const json = JSON.parse(run(['redact', '--json', '--no-keys', copy, '-o', path.join(inner, 'b')]).stdout);
    assert.deepEqual(Object.keys(json).sort(), ['bytes', 'edges', 'file', 'nodes', 'replaced', 'strings']);
  });

  it('is a command from standard input to standard output', () => {
    const { status, stdout, stderr } = run(['redact', '-'], { input: fs.readFileSync(file) });
    assert.equal(status, 0);
    assert.match(stderr, /^standard output: [\d,]+ bytes/);
    assert.equal(JSON.parse(stdout).snapshot.node_count, columns(file).types.length);
  });

  it('is a command that teaches', () => {
    assert.match(run(['redact', '--help']).stdout, /Usage: leakguard redact /);
    assert.match(run(['redact']).stderr, /give one FILE; there are 0/);
  });
});
