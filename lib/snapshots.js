'use strict';

// Snapshots of this thread's heap: by call, and by signal where the addon does not write them itself.

const path = require('node:path');
const { clearInterval, setImmediate, setInterval } = require('node:timers');
const { threadId } = require('node:worker_threads');
const { LeakguardError, optionError, unwrap } = require('./errors');
const { channels } = require('./events');
const { mergeOptions } = require('./options');

/** @typedef {import('../binding').Watch} Watch */
/** @typedef {import('./addon').Addon} Addon */
/** @typedef {import('./options').Options} Options */

/**
 * What is in force when a snapshot is asked for.
 *
 * @typedef {object} Setting
 * @property {Options} options
 * @property {Addon | undefined} addon
 * @property {boolean} native whether the addon writes
 * @property {() => { watch: Watch, leave: () => void }} seat with the addon only
 */

/**
 * What is wanted.
 *
 * @typedef {object} Wanted
 * @property {string | undefined} file absolute
 * @property {'auto' | 'fork' | 'in-process'} mode
 * @property {boolean} gzip
 * @property {boolean} redact
 * @property {number} maxPause ms
 * @property {{ maxFiles: number, maxBytes: number }} [limits] of all snapshots in the folder
 */

/** @typedef {{ count: number, time: string, reason: string }} Refusal */

/** @typedef {{ phase: string, fraction: number | null, bytes: number }} Progress */

/** Who waits for it. @typedef {{ stopped: AbortSignal, signal?: AbortSignal, onProgress?: (progress: Progress) => void }} Caller */

/** How often the progress is looked at where somebody wants to know. */
const PROGRESS_MS = 50;
/** A timer that only keeps the event loop alive: whoever waits for a snapshot does not want the process to end. */
const LONG_MS = 2 ** 30;

class Snapshots {
  #setting;
  /** A call that is being answered. @type {{ promise: Promise<any>, wanted: Wanted, abort: AbortController } | undefined} */
  #writing;
  /** Those who wait for the addon, by the number of their call. @type {Map<number, (outcome: any) => void>} */
  #calls = new Map();
  #nextCall = 1;
  /** A signal that JavaScript is answering. @type {AbortController | undefined} */
  #serving;
  /** When JavaScript last wrote one for a signal without a watch, which would know. */
  #lastBySignal = Number.NEGATIVE_INFINITY;
  #told = { written: 0, failed: 0, last: /** @type {any} */ (null), lastError: /** @type {any} */ (null) };
  /** How often there was no snapshot, by the error's code, and the latest reason. @type {Record<string, Refusal>} */
  #refusals = {};

  /** @param {() => Setting} setting */
  constructor(setting) {
    this.#setting = setting;
  }

