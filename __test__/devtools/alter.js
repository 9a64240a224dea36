'use strict';

// Snapshots as Node does not write them: some of the kinds of edges, the ends of edges, the names, states and sizes of nodes are others,
// so that there is much that nothing keeps or that only keeps itself, and there are documents, their elements, and detached ones.

const fs = require('node:fs');

/** How the kinds of edges are called that have the number of a string for a name. */
const NAMED = ['context', 'property', 'internal', 'shortcut', 'weak'];
/** Kinds of nodes that are treated differently. */
const KINDS = ['hidden', 'array', 'object', 'code', 'native'];
const NAMES = [
  '<div>',
  '<div class="element">',
  '<p id=element>',
  'Detached <p class="element">',
  'Detached Window',
  'HTMLDivElement',
  'system / ExternalStringData',
];
const DOCUMENTS = '(Document DOM trees)';
const DETACHEDNESS = 3;

/**
 * @param {string} from a snapshot
 * @param {string} to
 * @param {number} rate how much is altered, from 0 to 1
 * @param {number} seed
 */
function alterSnapshot(from, to, rate, seed) {
  const random = generator(seed);
  const snapshot = JSON.parse(fs.readFileSync(from, 'utf8'));
  const { nodes, edges, strings } = snapshot;
  const { node_fields: nodeFields, node_types, edge_fields: edgeFields, edge_types } = snapshot.snapshot.meta;
  const at = Object.fromEntries(
    nodeFields.map((/** @type {string} */ field, /** @type {number} */ index) => [field, index]),
  );

  const chance = (/** @type {number} */ likelihood) => random() < likelihood;
  const below = (/** @type {number} */ end) => Math.floor(random() * end);
  const oneOf = (/** @type {any[]} */ list) => list[below(list.length)];
  // V8 writes no string twice.
  const stringOf = (/** @type {string} */ text) =>
    strings.includes(text) ? strings.indexOf(text) : strings.push(text) - 1;

  const named = NAMED.map((name) => edge_types[0].indexOf(name));
  for (let edge = 0; edge < edges.length; edge += edgeFields.length) {
    if (named.includes(edges[edge]) && chance(rate)) edges[edge] = oneOf(named);
    if (chance(rate / 5)) edges[edge + 2] = below(nodes.length / nodeFields.length) * nodeFields.length;
  }

  const [kinds, [native, object, synthetic]] = [KINDS, ['native', 'object', 'synthetic']].map((names) =>
    names.map((name) => node_types[0].indexOf(name)),
  );
  const names = NAMES.map(stringOf);
  const documents = stringOf(DOCUMENTS);
  // Not the root.
  for (let node = nodeFields.length; node < nodes.length; node += nodeFields.length) {
    if (kinds.includes(nodes[node + at.type]) && chance(rate / 2)) nodes[node + at.type] = oneOf(kinds);
    if ([native, object].includes(nodes[node + at.type]) && chance(rate)) nodes[node + at.name] = oneOf(names);
    if (nodes[node + at.type] === synthetic && chance(0.2)) nodes[node + at.name] = documents;
    if (chance(rate / 2)) nodes[node + at.detachedness] = below(DETACHEDNESS);
    if (chance(rate / 2)) nodes[node + at.self_size] = chance(0.5) ? 0 : below(1e6);
  }
  snapshot.snapshot.extra_native_bytes = below(1e6);
  fs.writeFileSync(to, JSON.stringify(snapshot));
}

/**
 * Numbers from 0 to 1, the same for the same seed (Mulberry32).
 *
 * @param {number} seed
 */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

module.exports = { alterSnapshot };
