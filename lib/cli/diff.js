'use strict';

const { parseArgs } = require('node:util');
const { diffFiles } = require('../analysis/diff');
const { answer } = require('./answer');

const HELP = `Says what has grown between snapshots of one process, and what keeps it.

Usage: leakguard diff [OPTIONS] BASELINE TARGET [FINAL]

Two or three .heapsnapshot files, the oldest first, packed or not. With three, what does not let go is told from what is
turned over with more certainty: take them under load, the later ones after about equal amounts of work.

  --work A,B,C  how much work was done until each of them (requests, jobs), for rates; without it, the times of the
                snapshots count
  --full        all tables instead of one screen, and what has grown without being suspect
  --rows N      at most N classes (default: 20)
  --json        the difference as JSON ("version" tells its shape; the types are in index.d.ts)
  --help        this text

Verdicts: confirmed (what was there stays), probable (grows with the work; its members cannot be told apart), filling
(a cache below its capacity), expiring (by its time to live nothing had to go yet), healthy (members come and go).
Exit code: 1 if something is suspect, 0 if nothing is, 2 if a file cannot be read.

Example: for i in 1 2 3; do kill -USR2 PID; sleep 60; done; leakguard diff Heap.*.heapsnapshot
`;

/** @param {string[]} args */
async function run(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      work: { type: 'string' },
      full: { type: 'boolean', default: false },
      rows: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (positionals.length < 2 || positionals.length > 3)
    throw new Error(`give two or three files; there are ${positionals.length}\n\n${HELP}`);
  const { suspects } = await answer(values, (progress, terminal) =>
    diffFiles(
      positionals,
      {
        progress,
        ...(values.rows !== undefined && { rows: Number(values.rows) }),
        ...(values.work !== undefined && { work: values.work.split(',').map(Number) }),
      },
      terminal,
    ),
  );
  return suspects.length > 0 ? 1 : 0;
}

module.exports = { summary: 'says what has grown between two or three of them', run };