  status() {
    return structuredClone({ ...this.#told, refusals: this.#refusals });
  }

  /** Aborts what is under way. */
  abort() {
    this.#writing?.abort.abort();
    this.#serving?.abort();
    this.#serving = undefined;
  }

  /**
   * Counts and publishes what became of a snapshot.
   *
   * @param {any} outcome
   * @param {'signal' | 'call' | 'nearHeapLimit'} trigger
   * @param {number} thread
   */
  note(outcome, trigger, thread) {
    const message = { ...outcome, threadId: thread, trigger };
    if (outcome.error) {
      this.#told.failed++;
      this.#told.lastError = message;
      const { code, message: reason } = outcome.error;
      this.#refusals[code] = { count: (this.#refusals[code]?.count ?? 0) + 1, time: new Date().toISOString(), reason };
    } else {
      this.#told.written++;
      this.#told.last = message;
    }
    channels.snapshot.publish(message);
  }

  /**
   * Tells a call what the addon made of it.
   *
   * @param {number} call
   * @param {any} outcome
   */
  settle(call, outcome) {
    this.#calls.get(call)?.(outcome);
  }

  /**
   * @param {string} [file]
   * @param {any} [given]
   */
  write(file, given = {}) {
    const { wanted, signal, onProgress } = validate(file, given, this.#setting().options);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#writing) {
      if (file === undefined && equal(wanted, this.#writing.wanted)) return this.#writing.promise;
      return Promise.reject(
        new LeakguardError('ERR_LEAKGUARD_BUSY', 'a snapshot of this thread is being written; wait for it'),
      );
    }
    const abort = new AbortController();
    const promise = this.#write(wanted, { stopped: abort.signal, signal, onProgress }).finally(() => {
      this.#writing = undefined;
    });
    this.#writing = { promise, wanted, abort };
    return promise;
  }

  /**
   * @param {Wanted} wanted
   * @param {Caller} caller
   */
  async #write(wanted, caller) {
    const { stopped, signal, onProgress } = caller;
    // Not within the caller's turn: two calls in a row are joined, and an abort is heard.
    await new Promise((resolve) => setImmediate(resolve));
    onProgress?.({ phase: 'waiting', fraction: null, bytes: 0 });
    // Also where the listener has stopped or aborted it.
    stopped.throwIfAborted();
    signal?.throwIfAborted();
    let written;
    try {
      written = this.#setting().native
        ? await this.#writeNatively(wanted, caller)
        : await this.#writeByJavaScript(wanted, stopped);
    } catch (error) {
      const { code, message } = /** @type {LeakguardError} */ (error);
      if (error instanceof LeakguardError && !stopped.aborted)
        this.note({ error: { code, message } }, 'call', threadId);
      throw error;
    }
    this.note(written, 'call', threadId);
    onProgress?.({ phase: 'done', fraction: null, bytes: written.bytes });
    return written;
  }

  /**
   * Has the addon write it, on a thread of its own.
   *
   * @param {Wanted} wanted
   * @param {Caller} caller
   */
  async #writeNatively({ file, mode, gzip, redact }, { stopped, signal, onProgress }) {
    const { watch, leave } = this.#setting().seat();
    const call = this.#nextCall++;
    const giveUp = () => watch.abortCapture(call);
    /** What the caller's listener has thrown. @type {{ error: unknown } | undefined} */
    let thrown;
    const onThrown = (/** @type {unknown} */ error) => {
      thrown = { error };
      giveUp();
    };
    const timer = onProgress
      ? setInterval(tell(watch, call, onProgress, onThrown), PROGRESS_MS)
      : setInterval(() => {}, LONG_MS);
    try {
      const refused = watch.capture(call, { file, mode, gzip, redact });
      if (refused) unwrap(refused);
      const outcome = await new Promise((resolve, reject) => {
        this.#calls.set(call, resolve);
        // The watch is closed by now, and sends no letter.
        stopped.addEventListener('abort', () => reject(stopped.reason));
        signal?.addEventListener('abort', giveUp);
      });
      if (thrown) throw thrown.error;
      if (outcome.error?.code === 'ABORT_ERR') {
        throw signal?.aborted ? signal.reason : new DOMException(outcome.error.message, 'AbortError');
      }
      if (outcome.error) throw new LeakguardError(outcome.error.code, outcome.error.message);
      return outcome;
    } finally {
      clearInterval(timer);
      this.#calls.delete(call);
      signal?.removeEventListener('abort', giveUp);
      leave();
    }
  }

