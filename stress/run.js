'use strict';

// What `npm run stress` runs: proves that captures harm nobody. See USAGE.

const { fork } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { readSnapshot } = require('../__test__/read-snapshot');
const { NODES, nodeBinary } = require('../scripts/nodes');
const { Record } = require('./record');
const { renderMarkdown, renderTable } = require('./table');

const FULL = { forks: 500, snapshots: 50 };
const SHORT = { forks: 20, snapshots: 3 };
/** A capture on a busy machine takes seconds; the watchdog gives a silent child two minutes, and there may be a second one. */
const SILENCE_MS = 300_000;
/** A small new space, so that every thread has major GCs all the time: V8's locks are then held when others fork. */
const SUBJECT_FLAGS = ['--max-semi-space-size=1'];

const USAGE = `Usage: npm run stress -- [--node VERSION]... [--forks N] [--snapshots N] [--short] [--write FILE]

Has a process under load (code that is compiled, a heap that is marked, two busy Workers, zlib, crypto, fs) captured again and again by forked
children, on each Node. A file must be whole or an error must say why there is none; nothing may be left behind.

  --node VERSION   one of ${Object.keys(NODES).join(', ')}, or 'this', the one that runs; may be repeated (all)
  --forks N        children that are given up as soon as they are through V8's garbage collection, where a fork goes
                   wrong if it does (${FULL.forks})
  --snapshots N    children that write a whole file, which is then read (${FULL.snapshots})
  --short          seconds instead of an hour, for CI: --node this --forks ${SHORT.forks} --snapshots ${SHORT.snapshots}, unless said otherwise
  --write FILE     also write the table to FILE, as Markdown
  --help

What it prints, before/after: counted before the first capture and after the last one, while this thread and libuv's rest.
"kept" is V8's heap in memory that forked children do not get (MADV_DONTFORK); "open" is other private memory: what V8's heap
loses of its mark goes there.

Exit code: 0 nothing was harmed; 1 something was; 2 wrong usage.`;

async function main() {
  const { nodes, forks, snapshots, write } = readArguments();
  const records = [];
  for (const node of nodes) {
    const record = await stress(node, { forks, snapshots });
    records.push(record);
    console.log(`${renderTable([record])}\n`);
    for (const fault of record.faults()) console.log(`FAULT on Node ${record.version}: ${fault}`);
    if (write) fs.writeFileSync(write, renderMarkdown(records));
  }
  if (records.some((record) => record.faults().length > 0)) process.exitCode = 1;
}

/**
 * @param {string} node
 * @param {{ forks: number, snapshots: number }} amounts
 */
function stress(node, amounts) {
  const [version, binary] =
    node === 'this' ? [process.versions.node, process.execPath] : [NODES[node], nodeBinary(NODES[node])];
  const record = new Record(version, amounts);
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'leakguard-stress-'));
  const dir = path.join(base, 'dir');
  fs.mkdirSync(dir);
  const given = JSON.stringify({ ...amounts, dir, workDir: path.join(base, 'work') });
  const env = { ...process.env, NODE_OPTIONS: '', LEAKGUARD_OPTIONS: '' };
  const subject = fork(path.join(__dirname, 'subject.js'), [given], { execPath: binary, execArgv: SUBJECT_FLAGS, env });
  // Where we end by ourselves, it must not go on.
  const end = () => subject.kill('SIGKILL');
  process.once('exit', end);
  const silence = setTimeout(() => {
    record.silent = true;
    end();
  }, SILENCE_MS);
  subject.on('message', (/** @type {any} */ { outcome, condition }) => {
    silence.refresh();
    if (condition) record[/** @type {'before' | 'after'} */ (condition.when)] = condition;
    if (!outcome) return;
    record.outcomes.push({ ...outcome, isWhole: outcome.file && isWhole(outcome) });
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[KNode ${version}: ${record.outcomes.length} captures`);
  });
  return new Promise((resolve) => {
    subject.once('exit', (code, signal) => {
      clearTimeout(silence);
      process.removeListener('exit', end);
      if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
      record.end = signal ?? `code ${code}`;
      record.left = fs.readdirSync(dir);
      fs.rmSync(base, { recursive: true });
      resolve(record);
    });
  });
}

/** Reads the file and removes it. @param {{ file: string, nodes: number }} outcome */
function isWhole({ file, nodes }) {
  try {
    return readSnapshot(file).nodes === nodes;
  } catch {
    return false;
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        node: { type: 'string', multiple: true },
        forks: { type: 'string' },
        snapshots: { type: 'string' },
        short: { type: 'boolean', default: false },
        write: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const usual = values.short ? SHORT : FULL;
    const nodes = values.node ?? (values.short ? ['this'] : Object.keys(NODES));
    const unknown = nodes.find((node) => node !== 'this' && !Object.hasOwn(NODES, node));
    if (unknown !== undefined) throw new Error(`--node ${unknown}: there are ${Object.keys(NODES).join(', ')}, this`);
    return {
      nodes,
      forks: count('forks', values.forks, usual.forks),
      snapshots: count('snapshots', values.snapshots, usual.snapshots),
      write: values.write,
    };
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** @param {string} option @param {string | undefined} text @param {number} usual */
function count(option, text, usual) {
  if (text === undefined) return usual;
  if (!/^\d+$/.test(text)) throw new Error(`--${option} ${text}: a number is expected`);
  return Number(text);
}

main();
