'use strict';

// The two engines under comparison, and what they answer in one form.

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { root } = require('../run-child');
const { loadDevTools } = require('./bundle');

const EXAMPLE = path.join(root, 'target', 'release', 'examples', 'columns');
/** The distance of a node that cannot be reached. */
const UNREACHABLE = 0xffffffff;

/**
 * By node, and by class.
 *
 * @typedef {object} Analysis
 * @property {Uint32Array} dominators
 * @property {Float64Array} shallowSizes
 * @property {Float64Array} retainedSizes
 * @property {Uint32Array} distances
 * @property {number} totalSize
 * @property {Class[]} classes those with a size
 */

/**
 * @typedef {object} Class
 * @property {string} name
 * @property {number[] | null} constructor the number of the script, the line and the column
 * @property {number} count
 * @property {number} shallowSize
 * @property {number} retainedSize
 * @property {number} distance
 */

const run = promisify(execFile);

/** Builds the program that `analyzeWithLeakguard` runs. */
async function buildLeakguard() {
  await run('cargo', ['build', '--release', '--example', 'columns'], { cwd: root });
}

/**
 * @param {string} file
 * @returns {Promise<Analysis>}
 */
async function analyzeWithLeakguard(file) {
  const { stdout } = await run(EXAMPLE, [file], { encoding: 'buffer', maxBuffer: 2 ** 30 });
  const bytes = new Uint8Array(stdout);
  const count = new DataView(bytes.buffer).getUint32(0, true);
  let at = 4;
  /** @param {number} width */
  const column = (width) => {
    const { buffer } = bytes.slice(at, at + count * width);
    at += count * width;
    return buffer;
  };
  const dominators = new Uint32Array(column(4));
  const shallowSizes = Float64Array.from(new BigUint64Array(column(8)), Number);
  const retainedSizes = Float64Array.from(new BigUint64Array(column(8)), Number);
  const distances = new Uint32Array(column(4));
  const { totalSize, classes } = JSON.parse(Buffer.from(bytes.subarray(at)).toString());
  const withSize = classes.filter((/** @type {Class} */ { count }) => count > 0);
  return { dominators, shallowSizes, retainedSizes, distances, totalSize, classes: withSize };
}

/** @type {Promise<any> | undefined} */
let devTools;

/**
 * @param {string} file
 * @returns {Promise<Analysis & { warnings: string[] }>} and what DevTools says on the way
 */
async function analyzeWithDevTools(file) {
  /** @type {string[]} */
  const warnings = [];
  const { warn } = console;
  console.warn = (text) => warnings.push(text);
  try {
    const snapshot = await loadIntoDevTools(file);
    const { nodeCount, nodes, nodeFieldCount, nodeSelfSizeOffset } = snapshot;
    const sizeOf = (/** @type {number} */ node) => nodes.getValue(node * nodeFieldCount + nodeSelfSizeOffset);
    return {
      dominators: snapshot.dominatorsTree,
      shallowSizes: new Float64Array(nodeCount).map((_, node) => sizeOf(node)),
      retainedSizes: snapshot.retainedSizes,
      distances: Uint32Array.from(snapshot.nodeDistances, distanceOf),
      totalSize: snapshot.totalSize,
      classes: classesOf(snapshot),
      warnings,
    };
  } finally {
    console.warn = warn;
  }
}

/** @param {string} file */
async function loadIntoDevTools(file) {
  devTools ??= loadDevTools();
  const { HeapSnapshotLoader, SecondaryInitManager } = await devTools;
  const loader = new HeapSnapshotLoader({ sendEvent() {} });
  for await (const chunk of fs.createReadStream(file, { encoding: 'utf8', highWaterMark: 2 ** 22 }))
    loader.write(chunk);
  loader.close();
  // In the browser the other end is in a second worker.
  const { port1, port2 } = new MessageChannel();
  try {
    new SecondaryInitManager(port2);
    return await loader.buildSnapshot(port1);
  } finally {
    port1.close();
  }
}

/**
 * Not `aggregatesWithFilter()`, whose record has room for one class of a name: of the functions and the objects of a class `Function` it
 * keeps either. And without the classes that DevTools invents for objects with the same properties.
 *
 * @param {any} snapshot
 * @returns {Class[]}
 */
function classesOf(snapshot) {
  snapshot.applyInterfaceDefinitions([]);
  const aggregates = snapshot.buildAggregates();
  snapshot.calculateClassesRetainedSize(aggregates);
  const { nodeDistances, nodeFieldCount } = snapshot;
  return Array.from(aggregates, ([key, { name, count, self, maxRet, idxs }]) => {
    // Not DevTools' minimum, which is -5 as soon as one of the nodes cannot be reached.
    let distance = UNREACHABLE;
    for (const index of idxs) distance = Math.min(distance, distanceOf(nodeDistances[index / nodeFieldCount]));
    const place = typeof key === 'number' ? null : key.split(',', 3).map(Number);
    return { name, constructor: place, count, shallowSize: self, retainedSize: maxRet, distance };
  });
}

/** @param {number} distance DevTools' */
function distanceOf(distance) {
  return distance < 0 ? UNREACHABLE : distance;
}

module.exports = { analyzeWithDevTools, analyzeWithLeakguard, buildLeakguard };
