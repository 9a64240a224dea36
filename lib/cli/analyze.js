'use strict';

const { parseArgs } = require('node:util');
const { analyzeFile } = require('../analysis/analyze');
const { answer, onFile } = require('./answer');

const HELP = `Says what is in a heap snapshot: what is suspect, what holds most, and where it hangs.

Usage: leakguard analyze [OPTIONS] FILE

FILE is a .heapsnapshot of Node 18 to 26, also packed with gzip or zstd; - is standard input.
Shallow and retained sizes are the same as in Chrome DevTools. FILE may also be a .leakguard.json, the report of a heap
that came near its limit (option nearHeapLimit).

  --full      all rows and tables instead of one screen
  --rows N    at most N rows of each kind (default: 20)
  --json      the report as JSON ("version" tells its shape; the types are in index.d.ts)
  --partial   make do with what is there of a file that was cut off
  --help      this text

Exit code: 1 if something is suspect or the heap was near its limit, 0 if nothing is, 2 if the file cannot be read.

Example: leakguard analyze "$(leakguard dump PID)"
`;

/** @param {string[]} args */
async function run(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      full: { type: 'boolean', default: false },
      rows: { type: 'string' },
      json: { type: 'boolean', default: false },
      partial: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (positionals.length !== 1) throw new Error(`give one FILE; there are ${positionals.length}\n\n${HELP}`);
  const { suspects, limit } = await onFile(positionals[0], (file) =>
    answer(values, (progress, terminal) =>
      analyzeFile(
        file,
        { partial: values.partial, progress, ...(values.rows !== undefined && { rows: Number(values.rows) }) },
        terminal,
      ),
    ),
  );
  return limit !== undefined || suspects.length > 0 ? 1 : 0;
}

module.exports = { summary: 'says what is in a heap snapshot', run };
