'use strict';

// Leaks and profiles tell the lines of what was written, not of what was compiled of it. The compilers are real: what they map, and
// where V8 says that a function begins, is what this rests on.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { originalLeak } = require('../lib/original-sites');
const { compile, functions, lineOf, placeOf, transpile } = require('./compile');
const { root, runChild, runNode } = require('./run-child');
const { temporaryFolder } = require('./temporary-folder');

const leaky = path.join(__dirname, 'typescript', 'leaky.ts');

/**
 * The functions of a compiled `functions.ts` as heapProfile() names them.
 *
 * @param {string} script
 * @param {string[]} [flags]
 * @returns {Promise<import('leakguard').StackFrame[]>}
 */
async function profiled(script, flags) {
  const body = async (/** @type {string} */ compiled) => {
    const leakguard = require('leakguard');
    leakguard.start({ sample: { interval: 8192 } });
    await require(compiled).allocate();
    const { sites } = await leakguard.heapProfile();
    return sites.flatMap(({ stack, ...site }) => [site, ...stack]);
  };
  return runChild(body, { args: [script], flags, options: 'dumpSignal=none,detect=false' });
}

/** By V8's name, where that is not minified. */
const BEGINNINGS = {
  block: 'const block =',
  add: 'add(content',
  later: 'static async later',
  'get all': 'get all()',
  arrow: 'const arrow =',
  generated: 'function* generated',
  named: 'function named',
  deep: 'function deep',
};
const CALLBACK = '(value): Box =>';

describe('heapProfile() of TypeScript', () => {
  /** @type {Array<[string, (folder: string) => string, string[]?]>} */
  const ways = [
    ['esbuild, a map beside it', (folder) => compile(folder, 'a.js', { entryPoints: [functions], sourcemap: true })],
    ['esbuild, an inline map', (folder) => compile(folder, 'a.js', { entryPoints: [functions], sourcemap: 'inline' })],
    ['tsc with sourceRoot', (folder) => transpile(folder, { target: 9, sourceMap: true })],
    [
      'esbuild with --enable-source-maps',
      (folder) => compile(folder, 'a.js', { entryPoints: [functions], sourcemap: true }),
      ['--enable-source-maps'],
    ],
  ];
  for (const [name, build, flags] of ways) {
    it(`says its lines: ${name}`, async (t) => {
      const folder = temporaryFolder(t);
      const frames = await profiled(build(folder), flags);
      const source = name.startsWith('tsc') ? path.join(folder, 'functions.ts') : functions;
      const ofSource = frames.filter(({ scriptName }) => scriptName === source);
      for (const [functionName, text] of Object.entries(BEGINNINGS)) {
        const lines = ofSource.filter((frame) => frame.functionName === functionName).map((frame) => frame.lineNumber);
        assert.deepEqual([...new Set(lines)], [lineOf(functions, text)], functionName);
      }
      assert.ok(ofSource.some(({ lineNumber }) => lineNumber === lineOf(functions, CALLBACK)));
    });
  }

  // V8 has other names for these functions: those of the minifier, and none for the generators that async functions become.
  /** @type {Array<[string, (folder: string) => string]>} */
  const nameless = [
    ['minified', (folder) => compile(folder, 'a.js', { entryPoints: [functions], sourcemap: true, minify: true })],
    ['tsc for old engines', (folder) => transpile(folder, { target: 2, inlineSourceMap: true })],
  ];
  for (const [name, build] of nameless) {
    it(`says its lines: ${name}`, async (t) => {
      const folder = temporaryFolder(t);
      const frames = await profiled(build(folder));
      const source = name.startsWith('tsc') ? path.join(folder, 'functions.ts') : functions;
      const lines = new Set(frames.filter(({ scriptName }) => scriptName === source).map((frame) => frame.lineNumber));
      const missing = [...Object.values(BEGINNINGS), CALLBACK].filter((text) => !lines.has(lineOf(functions, text)));
      assert.deepEqual(missing, []);
    });
  }
});

