'use strict';

// Who may handle the signal that asks for a snapshot, and how that goes together with the user's own handlers.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { nodeFlag } = require('./node-flags');

/** @typedef {import('../binding').Watch} Watch */

class DumpSignal {
  /** The signal's name. @type {NodeJS.Signals} */
  name;
  #number;
  #watch;
  #serve;
  /** @type {NodeJS.Immediate | undefined} */
  #comingBack;

  /**
   * @param {string} name
   * @param {Watch | undefined} watch with it the signal also comes through while JavaScript spins
   * @param {() => void} serve writes the snapshot where there is no watch
   */
  constructor(name, watch, serve) {
    this.name = /** @type {NodeJS.Signals} */ (name);
    this.#number = os.constants.signals[this.name];
    this.#watch = watch;
    this.#serve = serve;
    // Ours stays for good: with it libuv's handler stays, below the native one. Without it the first user's listener would make
    // libuv replace ours, and the end of a user's `once` would leave the default action, which ends the process.
    this.#listen();
    try {
      this.#watch?.handleSignal(this.#number, this.name);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  remove() {
    // The watch has put back libuv's handler before; libuv now takes its own back if nobody else listens.
    this.#forget();
  }

  #listen() {
    process.prependListener(this.name, this.#onSignal);
    process.on('newListener', this.#onNewListener);
    process.on('removeListener', this.#onRemoveListener);
  }

  #forget() {
    clearImmediate(this.#comingBack);
    process.removeListener('removeListener', this.#onRemoveListener);
    process.removeListener('newListener', this.#onNewListener);
    process.removeListener(this.name, this.#onSignal);
  }

  /**
   * First of all listeners. If all others are `once`, none is left after this signal. Then `process.kill(process.pid, signal)`, the
   * usual last line of such a handler, means to end the process, and the native handler lets it: at once and later if the signal came
   * from outside, and only during the handler if the process sent it to itself, as it may be asking for snapshots that way. Without a
   * native handler nobody knows who sent a signal: we only stand aside while the handlers run.
   */
  #onSignal = () => {
    if (!this.#watch) this.#serve();
    const others = process.rawListeners(this.name).filter((listener) => listener !== this.#onSignal);
    const allOnce = others.length > 0 && others.every((listener) => 'listener' in listener);
    if (!allOnce) return;
    if (!this.#watch) {
      this.#forget();
      this.#comingBack = setImmediate(() => this.#listen());
      return;
    }
    this.#watch.setSelfEnds(true);
    if (this.#watch.signalWasFromSelf()) setImmediate(() => this.#watch?.setSelfEnds(false)).unref();
  };

  /** @param {string | symbol} event */
  #onNewListener = (event) => {
    if (event === this.name) this.#watch?.setSelfEnds(false);
  };

  /**
   * After `process.removeAllListeners(signal)` we are gone too, and the next signal would end the process.
   *
   * @param {string | symbol} event
   * @param {Function} listener
   */
  #onRemoveListener = (event, listener) => {
    if (event !== this.name || listener !== this.#onSignal) return;
    process.prependListener(this.name, this.#onSignal);
    this.#watch?.reinstallSignal();
  };
}

/**
 * Why no handler may be installed for the signal; null where one may.
 *
 * @param {string} name
 * @returns {string | null}
 */
function signalRefusal(name) {
  if (name === 'none') return 'the option dumpSignal is none';
  if (process.platform === 'win32') return 'Windows has no such signal';
  if (nodeFlag('--heapsnapshot-signal') === name)
    return `Node itself writes snapshots on ${name} (--heapsnapshot-signal)`;
  // nodemon restarts with this signal and waits for ever for a process that handles it.
  const nodemon = nodemonAncestor();
  if (nodemon !== undefined)
    return `nodemon (pid ${nodemon}) restarts this process with a signal; set dumpSignal to 'none' or run without nodemon`;
  return null;
}

/** The process id of the nodemon that this process runs under. */
function nodemonAncestor() {
  let pid = process.ppid;
  // Shells and npm stand between; a process tree deeper than this is no development set-up.
  for (let depth = 0; depth < 10 && pid > 1; depth++) {
    try {
      const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, 3);
      if (args.some((arg) => /^nodemon(\.js)?$/.test(path.basename(arg)))) return pid;
      // The name in parentheses may contain anything; the parent is the second field behind it.
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
      pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
      return undefined;
    }
  }
  return undefined;
}

module.exports = { DumpSignal, signalRefusal };
