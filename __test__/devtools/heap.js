'use strict';

// `heap.js FILE KIND`: fills a heap with what is hard to weigh, and writes a snapshot of it. Runs on any Node and needs nothing but Node.

const fs = require('node:fs');
const inspector = require('node:inspector');
const v8 = require('node:v8');
const vm = require('node:vm');

/**
 * Everything that is to stay.
 *
 * @type {Record<string, any>}
 */
const kept = {};

/** Entries of WeakMaps, of which V8 writes two edges each, one from the table and one from the key. */
function keepEphemerons() {
  class Key {}
  class Value {}
  const table = new WeakMap();
  const other = new WeakMap();
  const keys = Array.from({ length: 50 }, () => new Key());
  for (const [index, key] of keys.entries()) {
    table.set(key, new Value());
    other.set(key, { of: key, next: keys[index + 1] });
  }
  // A value that is a key, and one that only entries lead to.
  const chain = [new Key()];
  for (let index = 0; index < 20; index++) {
    chain.push(new Key());
    table.set(chain[index], chain[index + 1]);
  }
  // Values whose names are in the names of edges.
  const texts = [
    'one line',
    'two\nlines',
    'a carriage\rreturn',
    'a line\u2028separator',
    ') -> value (',
    'long '.repeat(300),
  ];
  for (const [index, text] of texts.entries()) table.set(keys[index], Buffer.from(`${text} ${index}`).toString());
  const weakSet = new WeakSet(keys);
  kept.ephemerons = { table, other, weakSet, keys, first: chain[0], bare: new WeakMap([[Key, Value]]) };
}

/** Classes of one name in two scripts and in two places of one script, and names that look like something else. */
function keepClasses() {
  const script = '(class Twin { own = {} })';
  class Detached {}
  /** @type {Record<string, any>} */
  const odd = {
    '<div class="odd">': class {},
    '<plain>': class {},
    'Detached <span id="odd">': class {},
    '(system)': class {},
    'two\nlines': class {},
    naïve: class {},
    '名前 🙂': class {},
    'quoted \'"': class {},
  };
  kept.classes = {
    twins: ['a.js', 'b.js', 'b.js'].flatMap((filename, line) => {
      const Twin = vm.runInThisContext(script, { filename, lineOffset: line });
      return Array.from({ length: 30 }, () => new Twin());
    }),
    odd: Object.values(odd).flatMap((Odd) => [new Odd(), new Odd(), { within: new Odd() }]),
    detached: [new Detached()],
    functions: [new (vm.runInThisContext('(class Function {})'))(), Function.prototype, new Function('return 1')],
    plain: Array.from({ length: 40 }, (_, index) => (index % 2 ? { a: index, b: {} } : { a: index, c: [] })),
    // Objects without a prototype, and with many properties, which V8 keeps in dictionaries.
    bare: Array.from({ length: 10 }, () => Object.create(null)),
    dictionary: Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`key${index}`, { index }])),
    tagged: { [Symbol.toStringTag]: 'Tagged', value: {} },
  };
  delete kept.classes.dictionary.key7;
}

function keepCollections() {
  const keys = Array.from({ length: 200 }, (_, index) => ({ index }));
  const array = /** @type {any[]} */ ([1, 2.5, {}, 'text']);
  array[10_000] = {};
  const grown = [];
  for (let index = 0; index < 1000; index++) grown.push(index % 3 ? index : { index });
  kept.collections = {
    map: new Map(keys.map((key) => [key, new Set([key, {}])])),
    set: new Set(keys),
    iterators: [new Map([[{}, {}]]).entries(), [{}, {}][Symbol.iterator]()],
    array,
    grown,
    doubles: Array.from({ length: 500 }, Math.random),
    empty: [new Map(), new Set(), [], {}],
    proxies: [new Proxy(keys, {}), Proxy.revocable({}, {})],
    weakReferences: keys.slice(0, 10).map((key) => new WeakRef(key)),
    registry: new FinalizationRegistry(() => {}),
  };
  for (const key of keys.slice(0, 5)) kept.collections.registry.register(key, { of: 'a registry' });
}

function keepFunctions() {
  const shared = { shared: new Array(100).fill({}) };
  /** @param {number} index */
  function makeClosure(index) {
    const own = { index, text: `closure ${index}` };
    return index % 2 ? () => [own, shared] : () => shared;
  }
  function* generate() {
    const own = new Array(50);
    yield own;
    yield own;
  }
  /** @param {number} index */
  async function wait(index) {
    const own = { index, buffer: new Uint8Array(100) };
    await new Promise(() => {});
    return own;
  }
  const generators = Array.from({ length: 10 }, generate);
  for (const generator of generators) generator.next();
  const timer = setInterval(makeClosure(1), 2 ** 30);
  setTimeout(makeClosure(3), 2 ** 30).unref();
  setImmediate(makeClosure(5));
  kept.functions = {
    closures: Array.from({ length: 100 }, (_, index) => makeClosure(index)),
    bound: makeClosure.bind(shared, 7),
    generators,
    waiting: Array.from({ length: 20 }, (_, index) => wait(index)),
    timer,
    accessors: Object.defineProperty({}, 'value', { get: makeClosure(9), set: makeClosure(11) }),
  };
  process.on('exit', makeClosure(13));
}