describe('a leak', () => {
  it('speaks of the original in its reason and the paths of its retainers', async (t) => {
    const script = compile(temporaryFolder(t), 'a.js', { entryPoints: [functions], sourcemap: true });
    const add = { functionName: 'add', ...placeOf(script, '(content) {\n    kept') };
    const { lineNumber } = placeOf(script, 'function* generated');
    const inPath = `(${script}:${lineNumber})`;
    const leak = await originalLeak({
      id: 'heap-0-1',
      sites: [{ ...add, stack: [add, { ...add, scriptName: 'node:internal/timers' }] }],
      reason: `Most come from add (${script}:${add.lineNumber}).`,
      retainers: [{ path: `scope of generated() ${inPath} › "${inPath}" › [3]`, className: 'Object', count: 3 }],
    });
    const line = lineOf(functions, 'add(content');
    const original = { functionName: 'add', scriptName: functions, lineNumber: line, columnNumber: 3 };
    assert.deepEqual(leak, {
      id: 'heap-0-1',
      sites: [{ ...original, stack: [original, { ...add, scriptName: 'node:internal/timers' }] }],
      reason: `Most come from add (${functions}:${line}).`,
      retainers: [
        {
          path: `scope of generated() (${functions}:${lineOf(functions, 'function* generated')}) › "${inPath}" › [3]`,
          className: 'Object',
          count: 3,
        },
      ],
    });
  });

  it('of a minified script has its line in the reason; a path, which lacks the column, keeps what it says', async (t) => {
    const options = { entryPoints: [functions], sourcemap: true, minify: true };
    const script = compile(temporaryFolder(t), 'a.js', options);
    const { columnNumber } = placeOf(script, 'add(');
    const add = { functionName: 'add', scriptName: script, lineNumber: 1, columnNumber: columnNumber + 3 };
    const leak = await originalLeak({
      sites: [{ ...add, stack: [] }],
      reason: `add (${script}:1)`,
      retainers: [{ path: `scope of a() (${script}:1)` }],
    });
    assert.equal(leak.reason, `add (${functions}:${lineOf(functions, 'add(content')})`);
    assert.equal(leak.retainers[0].path, `scope of a() (${script}:1)`);
  });

  it('is told before its end, though its map takes longer to read', async (t) => {
    const script = compile(temporaryFolder(t), 'a.js', { entryPoints: [functions], sourcemap: true });
    const body = async (/** @type {any} */ site, /** @type {string} */ lib) => {
      const { announceLeak } = require(lib);
      /** @type {string[]} */
      const told = [];
      process.on('leak', (leak) => told.push(`leak ${leak.sites[0].lineNumber}`));
      const ended = new Promise((resolve) => process.on('leakResolved', (leak) => resolve(told.push(leak.id))));
      const found = { id: 'heap-0-1', start: 0, end: 1, reason: '', sites: [{ ...site, stack: [] }] };
      announceLeak('leak', found);
      announceLeak('leakResolved', { ...found, sites: [] });
      await ended;
      return told;
    };
    const args = [placeOf(script, '(content) {\n    kept'), path.join(root, 'lib', 'events')];
    assert.deepEqual(await runChild(body, { args, options: 'off' }), [
      `leak ${lineOf(functions, 'add(content')}`,
      'heap-0-1',
    ]);
  });

  // As leak.test.js, it takes half a minute of growth.
  it('in TypeScript is told at its line', async (t) => {
    const script = compile(temporaryFolder(t), 'leaky.js', { entryPoints: [leaky], sourcemap: 'inline' });
    const { code, stdout, stderr } = await runNode([script], {
      flags: ['--require', root],
      options: 'dumpSignal=none',
    });
    assert.equal(code, 0, `the leak was not told: ${stderr}`);
    const { sites, reason } = JSON.parse(stdout);
    const line = lineOf(leaky, 'function remember');
    assert.deepEqual([sites[0].functionName, sites[0].scriptName, sites[0].lineNumber], ['remember', leaky, line]);
    assert.ok(reason.includes(`remember (${leaky}:${line})`), reason);
  });
});
