'use strict';

// Snapshots of this thread's heap: by call, and by signal where the addon does not write them itself.

const path = require('node:path');
const { setImmediate } = require('node:timers');
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
 */

class Snapshots {
  #setting;
  /** A call that is being answered. @type {{ promise: Promise<any>, file: string | undefined, gzip: boolean, abort: AbortController } | undefined} */
  #writing;
  /** A signal that JavaScript is answering. @type {AbortController | undefined} */
  #serving;
  /** When JavaScript last wrote one for a signal without a watch, which would know. */
  #lastBySignal = Number.NEGATIVE_INFINITY;
  #told = { written: 0, failed: 0, last: /** @type {any} */ (null), lastError: /** @type {any} */ (null) };

  /** @param {() => Setting} setting */
  constructor(setting) {
    this.#setting = setting;
  }

  status() {
    return structuredClone(this.#told);
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
   * @param {'signal' | 'call'} trigger
   * @param {number} thread
   */
  note(outcome, trigger, thread) {
    const message = { ...outcome, threadId: thread, trigger };
    if (outcome.error) {
      this.#told.failed++;
      this.#told.lastError = message;
    } else {
      this.#told.written++;
      this.#told.last = message;
    }
    channels.snapshot.publish(message);
  }

  /**
   * @param {string} [file]
   * @param {any} [given]
   */
  write(file, given = {}) {
    const { options } = this.#setting();
    const { absolute, signal, onProgress, gzip } = validate(file, given, options);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#writing) {
      const { promise, ...writing } = this.#writing;
      if (file === undefined && writing.file === undefined && gzip === writing.gzip) return promise;
      return Promise.reject(
        new LeakguardError('ERR_LEAKGUARD_BUSY', 'a snapshot of this thread is being written; wait for it'),
      );
    }
    const abort = new AbortController();
    const caller = { stopped: abort.signal, signal, onProgress };
    const promise = this.#write(absolute, gzip, caller).finally(() => {
      this.#writing = undefined;
    });
    this.#writing = { promise, file, gzip, abort };
    return promise;
  }

  /**
   * @param {string | undefined} file absolute
   * @param {boolean} gzip
   * @param {{ stopped: AbortSignal, signal?: AbortSignal, onProgress?: (progress: any) => void }} caller
   */
  async #write(file, gzip, { stopped, signal, onProgress }) {
    // Not within the caller's turn: two calls in a row are joined, and an abort is heard.
    await new Promise((resolve) => setImmediate(resolve));
    stopped.throwIfAborted();
    signal?.throwIfAborted();
    onProgress?.({ phase: 'snapshot', bytes: 0 });
    let written;
    try {
      const { addon, native } = this.#setting();
      written =
        addon && native
          ? unwrap(addon.writeSnapshot(file ?? this.#nextFile(gzip), gzip))
          : await this.#writeByJavaScript(file, gzip, stopped);
    } catch (error) {
      const { code, message } = /** @type {LeakguardError} */ (error);
      if (!stopped.aborted) this.note({ error: { code, message } }, 'call', threadId);
      throw error;
    }
    this.note(written, 'call', threadId);
    onProgress?.({ phase: 'done', bytes: written.bytes });
    return written;
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
      const gzip = this.#setting().options.snapshot.compress === 'gzip';
      const written = await this.#writeByJavaScript(undefined, gzip, abort.signal);
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
   * @param {string | undefined} file absolute
   * @param {boolean} gzip
   * @param {AbortSignal} stopped
   */
  async #writeByJavaScript(file, gzip, stopped) {
    const { writeSnapshot } = require('./fallback/snapshot');
    const written = await writeSnapshot(file ?? this.#nextFile(gzip), gzip, stopped);
    return { ...written, mode: 'in-process', redacted: false };
  }

  /** @param {boolean} gzip */
  #nextFile(gzip) {
    const { addon, options } = this.#setting();
    const { nextFileName } = addon ?? require('./fallback/snapshot');
    return path.join(options.dir, nextFileName(threadId, gzip));
  }
}

/**
 * @param {unknown} file
 * @param {any} given
 * @param {Options} options
 * @returns {{ absolute: string | undefined, signal?: AbortSignal, onProgress?: (progress: any) => void, gzip: boolean }}
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
  const { compress } = mergeOptions(options, { snapshot }).snapshot;
  return { absolute: resolve(file, options.dir), signal, onProgress, gzip: compress === 'gzip' };
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
