'use strict';

// node benches/generate-snapshot.js MEGABYTES FILE
//
// Writes a heap snapshot in the form of Node 24 as large as wanted, always the same for a size: sessions in a Map, each with a list of tags, a
// record that links to an earlier one, and a closure. Ten nodes a session, about 80 bytes of JSON a node, three edges a node.

const fs = require('node:fs');

const NODE_TYPES = [
  'hidden',
  'array',
  'string',
  'object',
  'code',
  'closure',
  'regexp',
  'number',
  'native',
  'synthetic',
  'concatenated string',
  'sliced string',
  'symbol',
  'bigint',
  'object shape',
];
const EDGE_TYPES = ['context', 'element', 'property', 'internal', 'hidden', 'shortcut', 'weak'];
const [HIDDEN, ARRAY, STRING, OBJECT, , CLOSURE, , NUMBER, , SYNTHETIC] = NODE_TYPES.keys();
const SHAPE = NODE_TYPES.indexOf('object shape');
const [CONTEXT, ELEMENT, PROPERTY, INTERNAL, , SHORTCUT] = EDGE_TYPES.keys();

const NODE_FIELDS = 6;
/** At a size in the middle; numbers get longer in larger files. */
const BYTES_PER_SESSION = 690;
const BLOCK = 1 << 20;

/** The strings that all sessions share, by number. */
const NAMES = [
  '',
  '(GC roots)',
  'global / ',
  'system / Context',
  'sessions',
  'Map',
  'table',
  'Session',
  'system / Map',
  '__proto__',
  'map',
  'elements',
  'properties',
  'name',
  'tags',
  'owner',
  'Array',
  'Object',
  'score',
  'next',
  'onExpire',
  'shared',
  'context',
  'heap number',
  'system / PropertyArray',
  'record',
  'code',
];
/** @param {string} name */
const named = (name) => NAMES.indexOf(name);

/** The nodes before the sessions, in order. */
const [, GC_ROOTS, GLOBAL, SCOPE, SESSIONS, TABLE, SESSION_SHAPE, OBJECT_SHAPE, PROTOTYPE, FUNCTION] = Array(10).keys();
const FIRST = 10;

/**
 * @typedef {[type: number, name: number, size: number, edges: [type: number, name: number, target: number][]]} Row
 */

/**
 * @param {number} count
 * @returns {Row[]}
 */
function fixed(count) {
  /** @type {Row[3]} */
  const table = [];
  for (let session = 0; session < count; session++) table.push([ELEMENT, session, FIRST + 10 * session]);
  return [
    [
      SYNTHETIC,
      0,
      0,
      [
        [ELEMENT, 1, GC_ROOTS],
        [SHORTCUT, named('global / '), GLOBAL],
      ],
    ],
    [
      SYNTHETIC,
      named('(GC roots)'),
      0,
      [
        [ELEMENT, 1, GLOBAL],
        [ELEMENT, 2, FUNCTION],
      ],
    ],
    [
      OBJECT,
      named('global / '),
      40,
      [
        [PROPERTY, named('onExpire'), FUNCTION],
        [PROPERTY, named('__proto__'), PROTOTYPE],
      ],
    ],
    [OBJECT, named('system / Context'), 48, [[CONTEXT, named('sessions'), SESSIONS]]],
    [
      OBJECT,
      named('Map'),
      32,
      [
        [INTERNAL, named('table'), TABLE],
        [PROPERTY, named('__proto__'), PROTOTYPE],
      ],
    ],
    [ARRAY, 0, 16 + 24 * count, table],
    [SHAPE, named('system / Map'), 80, [[PROPERTY, named('__proto__'), PROTOTYPE]]],
    [SHAPE, named('system / Map'), 80, [[PROPERTY, named('__proto__'), PROTOTYPE]]],
    [OBJECT, named('Object'), 56, [[INTERNAL, named('map'), OBJECT_SHAPE]]],
    [
      CLOSURE,
      named('onExpire'),
      64,
      [
        [INTERNAL, named('context'), SCOPE],
        [INTERNAL, named('map'), OBJECT_SHAPE],
      ],
    ],
  ];
}

/**
 * The ten nodes of a session.
 *
 * @param {number} session
 * @returns {Row[]}
 */
