'use strict';

const { parseArgs } = require('node:util');
const { loadAddon } = require('../addon');
const { LeakguardError, unwrap } = require('../errors');
const { progressBar } = require('./progress-bar');

const HELP = `Has a running process write heap snapshots, waits until they are whole, and prints their paths.

Usage: leakguard dump [OPTIONS] [PID]

Without PID it lists the processes that are armed. With PID, that process has to have leakguard armed:

  node --require leakguard app.js     or require('leakguard') in the main thread; the option dumpSignal not 'none'

A signal ends a process that does not handle it. So before it sends one, this command sees to it that the process has
leakguard's addon mapped, says of itself that it is armed, and handles the signal; then it signals that very process
(pidfd). In any doubt it sends nothing and says what is missing. Processes in containers are seen from outside of them;
the path is then one that opens from here (/proc/PID/root/...).

All threads of the process that have loaded leakguard write one file each, one after the other, into the process's
folder (its option dir). A snapshot that is being written already is waited for instead of a new one. Ctrl-C ends this
command, not the snapshot.

  --json   what was written, or the processes that are armed, as JSON
  --help   this text

Exit code: 0 if all files are written (or a process is armed), 1 if a file is not, or if none is armed, and 2 if PID is
not armed, is no process, or may not be looked into.

Examples: leakguard dump
          leakguard analyze "$(leakguard dump PID)"
`;

/** What a thread does, in words. @type {Record<string, string>} */
const STAGES = {
  requested: 'waiting for it',
  waiting: 'waiting for its turn',
  collecting: 'collecting garbage',
  building: 'walking the heap',
  writing: 'writing',
  syncing: 'syncing',
};
/** Stages in which something is done for a thread. */
const ACTIVE = ['collecting', 'building', 'writing', 'syncing'];

/** @typedef {{ threadId: number, stage: string, done: number, total: number }} Progress */
/** @typedef {{ threadId: number, path?: string, error?: { code: string, message: string } }} ThreadDump */
/** @typedef {{ pid: number, leakguard: string, signal: string, dir: string, threads: number, command: string[] }} ArmedProcess */

/** @param {string[]} args */
async function run(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (positionals.length > 1) throw new Error(`give one PID; there are ${positionals.length}\n\n${HELP}`);
  const { addon, reason } = loadAddon();
  if (addon === undefined) throw new LeakguardError('ERR_LEAKGUARD_UNAVAILABLE', String(reason));
  const pid = positionals.length === 0 ? undefined : pidOf(positionals[0]);
  try {
    return await (pid === undefined ? list(addon, values.json) : dump(addon, pid, values.json));
  } catch (error) {
    const { code, message } = /** @type {LeakguardError} */ (error);
    throw new LeakguardError(code, shown(message, process.stderr));
  }
}

/** @param {string} word */
function pidOf(word) {
  if (!/^\d{1,10}$/.test(word)) throw new Error(`"${word}" is no PID: it is a number, such as 4711`);
  // No process has one that is larger.
  return Math.min(Number(word), 2 ** 32 - 1);
}

/**
 * @param {import('../addon').Addon} addon
 * @param {number} pid
 * @param {boolean} json
 */
async function dump(addon, pid, json) {
  const bar = progressBar(process.stderr);
  const show = (/** @type {string} */ threads) => {
    const { fraction, label } = inShort(JSON.parse(threads));
    bar.show(fraction, label);
  };
  const dumped = unwrap(await addon.dumpProcess(pid, show).finally(bar.clear));
  /** @type {ThreadDump[]} */
  const threads = dumped.threads;
  if (json) process.stdout.write(`${JSON.stringify(dumped)}\n`);
  for (const { threadId, path, error } of threads) {
    if (path !== undefined && !json) process.stdout.write(`${shown(path, process.stdout)}\n`);
    if (error) say(`${threads.length > 1 ? `${nameOf(threadId)}: ` : ''}${error.message} (${error.code})`);
  }
  if (dumped.unlisted > 0) say(`${dumped.unlisted} more threads of the process were asked, but cannot be followed`);
  if (threads.length === 0) say('no thread of the process is dumped at the moment');
  return threads.length > 0 && threads.every(({ error }) => !error) ? 0 : 1;
}

/**
 * What the bar shows: the thread for which something is done, else what is waited for.
 *
 * @param {Progress[]} threads
 * @returns {{ fraction: number | undefined, label: string }}
 */
function inShort(threads) {
  const due = threads.filter(({ stage }) => stage !== 'idle');
  const thread = due.find(({ stage }) => ACTIVE.includes(stage)) ?? due[0];
  if (thread === undefined) return { fraction: undefined, label: 'waiting for the process' };
  const { threadId, stage, done, total } = thread;
  const more = due.length > 1 ? `, ${due.length - 1} more to come` : '';
  return {
    fraction: total > 0 ? Math.min(done / total, 1) : undefined,
    label: `${nameOf(threadId)}: ${STAGES[stage]}${more}`,
  };
}

/**
 * @param {import('../addon').Addon} addon
 * @param {boolean} json
 */
async function list(addon, json) {
  const listing = unwrap(await addon.listArmedProcesses());
  /** @type {ArmedProcess[]} */
  const processes = listing.processes;
  if (json) process.stdout.write(`${JSON.stringify(listing)}\n`);
  else if (processes.length > 0) process.stdout.write(table(processes));
  else say('no process here is armed: `node --require leakguard app.js` starts one that is');
  if (listing.hidden > 0 && !json)
    say(`${listing.hidden} more processes may not be looked into: other users', as a rule`);
  return processes.length > 0 ? 0 : 1;
}

/** @param {ArmedProcess[]} processes */
function table(processes) {
  const rows = [
    ['PID', 'SIGNAL', 'THREADS', 'DIR', 'COMMAND'],
    ...processes.map(({ pid, signal, threads, dir, command }) => [
      String(pid),
      signal,
      String(threads),
      dir,
      command.join(' '),
    ]),
  ].map((row) => row.map((cell) => shown(cell, process.stdout)));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (/** @type {string[]} */ row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** @param {number} threadId */
function nameOf(threadId) {
  return threadId === 0 ? 'main thread' : `worker ${threadId}`;
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`leakguard dump: ${shown(text, process.stderr)}\n`);
}

/**
 * Another process chose the text: a terminal is to show it, not to obey it.
 *
 * @param {string} text
 * @param {NodeJS.WriteStream} stream
 */
function shown(text, stream) {
  return stream.isTTY ? text.replace(/\p{Cc}/gu, '?') : text;
}

module.exports = { summary: 'has a running process write snapshots, and waits for them', run };