function keepText() {
  const left = 'left '.repeat(100) + process.pid;
  const long = 'sliced '.repeat(1000) + process.pid;
  const source = Buffer.from('external '.repeat(10_000));
  kept.text = {
    cons: Array.from({ length: 50 }, (_, index) => `${left}${index}${left}`),
    deep: Array.from({ length: 300 }).reduce((text) => `${text}${left}`, ''),
    sliced: Array.from({ length: 50 }, (_, index) => long.slice(index * 10, 6000)),
    // V8 keeps these outside of its heap.
    external: [source.toString('latin1'), source.toString('ucs2'), source.toString('ascii')],
    escaped: ['"\\\n\t\u0000\u001f', '\ud800 alone', 'naïve', '名前 🙂', 'x'.repeat(5000)],
    regexps: [/plain/, /(?<named>a+)\1/giu].flatMap((regexp) => ['aa', 'b'].map((text) => [regexp, regexp.exec(text)])),
    symbols: [Symbol('own'), Symbol.for('registered'), Symbol()],
    bigints: [1n, 2n ** 200n, -(2n ** 2000n)],
    numbers: [0.1, -0, NaN, 2 ** 31, 1e300],
    dates: [new Date(0), new Error('message', { cause: new TypeError('cause') })],
  };
  kept.text.keyed = { [kept.text.symbols[0]]: {}, [Symbol.iterator]: {}, 7: {}, '-1': {}, '': {} };
}

function keepMemory() {
  const shared = new ArrayBuffer(100_000);
  kept.memory = {
    buffers: [Buffer.from('pooled'), Buffer.from('pooled too'), Buffer.alloc(50_000), Buffer.alloc(0)],
    views: [new Uint8Array(shared), new Float64Array(shared, 8, 100), new DataView(shared)],
    sharedMemory: new Uint8Array(new SharedArrayBuffer(5000)),
    onHeap: new Uint8Array(16),
    wasm: new WebAssembly.Memory({ initial: 1 }),
    channel: new MessageChannel(),
    abort: new AbortController(),
    url: new URL('http://localhost/path?query'),
  };
  kept.memory.abort.signal.addEventListener('abort', () => shared);
  kept.memory.channel.port1.unref();
}

/** Realms of their own, with global objects of their own; one keeps an object of ours. */
function keepRealms() {
  const ours = { ours: new Array(10) };
  kept.realms = Array.from({ length: 2 }, (_, index) => {
    const realm = vm.createContext({ ours, index, kept: [] });
    vm.runInContext(
      'class Inner { own = [ours] }; globalThis.inner = [new Inner(), new Inner(), {}, () => ours]',
      realm,
    );
    return realm;
  });
}

/**
 * What only entries of a WeakMap lead to, and V8 alone keeps, as it does with what has a WeakRef until the job ends. In DevTools' eyes
 * these nodes keep each other, and nothing keeps them.
 */
function keepCliques() {
  class InClique {}
  const table = new WeakMap();
  const cliques = Array.from({ length: 10 }, () => {
    const key = Object.assign(new InClique(), { data: new Array(10) });
    table.set(key, Object.assign(new InClique(), { key, data: [{}, key] }));
    return new WeakRef(key);
  });
  kept.cliques = { table, cliques };
}

function fillHeap() {
  Object.assign(globalThis, { kept });
  keepEphemerons();
  keepClasses();
  keepCollections();
  keepFunctions();
  keepText();
  keepMemory();
  keepRealms();
  keepCliques();
}

/** @type {Record<string, (file: string) => Promise<void> | void>} */
const KINDS = {
  plain(file) {
    fillHeap();
    v8.writeHeapSnapshot(file);
  },
  /** With V8's own objects, which are otherwise left out, and with numbers. */
  internals(file) {
    fillHeap();
    v8.writeHeapSnapshot(file, { exposeInternals: true, exposeNumericValues: true });
  },
  /** With the stacks that allocated. */
  async allocations(file) {
    const session = new inspector.Session();
    session.connect();
    session.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
    // What takes the chunks allocates, and before Node 22 it does so while the snapshot is written, which began with the number of
    // functions that allocate. So they are to be known by then.
    await takeSnapshot(session);
    fillHeap();
    fs.writeFileSync(file, await takeSnapshot(session));
  },
};

/** @param {inspector.Session} session */
async function takeSnapshot(session) {
  /** @type {string[]} */
  const chunks = [];
  /** @param {inspector.InspectorNotification<inspector.HeapProfiler.AddHeapSnapshotChunkEventDataType>} message */
  const add = ({ params }) => chunks.push(params.chunk);
  session.on('HeapProfiler.addHeapSnapshotChunk', add);
  await new Promise((resolve) => session.post('HeapProfiler.takeHeapSnapshot', resolve));
  session.off('HeapProfiler.addHeapSnapshotChunk', add);
  return chunks.join('');
}

async function main() {
  const [, , file, kind] = process.argv;
  await KINDS[kind](file);
  // What it keeps would keep the process.
  process.exit();
}

main();
