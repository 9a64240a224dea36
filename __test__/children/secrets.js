'use strict';

// Keeps secrets in every place that a string or a number can get to in a heap: as many in each as the second argument says, or 25. They
// are made while it runs, so none is in its code.

const http = require('node:http');
const vm = require('node:vm');
const { BOLD, FULLWIDTH, newSecret, spell, widen } = require('../secret');

/** @type {Record<string, Uint8Array[]>} */
const told = {};
/** What a snapshot must find alive. @type {Record<string, unknown>} */
const kept = {};

/**
 * Keeps something made of each of `count` new secrets, which are noted as numbers, so that telling them later leaves no other trace.
 *
 * @param {string} place
 * @param {number} count
 * @param {(secret: string, index: number) => unknown} make
 */
function keep(place, count, make) {
  const secrets = Array.from({ length: count }, newSecret);
  told[place] = secrets;
  kept[place] = secrets.map((secret, index) => make(spell(secret), index));
}

class Session {
  /** @param {string} token */
  constructor(token) {
    this.token = token;
    this.authorization = `Bearer ${token}`;
  }
}

const COUNT = Number(process.argv[3] ?? 25);

/** @type {any} */
const dictionary = {};
/** @type {any} */
const prototypeless = Object.create(null);
const map = new Map();
const weak = new WeakMap();
const set = new Set();

keep('values', COUNT, (secret) => new Session(secret));
keep('map keys', COUNT, (secret) => map.set(secret, { secret: 1 }));
keep('set entries', COUNT, (secret) => set.add(secret));
keep('keys of a dictionary', COUNT, (secret) => {
  dictionary[secret] = {};
});
keep('keys of a dictionary without a prototype', COUNT, (secret) => {
  prototypeless[secret] = {};
});
keep('keys of small objects', COUNT, (secret) => ({ [secret]: {} }));
keep('keys beside others', COUNT, (secret) => ({ id: {}, [secret]: {}, at: {} }));
keep('accessors', COUNT, (secret) => Object.defineProperty({}, secret, { get: () => secret.length, enumerable: true }));
keep('closures', COUNT, (secret) => () => secret);
keep('symbols', COUNT, (secret) => Symbol(secret));
keep('keys that are symbols', COUNT, (secret) => ({ [Symbol(secret)]: {} }));
keep('registered symbols', COUNT, (secret) => Symbol.for(secret));
keep('addresses', COUNT, (secret) => new URL(`https://user:${secret}@example.org/${secret}?key=${secret}#${secret}`));
keep('concatenated', COUNT, (secret, index) => `${secret}-${'padding of this string'.repeat(3)}${index}`);
keep('sliced', COUNT, (secret) => `a text that is long enough for V8 to refer to it: ${secret}`.slice(5));
keep('patterns', COUNT, (secret) => new RegExp(`^${secret}+$`));
keep('source of functions', COUNT, (secret) => new Function(`return '${secret}'`));
keep('names in source', COUNT, (secret) => new Function(`return function ${secret}() { return { ${secret}: {} } }`)());
keep('variables in source', COUNT, (secret) => new Function(secret, `return () => ${secret}`)({}));
keep('literals in source, and keys', COUNT, (secret) => [
  // biome-ignore lint/security/noGlobalEval: it is one of the places
  // biome-ignore lint/complexity/noCommaOperator: an indirect eval
  (0, eval)(`(function () { return '${secret}' })`),
  { [secret]: {} },
]);
keep('evaluated templates', COUNT, (secret) => vm.runInThisContext(`(() => \`${secret} \${this}\`)`));
keep('names of scripts', COUNT, (secret) =>
  vm.runInThisContext('(() => {})', { filename: `data:text/javascript,${secret}` }),
);
keep('names of classes', COUNT, (secret) => new Function(`return new (class ${secret} { a = {} })`)());
keep('computed classes', COUNT, (secret) => {
  const made = { [secret]: class {} };
  return new made[secret]();
});
keep('tags', COUNT, (secret) => ({ [Symbol.toStringTag]: secret, tagged: {} }));
keep('tags of classes', COUNT, (secret) => {
  class Tagged {
    get [Symbol.toStringTag]() {
      return secret;
    }
  }
  return new Tagged();
});
keep('computed methods', COUNT, (secret) => ({ [secret]() {} }));
keep('names that were set', COUNT, (secret) => Object.defineProperty(() => {}, 'name', { value: secret }));
keep('values of a WeakMap', COUNT, (secret) => {
  const key = {};
  weak.set(key, `value ${secret} @3) -> value (x`);
  return key;
});
keep('keys of a WeakMap', COUNT, (secret) => {
  const key = { [Symbol.toStringTag]: `key ${secret}` };
  weak.set(key, {});
  return key;
});
keep('long values of a WeakMap', COUNT, (secret) => {
  const key = {};
  weak.set(key, `${secret} `.repeat(200));
  return key;
});
keep('errors', COUNT, (secret) => new Error(`wrong password: ${secret}`));
keep('bound', COUNT, (secret) => function bound(/** @type {unknown[]} */ ..._) {}.bind(null, secret));
keep('buffers of text', COUNT, (secret) => [`\u00e9\u{1f600} "${secret}" \\ \n`]);
keep('fullwidth letters', COUNT, (secret) => new Session(widen(secret, FULLWIDTH)));
keep('letters that are two UTF-16 units', COUNT, (secret) => new Session(widen(secret, BOLD)));
keep('looked up', COUNT, (secret) => {
  const object = { [secret]: {} };
  return [object, look(object, secret)];
});
keep('JSON', COUNT, (secret) => JSON.parse(`{"${secret}": {"inner": "${secret}"}, "other": []}`));
keep('headers', COUNT, (secret) => {
  const request = http.request({ host: 'localhost', headers: { [`x-${secret}`]: secret }, agent: false, timeout: 1 });
  request.on('error', () => {});
  return request;
});

/**
 * @param {any} object
 * @param {string} name
 */
function look(object, name) {
  return object[name];
}

/** @type {any} */
const numbered = {};
for (let index = 0; index < 30; index++) numbered[700_000_000 + index * 1_000_003] = {};
const numbers = Array.from({ length: COUNT }, (_, index) => ({ number: 31_415_926.25 + index * 1_000.5 }));
const integers = Array.from({ length: COUNT }, (_, index) => ({ integer: 271_828_000 + index }));

/** The secrets by place, spelled, and the numbers: not before the snapshots are written. */
function tell() {
  const places = Object.entries(told).map(([place, secrets]) => [place, secrets.map(spell)]);
  return {
    places: Object.fromEntries(places),
    numbers: [...numbers.map(({ number }) => number), ...integers.map(({ integer }) => integer)],
  };
}

// What no function uses that outlives the module would be the stack's alone.
const everything = () => [kept, map, weak, set, dictionary, prototypeless, numbered, numbers, integers];

module.exports = { everything, tell };
