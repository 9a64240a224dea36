'use strict';

// From a place in a script to the original: what is found in source maps of all forms, and that nothing else does harm.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { SourceMap } = require('node:module');
const path = require('node:path');
const { describe, it } = require('node:test');
const { pathToFileURL } = require('node:url');
const { findOriginals } = require('../lib/source-maps');
const { surroundingsOf } = require('../lib/source-maps/mappings');
const { compile, placeOf, transpile } = require('./compile');
const { root, runChild } = require('./run-child');
const { temporaryFolder } = require('./temporary-folder');

describe('the original of a place', () => {
  it('is what Node finds, at each place of a bundle', (t) => {
    const entryPoints = [path.join(root, 'lib', 'guard.js')];
    for (const minify of [false, true]) {
      const options = { entryPoints, bundle: true, minify, sourcemap: true, external: ['*.node', '../binding*'] };
      const script = compile(temporaryFolder(t), 'a.js', options);
      const map = JSON.parse(fs.readFileSync(`${script}.map`, 'utf8'));
      const oracle = new SourceMap(map);
      const positions = fs
        .readFileSync(script, 'utf8')
        .split('\n')
        .flatMap((text, line) =>
          Array.from({ length: Math.ceil(text.length / 3) }, (_, i) => ({ line, column: i * 3 })),
        );
      const found = surroundingsOf(
        [{ mappings: map.mappings, start: { line: 0, column: 0 }, firstSource: 0 }],
        positions,
      );
      for (const [index, { line, column }] of positions.entries()) {
        const { before, after } = found[index];
        const entry = /** @type {any} */ (oracle.findEntry(line, column));
        assert.deepEqual(
          before && [map.sources[before.origin.source], before.origin.line, before.origin.column],
          entry.originalSource && [entry.originalSource, entry.originalLine, entry.originalColumn],
        );
        if (after) assert.ok(after.at.line > line || (after.at.line === line && after.at.column > column));
      }
    }
  });

  it('is in the module that a bundle has wrapped in a function; what esbuild adds has none', async (t) => {
    const folder = temporaryFolder(t);
    for (const name of ['a', 'b']) fs.writeFileSync(path.join(folder, `${name}.js`), `exports.${name} = [1];\n`);
    fs.writeFileSync(path.join(folder, 'main.js'), "console.log(require('./a'), require('./b'));\n");
    const script = compile(folder, 'out.js', {
      entryPoints: [path.join(folder, 'main.js')],
      absWorkingDir: folder,
      bundle: true,
      sourcemap: true,
    });
    const places = ['(exports2) {\n    exports2.b', '(cb, mod)'].map((text) => placeOf(script, text));
    const find = await findOriginals(places);
    assert.deepEqual(places.map(find), [
      { scriptName: path.join(folder, 'b.js'), lineNumber: 1, columnNumber: 1 },
      undefined,
    ]);
  });

  it('is named as its script is, by a path or a URL', async (t) => {
    const folder = path.join(temporaryFolder(t), 'C# [old]');
    fs.mkdirSync(folder);
    const source = path.join(folder, 'my app.ts');
    fs.writeFileSync(source, '\nexport const f = () => [];\n');
    const script = compile(folder, 'my app.mjs', { entryPoints: [source], format: 'esm', sourcemap: true });
    const byPath = placeOf(script, '() =>');
    const byUrl = { ...byPath, scriptName: pathToFileURL(script).href };
    const find = await findOriginals([byPath, byUrl]);
    assert.deepEqual(find(byPath), { scriptName: source, lineNumber: 2, columnNumber: 18 });
    assert.deepEqual(find(byUrl), { scriptName: pathToFileURL(source).href, lineNumber: 2, columnNumber: 18 });
  });

  it('is the beginning of the source for the script as a whole', async (t) => {
    const script = transpile(temporaryFolder(t), { target: 2, sourceMap: true });
    const whole = { scriptName: script, lineNumber: 1, columnNumber: 1 };
    const source = path.join(path.dirname(script), '..', 'functions.ts');
    assert.deepEqual((await findOriginals([whole]))(whole), { scriptName: source, lineNumber: 1, columnNumber: 1 });
  });

  // webpack maps nothing on the line of a function that it puts around a module, tsc nothing on that of a generator.
  for (const [mappings, original] of [
    ['AAAA;;ACEA', 'webpack://b:3'],
    ['AAAA;;AAEA', 'webpack://a:1'],
    ['AAAA', 'webpack://a:1'],
  ]) {
    it(`is what stands around, where its line has none: ${mappings}`, async (t) => {
      const script = path.join(temporaryFolder(t), 'a.js');
      const map = JSON.stringify({ sources: ['webpack://a', 'webpack://b'], mappings });
      fs.writeFileSync(`${script}.map`, map);
      fs.writeFileSync(script, '1\n(() => {\n2\n})\n//# sourceMappingURL=a.js.map');
      const place = { scriptName: script, lineNumber: 2, columnNumber: 2 };
      const found = (await findOriginals([place]))(place);
      assert.equal(`${found?.scriptName}:${found?.lineNumber}`, original);
    });
  }

  /** @type {Array<[string, object, object | undefined]>} */
  const maps = [
    [
      'stays as webpack names it',
      { sources: ['webpack://shop/./src/a.ts?1'], mappings: 'AACE' },
      { scriptName: 'webpack://shop/./src/a.ts?1', lineNumber: 2, columnNumber: 3 },
    ],
    [
      'is found in an index map',
      {
        sections: [
          { offset: { line: 0, column: 0 }, map: { sources: ['webpack://a'], mappings: 'AACE' } },
          { offset: { line: 0, column: 4 }, map: { sources: ['webpack://b'], mappings: 'AAEC' } },
        ],
      },
      { scriptName: 'webpack://b', lineNumber: 3, columnNumber: 2 },
    ],
    ['is unknown where the map says that there is none', { sources: ['a.ts'], mappings: 'AAAA,C' }, undefined],
    ['is unknown where its source has no name', { sources: [null], mappings: 'AAAA' }, undefined],
    ['is unknown where the mappings are broken', { sources: ['a.ts'], mappings: 'AA?A' }, undefined],
    ['is unknown where the mappings end too early', { sources: ['a.ts'], mappings: 'AAAg' }, undefined],
    ['is unknown where the source is not in the list', { sources: ['a.ts'], mappings: 'AEAA' }, undefined],
    ['is unknown where the map is none', [], undefined],
  ];
  for (const [name, map, expected] of maps) {
    it(name, async (t) => {
      const script = path.join(temporaryFolder(t), 'a.js');
      const text = Buffer.from(JSON.stringify(map)).toString('base64');
      fs.writeFileSync(script, `run(() => 1);\n//# sourceMappingURL=data:application/json;base64,${text}\n`);
      const place = { scriptName: script, lineNumber: 1, columnNumber: 5 };
      assert.deepEqual((await findOriginals([place]))(place), expected);
    });
  }

  for (const reference of [
    'missing.map',
    '.',
    'broken.map',
    'http://127.0.0.1:9/a.map',
    'data:application/json,{}',
    "a.js.map';",
  ]) {
    it(`is unknown where the script refers to ${reference}`, async (t) => {
      const folder = temporaryFolder(t);
      fs.writeFileSync(path.join(folder, 'broken.map'), '{');
      fs.writeFileSync(path.join(folder, 'a.js.map'), '{"sources":["a.ts"],"mappings":"AAAA"}');
      const script = path.join(folder, 'a.js');
      fs.writeFileSync(script, `run(() => 1);\n//# sourceMappingURL=${reference}\n`);
      const place = { scriptName: script, lineNumber: 1, columnNumber: 5 };
      assert.equal((await findOriginals([place]))(place), undefined);
    });
  }

  it('is not looked for in what has no file, or is too large', async (t) => {
    const script = path.join(temporaryFolder(t), 'a.js');
    const map = Buffer.from('{"sources":["a.ts"],"mappings":"AAAA"}').toString('base64');
    fs.writeFileSync(script, '');
    fs.truncateSync(script, 20 * 1024 * 1024);
    fs.appendFileSync(script, `\n//# sourceMappingURL=data:application/json;base64,${map}\n`);
    const places = ['node:fs', 'evalmachine.<anonymous>', '', '/dev/zero', '/missing.js', 'file:///%2F', script].map(
      (scriptName) => ({ scriptName, lineNumber: 1, columnNumber: 5 }),
    );
    const find = await findOriginals(places);
    assert.deepEqual(places.filter(find), []);
  });

  it('is Node’s where a loader has compiled in memory', async (t) => {
    const script = path.join(temporaryFolder(t), 'a.ts');
    fs.writeFileSync(script, 'not what runs');
    const body = async (/** @type {string} */ file, /** @type {string} */ lib) => {
      const Module = require('node:module');
      const map = { version: 3, sources: ['a.ts'], names: [], mappings: 'AAGE' };
      const text = Buffer.from(JSON.stringify(map)).toString('base64');
      /** @type {any} */ (new Module(file))._compile(
        `(() => 1)();\n//# sourceMappingURL=data:application/json;base64,${text}\n`,
        file,
      );
      const place = { scriptName: file, lineNumber: 1, columnNumber: 2 };
      return (await require(lib).findOriginals([place]))(place);
    };
    const args = [script, path.join(root, 'lib', 'source-maps')];
    const original = await runChild(body, { args, flags: ['--enable-source-maps'], options: 'off' });
    assert.deepEqual(original, { scriptName: script, lineNumber: 4, columnNumber: 3 });
  });

  it('is not waited for when a folder does not answer', async (t) => {
    t.mock.method(require('node:fs/promises'), 'stat', () => new Promise(() => {}));
    // The wait for it keeps no process alive.
    const alive = setInterval(() => {}, 1_000);
    t.after(() => clearInterval(alive));
    const place = { scriptName: '/mnt/a.js', lineNumber: 1, columnNumber: 1 };
    assert.equal((await findOriginals([place]))(place), undefined);
  });
});
