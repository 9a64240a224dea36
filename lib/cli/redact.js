'use strict';

const { parseArgs } = require('node:util');
const { outputFor, redactFile } = require('../analysis/redact');
const { onFile } = require('./answer');
const { progressBar } = require('./progress-bar');

const HELP = `Copies a heap snapshot without what its strings say, to be passed on or kept.

Usage: leakguard redact [OPTIONS] FILE

FILE is a .heapsnapshot of Node 18 to 26, also packed with gzip or zstd; - is standard input.
The copy has the same nodes, edges, sizes and ids: DevTools opens it, and leakguard analyze says the same of it.

  what goes    strings, numbers, symbols' descriptions, source text, regular expressions, and names that data gave
               rise to: keys of dictionaries, computed names, names in code that was made of text at run time
  what stays   class, function, variable and property names that stand in code, and the paths of scripts

Each text becomes letters and digits, as many as it had characters. Equal texts have equal ones within a file, so
that repeated strings still show; they come from a random salt, which is forgotten, so that nobody can guess them.

  -o, --output OUT   where to write (default: FILE with .redacted.heapsnapshot at its end); - is standard output.
                     An existing file is never overwritten
  --no-keys          leave the keys of dictionaries (plain objects with 24 properties or more) if code uses them
                     as names, too
  --gzip             pack the copy
  --json             what was written as JSON
  --help             this text

Exit code: 0 if the copy is whole; else 2, and then there is none.

Examples: leakguard redact Heap.*.heapsnapshot
          ssh HOST cat FILE | leakguard redact - > FILE.redacted.heapsnapshot
`;

/** @param {string[]} args */
async function run(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      'no-keys': { type: 'boolean', default: false },
      gzip: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (positionals.length !== 1) throw new Error(`give one FILE; there are ${positionals.length}\n\n${HELP}`);
  const [file] = positionals;
  /** @type {'gzip' | 'none'} */
  const compress = values.gzip ? 'gzip' : 'none';
  const output = values.output ?? (file === '-' ? '-' : outputFor(file, compress));
  if (output === '-' && process.stdout.isTTY)
    throw new Error('a snapshot is nothing to look at: give --output, or a pipe');
  const bar = progressBar(process.stderr);
  const options = { keys: !values['no-keys'], compress, progress: bar.show };
  const written = await onFile(file, (from) =>
    redactFile(from, output === '-' ? undefined : output, options).finally(bar.clear),
  );
  // Where the snapshot goes to standard output, nothing else may.
  const stream = output === '-' ? process.stderr : process.stdout;
  stream.write(values.json ? `${JSON.stringify(written)}\n` : inWords(written));
  return 0;
}

/** @param {{ file: string | null, bytes: number, nodes: number, replaced: number, strings: number }} written */
function inWords({ file, bytes, nodes, replaced, strings }) {
  const [size, count, texts] = [bytes, nodes, strings].map((number) => number.toLocaleString('en'));
  return `${file ?? 'standard output'}: ${size} bytes, ${count} nodes, ${replaced.toLocaleString('en')} texts of ${texts} replaced\n`;
}

module.exports = { summary: 'copies a heap snapshot without what its strings say', run };
