'use strict';

const { parseArgs } = require('node:util');
const { QUERIES, queryFile } = require('../analysis/query');
const { parseSize } = require('../units');
const { answer, onFile } = require('./answer');

const HELP = `Answers questions about single things in a heap snapshot.

Usage: leakguard query [OPTIONS] FILE QUESTION

FILE is a .heapsnapshot of Node 18 to 26, also packed with gzip or zstd; - is standard input.
QUESTION is one of

  classes [TEXT]   the classes with TEXT in their name (all of them): how many objects, how much they hold
  objects CLASS    the objects of a class, with a line about each; what holds most first
  object ID        one object: sizes, where it hangs, its properties and all else it refers to
  retainers ID     what refers to it; what is nearest to a root first
  paths ID         the ways from the root that keep it, a few that differ
  dominates ID     what only it keeps, that is, what would be free without it
  globals          the global variables that the program has added

ID is the number behind an @ in what this command and "analyze" print, with the @ or without.
Small integers leave no trace in a snapshot: a property that is one is not to be seen.

  --min-count N          classes with N objects or more; objects with N entries, elements or properties or more
  --min-size SIZE        only what holds SIZE or more, such as 64KiB or 1.5MB
  --property NAME[=TEXT] objects that have the property, and if TEXT is given, with that string, class or word (null, true)
  --all                  also the global variables that every program has
  --rows N               at most N rows (default: 20, and 5 paths)
  --skip N               leave out the first N rows
  --json                 the answer as JSON ("version" tells its shape; the types are in index.d.ts)
  --partial              make do with what is there of a file that was cut off
  --help                 this text

Exit code: 0 if something was found, 1 if nothing was, 2 if the question is wrong or the file cannot be read.

Examples, from the class to who keeps it:
  leakguard query app.heapsnapshot classes Session
  leakguard query app.heapsnapshot objects Session --property user=alice
  leakguard query app.heapsnapshot object @4711
  leakguard query app.heapsnapshot paths @4711
`;

/** By question, what its word is for; a question without a word takes none. @type {Record<string, { name: string, of: (word: string) => unknown }>} */
const WORDS = {
  classes: { name: 'name', of: (word) => word },
  objects: { name: 'class', of: (word) => word },
  object: { name: 'id', of: idOf },
  retainers: { name: 'id', of: idOf },
  paths: { name: 'id', of: idOf },
  dominates: { name: 'id', of: idOf },
};

/** @param {string[]} args */
async function run(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'min-count': { type: 'string' },
      'min-size': { type: 'string' },
      property: { type: 'string' },
      all: { type: 'boolean' },
      rows: { type: 'string' },
      skip: { type: 'string' },
      json: { type: 'boolean', default: false },
      partial: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (positionals.length < 2) throw new Error(`give a FILE and a QUESTION\n\n${HELP}`);
  const [file, ...question] = positionals;
  const query = withFilters(queryOf(question), values);
  const options = {
    partial: values.partial,
    ...(values.rows !== undefined && { rows: numberOf('rows', values.rows) }),
    ...(values.skip !== undefined && { skip: numberOf('skip', values.skip) }),
  };
  try {
    const { total } = await onFile(file, (path) =>
      answer(values, (progress, terminal) => queryFile(path, query, { ...options, progress }, terminal)),
    );
    // What was asked for by its id is there, whatever it keeps.
    return total > 0 || 'id' in query ? 0 : 1;
  } catch (error) {
    const { cause, message } = /** @type {Error & { cause?: { code?: string } }} */ (error);
    if (cause?.code !== 'ERR_LEAKGUARD_NOT_FOUND') throw error;
    process.stderr.write(`leakguard query: ${message}\n`);
    return 1;
  }
}

/**
 * @param {string[]} question
 * @returns {{ what: string, [word: string]: unknown }}
 */
function queryOf([what, ...words]) {
  if (!Object.hasOwn(QUERIES, what))
    throw new Error(`there is no question "${what}"; there are ${Object.keys(QUERIES).join(', ')}`);
  const known = Object.hasOwn(WORDS, what) ? WORDS[what] : undefined;
  if (words.length > (known === undefined ? 0 : 1))
    throw new Error(`"${words.at(-1)}" is one word too many for ${what}; quote names that have blanks`);
  if (known === undefined) return { what };
  if (words.length === 0) {
    if (QUERIES[what].must !== undefined)
      throw new Error(`${what} takes ${known.name === 'id' ? 'an ID, such as @4711' : 'a CLASS'}`);
    return { what };
  }
  return { what, [known.name]: known.of(words[0]) };
}

/**
 * A question with the filters that go with it.
 *
 * @param {{ what: string }} query
 * @param {{ 'min-count'?: string, 'min-size'?: string, property?: string, all?: boolean }} values
 */
function withFilters(query, { 'min-count': minCount, 'min-size': minSize, property, all }) {
  const { may } = QUERIES[query.what];
  const at = property?.indexOf('=') ?? -1;
  const filters = Object.entries({
    minCount: minCount === undefined ? undefined : numberOf('min-count', minCount),
    minSize,
    property: at < 0 ? property : property?.slice(0, at),
    value: at < 0 ? undefined : property?.slice(at + 1),
    all,
  }).filter(([, value]) => value !== undefined);
  for (const [name] of filters) {
    if (!Object.hasOwn(may, name))
      throw new Error(
        `--${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)} does not go with ${query.what}`,
      );
  }
  if (minSize !== undefined && parseSize(minSize) === undefined)
    throw new Error(`--min-size takes a size such as 64KiB, not "${minSize}"`);
  return { ...query, ...Object.fromEntries(filters) };
}

/** @param {string} word */
function idOf(word) {
  const match = /^@?(\d+)$/.exec(word);
  if (match === null) throw new Error(`"${word}" is no ID: it is a number, such as @4711`);
  return Number(match[1]);
}

/**
 * @param {string} option
 * @param {string} value
 */
function numberOf(option, value) {
  if (!/^\d+$/.test(value)) throw new Error(`--${option} takes a whole number, not "${value}"`);
  return Number(value);
}

module.exports = { summary: 'answers questions about single things in a heap snapshot', run };