function rows(session) {
  const at = FIRST + 10 * session;
  // Some earlier one, far away for most.
  const other = FIRST + 10 * Math.floor((session * 7919) % (session + 1));
  const text = NAMES.length + 2 * session;
  return [
    [
      OBJECT,
      named('Session'),
      56,
      [
        [PROPERTY, named('name'), at + 1],
        [PROPERTY, named('tags'), at + 2],
        [PROPERTY, named('owner'), other],
        [PROPERTY, named('record'), at + 6],
        [PROPERTY, named('onExpire'), at + 8],
        [PROPERTY, named('__proto__'), PROTOTYPE],
        [INTERNAL, named('map'), SESSION_SHAPE],
        [INTERNAL, named('properties'), at + 9],
        [PROPERTY, named('score'), at + 7],
        [PROPERTY, named('next'), other + 6],
        [INTERNAL, named('code'), FUNCTION],
      ],
    ],
    [STRING, text, 40, []],
    [
      OBJECT,
      named('Array'),
      16,
      [
        [ELEMENT, 0, at + 4],
        [ELEMENT, 1, at + 5],
        [INTERNAL, named('elements'), at + 3],
        [PROPERTY, named('__proto__'), PROTOTYPE],
        [INTERNAL, named('map'), OBJECT_SHAPE],
      ],
    ],
    [
      ARRAY,
      0,
      48,
      [
        [INTERNAL, named('map'), at + 4],
        [INTERNAL, named('code'), at + 5],
      ],
    ],
    [STRING, text + 1, 32, []],
    [STRING, named('tags'), 24, []],
    [
      OBJECT,
      named('Object'),
      40,
      [
        [PROPERTY, named('score'), at + 7],
        [PROPERTY, named('next'), other + 6],
        [PROPERTY, named('name'), at + 1],
        [PROPERTY, named('__proto__'), PROTOTYPE],
        [INTERNAL, named('map'), OBJECT_SHAPE],
      ],
    ],
    [NUMBER, named('heap number'), 16, []],
    [
      CLOSURE,
      named('onExpire'),
      64,
      [
        [INTERNAL, named('context'), SCOPE],
        [INTERNAL, named('shared'), FUNCTION],
        [INTERNAL, named('map'), OBJECT_SHAPE],
        [PROPERTY, named('__proto__'), PROTOTYPE],
      ],
    ],
    [
      HIDDEN,
      named('system / PropertyArray'),
      32,
      [
        [INTERNAL, named('map'), OBJECT_SHAPE],
        [INTERNAL, named('code'), at + 7],
      ],
    ],
  ];
}

/**
 * @param {number} megabytes
 * @param {string} file
 */
function generate(megabytes, file) {
  const count = Math.max(1, Math.round((megabytes * 1e6) / BYTES_PER_SESSION));
  const out = fs.openSync(file, 'w');
  let text = '';
  const write = (/** @type {string} */ more) => {
    text += more;
    if (text.length >= BLOCK) flush();
  };
  const flush = () => {
    fs.writeSync(out, text);
    text = '';
  };
  const first = fixed(count);
  /** @param {(row: Row, node: number) => void} take */
  const each = (take) => {
    first.forEach(take);
    for (let session = 0; session < count; session++)
      rows(session).forEach((row, index) => {
        take(row, FIRST + 10 * session + index);
      });
  };
  const nodes = first.length + 10 * count;
  const edges = [...first, ...Array(count)].reduce(
    (sum, row) => sum + (row ? row[3].length : 0),
    rows(0).reduce((sum, row) => sum + row[3].length, 0) * count,
  );
  const meta = {
    node_fields: ['type', 'name', 'id', 'self_size', 'edge_count', 'detachedness'],
    node_types: [NODE_TYPES, 'string', 'number', 'number', 'number', 'number'],
    edge_fields: ['type', 'name_or_index', 'to_node'],
    edge_types: [EDGE_TYPES, 'string_or_number', 'node'],
    trace_function_info_fields: ['function_id', 'name', 'script_name', 'script_id', 'line', 'column'],
    trace_node_fields: ['id', 'function_info_index', 'count', 'size', 'children'],
    sample_fields: ['timestamp_us', 'last_assigned_id'],
    location_fields: ['object_index', 'script_id', 'line', 'column'],
  };
  const header = { meta, node_count: nodes, edge_count: edges, trace_function_count: 0, extra_native_bytes: 0 };
  write(`{"snapshot":${JSON.stringify(header)},\n"nodes":[`);
  each(([type, name, size, { length }], node) =>
    write(`${node === 0 ? '' : ','}${type},${name},${2 * node + 1},${size},${length},0`),
  );
  write('],\n"edges":[');
  let comma = '';
  each(([, , , list]) => {
    for (const [type, name, target] of list) {
      write(`${comma}${type},${name},${target * NODE_FIELDS}`);
      comma = ',';
    }
  });
  write('],\n"trace_function_infos":[],\n"trace_tree":[],\n"samples":[],\n"locations":[],\n"strings":[');
  write(NAMES.map((name) => `\n${JSON.stringify(name)}`).join());
  for (let session = 0; session < count; session++) {
    write(
      `,\n"visitor ${session}, who came from the north on the road number ${(session * 31) % 9973} and has not left"`,
    );
    write(`,\n"tag-${session}-of-the-visitor-${(session * 17) % 997}-with-some-more-text-to-be-as-long-as-texts-are"`);
  }
  write(']}\n');
  flush();
  fs.closeSync(out);
  return { nodes, edges };
}

module.exports = { generate };

if (require.main === module) {
  const [megabytes, file] = process.argv.slice(2);
  if (!(Number(megabytes) > 0) || !file) {
    process.stderr.write('usage: node benches/generate-snapshot.js MEGABYTES FILE\n');
    process.exit(2);
  }
  const { nodes, edges } = generate(Number(megabytes), file);
  process.stdout.write(`${file}: ${nodes} nodes, ${edges} edges\n`);
}