  /**
   * Answers a signal through `node:v8`, and tells what became of it.
   *
   * @param {Watch} [watch] tells stderr and JavaScript in our stead
   */
  async serve(watch) {
    // Signals that come while a file is written are answered by it.
    if (this.#serving) return;
    const abort = new AbortController();
    this.#serving = abort;
    try {
      if (!watch) this.#checkInterval();
      const written = await this.#writeByJavaScript(wantedBySignal(this.#setting().options), abort.signal);
      // After stop() the watch takes nothing any more.
      if (watch && !abort.signal.aborted) return watch.settle(written);
      this.#lastBySignal = performance.now();
      this.note(written, 'signal', threadId);
      const { file, bytes, nodes, pauseMs } = written;
      process.stderr.write(
        `leakguard: heap snapshot written to ${file} (${bytes} bytes, ${nodes} nodes, blocked for ${Math.round(pauseMs)} ms)\n`,
      );
    } catch (error) {
      if (abort.signal.aborted) return;
      const { code, message } = /** @type {LeakguardError} */ (error);
      if (watch) return watch.settle(undefined, code, message);
      this.note({ error: { code, message } }, 'signal', threadId);
      process.stderr.write(`leakguard: no heap snapshot: ${message}\n`);
    } finally {
      if (this.#serving === abort) this.#serving = undefined;
    }
  }

  /** Throws where the last snapshot by signal is too fresh. */
  #checkInterval() {
    const { minInterval } = this.#setting().options.snapshot;
    const since = performance.now() - this.#lastBySignal;
    if (since >= minInterval) return;
    const seconds = (/** @type {number} */ ms) => `${(ms / 1000).toFixed(1)} s`;
    throw new LeakguardError(
      'ERR_LEAKGUARD_TOO_SOON',
      `the last snapshot by signal was ${seconds(since)} ago; \`snapshot.minInterval\` asks for ${seconds(minInterval)} between two`,
    );
  }

  /**
   * @param {Wanted} wanted
   * @param {AbortSignal} stopped
   */
  async #writeByJavaScript(wanted, stopped) {
    const { addon, options } = this.#setting();
    const { nextFileName } = addon ?? require('./fallback/snapshot');
    const file = wanted.file ?? path.join(options.dir, nextFileName(threadId, wanted.gzip));
    return require('./fallback/snapshot').writeSnapshot({ ...wanted, file }, addon, stopped);
  }
}

/**
 * A timer's callback that tells the progress where it has changed.
 *
 * @param {Watch} watch
 * @param {number} call
 * @param {(progress: Progress) => void} onProgress
 * @param {(error: unknown) => void} onThrown
 */
function tell(watch, call, onProgress, onThrown) {
  let last = '';
  return () => {
    const progress = watch.captureProgress(call);
    if (!progress) return;
    const { phase, fraction = null, bytes } = progress;
    const text = JSON.stringify([phase, fraction, bytes]);
    if (text === last) return;
    last = text;
    try {
      onProgress({ phase, fraction, bytes });
    } catch (error) {
      onThrown(error);
    }
  };
}

/**
 * What the options say.
 *
 * @param {Options} options
 * @returns {Wanted}
 */
function wantedBy({ snapshot: { mode, compress, redact, maxPause } }) {
  return { file: undefined, mode, gzip: compress === 'gzip', redact, maxPause };
}

/**
 * What the options say of snapshots by signal.
 *
 * @param {Options} options
 * @returns {Wanted}
 */
function wantedBySignal(options) {
  const { maxFiles, maxBytes } = options.snapshot;
  return { ...wantedBy(options), limits: { maxFiles, maxBytes } };
}

/**
 * @param {Wanted} a
 * @param {Wanted} b
 */
function equal(a, b) {
  return a.file === b.file && a.mode === b.mode && a.gzip === b.gzip && a.redact === b.redact;
}

/**
 * @param {unknown} file
 * @param {any} given
 * @param {Options} options
 * @returns {{ wanted: Wanted, signal?: AbortSignal, onProgress?: (progress: Progress) => void }}
 */
function validate(file, given, options) {
  if (typeof given !== 'object' || given === null) throw optionError(TypeError, 'options must be an object');
  const { signal, onProgress, ...snapshot } = given;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw optionError(TypeError, 'signal must be an AbortSignal');
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw optionError(TypeError, 'onProgress must be a function');
  }
  const wanted = { ...wantedBy(mergeOptions(options, { snapshot })), file: resolve(file, options.dir) };
  return { wanted, signal, onProgress };
}

/**
 * @param {unknown} file
 * @param {string} dir
 */
function resolve(file, dir) {
  if (file === undefined) return undefined;
  if (typeof file !== 'string' || file === '') throw optionError(TypeError, 'file must be a path');
  if (file.includes('\0')) throw optionError(RangeError, 'file must not contain a NUL character');
  const absolute = path.resolve(dir, file);
  if (!path.isAbsolute(file) && path.relative(dir, absolute).split(path.sep)[0] === '..') {
    throw optionError(RangeError, `file '${file}' leaves dir (${dir}); give an absolute path to write elsewhere`);
  }
  return absolute;
}

module.exports = { Snapshots };
