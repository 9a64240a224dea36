'use strict';

// One thread's leakguard: arms, looks at the readings once a second, passes on the news, takes everything back.

const path = require('node:path');
const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = require('node:timers');
const v8 = require('node:v8');
const { getEnvironmentData, isMainThread, setEnvironmentData, threadId } = require('node:worker_threads');
const { loadAddon } = require('./addon');
const { LeakguardError } = require('./errors');
const { announceLeak, channels, warn } = require('./events');
const { mergeOptions, optionsFromEnvironment } = require('./options');
const { chooseRoutes, nativeFeatures } = require('./routes');
const { DumpSignal, signalRefusal } = require('./signal');
const { version } = require('../package.json');

/** @typedef {import('../binding').Watch} Watch */
/** @typedef {import('./options').Options} Options */
/** @typedef {import('./fallback/profiler').InspectorProfiler} InspectorProfiler */

/** How often the readings are looked at, and how soon the first time. */
const TICK_MS = 1_000;
const FIRST_TICK_MS = 300;
/** How long `memory({ detail: true })` waits for malloc's accounting. */
const MALLOC_PATIENCE_MS = 50;
/** Events kept where there is no addon. */
const MAX_HISTORY = 512;
/** Under this name a Worker, or a newer copy of leakguard, finds the options that the main thread was given by code. */
const INHERITED = 'leakguard.options';

class Guard {
  /** @type {Options} */
  #options;
  #addon;
  #missing;
  #routes;
  #armed = false;
  /** @type {Watch | undefined} */
  #watch;
  /** @type {NodeJS.Timeout | undefined} */
  #firstTick;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** @type {(() => void) | undefined} */
  #stopObservingGc;
  /** @type {InspectorProfiler | undefined} */
  #profiler;
  #profilerError = null;
  /** @type {DumpSignal | undefined} */
  #signal;
  /** @type {string | null} */
  #signalRefusal = 'leakguard is not armed';
  /** @type {import('../binding').NativeGcEvent[]} */
  #history = [];
  #gcsPublished = 0;
  /** Events for the next batch where there is no addon. @type {import('../binding').NativeGcEvent[]} */
  #unpublished = [];
  /** A call that is being answered. @type {{ promise: Promise<any>, file: string | undefined, gzip: boolean, abort: AbortController } | undefined} */
  #writing;
  /** A signal that JavaScript is answering. @type {AbortController | undefined} */
  #serving;
  /** When JavaScript last wrote one for a signal without a watch, which would know. */
  #lastBySignal = Number.NEGATIVE_INFINITY;
  #snapshots = { written: 0, failed: 0, last: /** @type {any} */ (null), lastError: /** @type {any} */ (null) };

  /** Loads the addon and arms by what the environment and code said so far. Never throws. */
  constructor() {
    const { options, off, warnings } = optionsFromEnvironment(process.env.LEAKGUARD_OPTIONS);
    this.#options = options;
    try {
      this.#options = mergeOptions(options, getEnvironmentData(INHERITED));
    } catch (error) {
      // Another version of leakguard may know options that this one does not.
      warnings.push(`what was given by code is left out: ${/** @type {Error} */ (error).message}`);
    }
    ({ addon: this.#addon, reason: this.#missing } = loadAddon());
    this.#routes = chooseRoutes(this.#addon, this.#missing, this.#options.v8);
    for (const warning of warnings) warn('LEAKGUARD_OPTIONS', warning);
    if (!off) this.#arm();
  }

  /**
   * Merges options into those in force, and arms if that is not done.
   *
   * @param {unknown} [given]
   */
  start(given) {
    const options = mergeOptions(this.#options, given);
    const before = this.#options;
    this.#options = options;
    if (isMainThread) {
      const inherited = /** @type {any} */ (getEnvironmentData(INHERITED) ?? {});
      setEnvironmentData(INHERITED, /** @type {any} */ (mergeOptions(inherited, given)));
    }
    if (this.#armed && options.v8 !== before.v8) this.stop();
    if (!this.#armed) {
      this.#routes = chooseRoutes(this.#addon, this.#missing, options.v8);
      this.#arm();
      return;
    }
    this.#watch?.configure(this.#watchOptions());
    if (options.sample !== before.sample) this.#startProfiler();
    if (options.dumpSignal !== before.dumpSignal) this.#listen();
  }

  /** Takes everything back. */
  stop() {
    if (!this.#armed) return;
    this.#armed = false;
    this.#writing?.abort.abort();
    this.#serving?.abort();
    this.#serving = undefined;
    clearTimeout(this.#firstTick);
    clearInterval(this.#timer);
    this.#stopObservingGc?.();
    this.#stopObservingGc = undefined;
    this.#profiler?.stop();
    this.#profiler = undefined;
    this.#history = this.history();
    // Before our listener goes: the native handler puts back the one that libuv then takes away.
    this.#watch?.close();
    this.#watch = undefined;
    this.#signal?.remove();
    this.#signal = undefined;
    this.#signalRefusal = 'leakguard is not armed';
  }

  #arm() {
    this.#armed = true;
    this.#history = [];
    this.#gcsPublished = 0;
    try {
      if (this.#addon) this.#watch = new this.#addon.Watch(this.#watchOptions(), this.#onWake);
    } catch (error) {
      // Threads or descriptors have run out: what JavaScript can do remains.
      this.#missing = `the addon cannot be armed: ${/** @type {Error} */ (error).message}`;
      this.#addon = undefined;
      this.#routes = chooseRoutes(undefined, this.#missing, this.#options.v8);
    }
    if (this.#routes.gcEvents.route === 'fallback') {
      this.#stopObservingGc = require('./fallback/gc-observer').observeGc((event) => this.#recordGc(event));
    }
    this.#startProfiler();
    this.#listen();
    this.#firstTick = setTimeout(this.#onTick, FIRST_TICK_MS).unref();
    this.#timer = setInterval(this.#onTick, TICK_MS).unref();
  }

  /** Starts or restarts the profiler where it is not driven natively. */
  #startProfiler() {
    this.#profiler?.stop();
    this.#profiler = undefined;
    this.#profilerError = null;
    if (!this.#options.sample || this.#routes.sampling.route !== 'fallback') return;
    try {
      const { InspectorProfiler } = require('./fallback/profiler');
      this.#profiler = new InspectorProfiler(this.#options.sample);
    } catch (error) {
      this.#profilerError = /** @type {any} */ (error).message;
    }
  }

  /** Installs the signal handler anew, or notes why there is none. */
  #listen() {
    if (!isMainThread) {
      this.#signalRefusal = 'the main thread handles it for all threads';
      return;
    }
    this.#signal?.remove();
    this.#signal = undefined;
    this.#watch?.ignoreSignal();
    this.#signalRefusal = signalRefusal(this.#options.dumpSignal);
    if (this.#signalRefusal !== null) return;
    try {
      this.#signal = new DumpSignal(this.#options.dumpSignal, this.#watch, this.#writeForSignal);
    } catch (error) {
      this.#signalRefusal = /** @type {Error} */ (error).message;
    }
  }

  /** @returns {import('../binding').WatchOptions} */
  #watchOptions() {
    const { detect, dir, sample, snapshot } = this.#options;
    return {
      threadId,
      native: nativeFeatures(this.#routes),
      detect,
      samplingInterval: sample ? sample.interval : undefined,
      stackDepth: sample ? sample.stackDepth : 1,
      dir,
      gzip: snapshot.compress === 'gzip',
      minIntervalMs: snapshot.minInterval,
    };
  }

  #onTick = () => {
    this.#harmless(() => {
      const watch = this.#watch;
      if (channels.gc.hasSubscribers) this.#publishGcs();
      if (!watch) return;
      const profile = this.#profiler?.isDue() && watch.wantsProfile() ? this.#profiler.profile() : undefined;
      watch.tick(profile);
    });
  };

  /** Called by the addon when a snapshot is due or there is news. */
  #onWake = () => {
    this.#harmless(() => {
      if (this.#watch?.serve()) void this.#writeForSignal();
      // A listener may have us stop.
      for (const text of this.#watch?.letters() ?? []) {
        const letter = JSON.parse(text);
        if (letter.type === 'snapshot') this.#noteSnapshot(letter.outcome, 'signal', letter.threadId);
        else announceLeak(letter.type, letter.leak);
      }
    });
  };

  /**
   * An error of our own in a callback from the event loop would end the process we guard: leakguard ends itself instead.
   *
   * @param {() => void} work
   */
  #harmless(work) {
    try {
      work();
    } catch (error) {
      this.stop();
      warn('LEAKGUARD_INTERNAL', `stopped after an error of its own: ${/** @type {Error} */ (error)?.stack ?? error}`);
    }
  }

  /** Writes through `node:v8` what the addon does not write itself, and tells what became of it. */
  #writeForSignal = async () => {
    // Signals that come while a file is written are answered by it.
    if (this.#serving) return;
    const abort = new AbortController();
    this.#serving = abort;
    const watch = this.#watch;
    try {
      if (!watch) this.#checkInterval();
      const gzip = this.#options.snapshot.compress === 'gzip';
      const written = await this.#writeByJavaScript(undefined, gzip, abort.signal);
      // After stop() the watch takes nothing any more.
      if (watch && !abort.signal.aborted) return watch.settle(written);
      this.#lastBySignal = performance.now();
      this.#noteSnapshot(written, 'signal', threadId);
      process.stderr.write(
        `leakguard: heap snapshot written to ${written.file} (${written.bytes} bytes, ${written.nodes} nodes, blocked for ${Math.round(written.pauseMs)} ms)\n`,
      );
    } catch (error) {
      if (abort.signal.aborted) return;
      const { code, message } = /** @type {LeakguardError} */ (error);
      if (watch) return watch.settle(undefined, message);
      this.#noteSnapshot({ error: { code, message } }, 'signal', threadId);
      process.stderr.write(`leakguard: no heap snapshot: ${message}\n`);
    } finally {
      if (this.#serving === abort) this.#serving = undefined;
    }
  };

  /** Throws where the last snapshot by signal is too fresh. */
  #checkInterval() {
    const { minInterval } = this.#options.snapshot;
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
    const { nextFileName, writeSnapshot } = require('./fallback/snapshot');
    const name = () => this.#addon?.nextFileName(threadId, gzip) ?? nextFileName(threadId, gzip);
    const written = await writeSnapshot(file ?? path.join(this.#options.dir, name()), gzip, stopped);
    return { ...written, mode: 'in-process', redacted: false };
  }

  /**
   * @param {any} outcome
   * @param {'signal' | 'call'} trigger
   * @param {number} thread
   */
  #noteSnapshot(outcome, trigger, thread) {
    const message = { ...outcome, threadId: thread, trigger };
    if (outcome.error) {
      this.#snapshots.failed++;
      this.#snapshots.lastError = message;
    } else {
      this.#snapshots.written++;
      this.#snapshots.last = message;
    }
    channels.snapshot.publish(message);
  }

  /** @param {import('../binding').NativeGcEvent} event */
  #recordGc(event) {
    if (this.#watch) return this.#watch.recordGc(event);
    if (channels.gc.hasSubscribers) this.#unpublished.push(event);
    if (event.kind !== 'mark-compact') return;
    this.#history.push(event);
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
  }

  #publishGcs() {
    const events = this.#watch ? this.#watch.gcsSince(this.#gcsPublished) : this.#unpublished;
    this.#unpublished = [];
    this.#gcsPublished = this.#watch?.gcCount() ?? 0;
    if (events.length > 0) channels.gc.publish({ threadId, events });
  }

  history() {
    return this.#watch ? this.#watch.history() : this.#history.map((event) => ({ ...event }));
  }

  /** @param {{ detail?: boolean }} [options] */
  memory({ detail = false } = {}) {
    const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const { malloced_memory: malloced, heap_size_limit: heapSizeLimit } = v8.getHeapStatistics();
    const { limit, usage } = this.#watch?.cgroup() ?? { limit: constrainedMemory(), usage: undefined };
    const memory = {
      ...{ rss, heapTotal, heapUsed, external, arrayBuffers, malloced, heapSizeLimit },
      ...{ cgroupLimit: limit ?? null, cgroupUsage: usage ?? null },
    };
    if (!detail) return memory;
    return {
      ...memory,
      pss: this.#addon?.proportionalSetSize() ?? null,
      malloc: this.#watch?.malloc(MALLOC_PATIENCE_MS) ?? null,
    };
  }

  /**
   * @param {string} [file]
   * @param {any} [options]
   */
  writeHeapSnapshot(file, options = {}) {
    const { signal, onProgress, snapshot } = this.#snapshotOptions(file, options);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const gzip = snapshot.compress === 'gzip';
    if (this.#writing) {
      const { promise, ...writing } = this.#writing;
      if (file === undefined && writing.file === undefined && gzip === writing.gzip) return promise;
      return Promise.reject(
        new LeakguardError('ERR_LEAKGUARD_BUSY', 'a snapshot of this thread is being written; wait for it'),
      );
    }
    const abort = new AbortController();
    const promise = this.#write(file, gzip, { stopped: abort.signal, signal, onProgress }).finally(() => {
      this.#writing = undefined;
    });
    this.#writing = { promise, file, gzip, abort };
    return promise;
  }

  /**
   * @param {unknown} file
   * @param {any} options
   */
  #snapshotOptions(file, options) {
    if (file !== undefined && (typeof file !== 'string' || file === '')) {
      throw Object.assign(new TypeError('file must be a path'), { code: 'ERR_LEAKGUARD_OPTION' });
    }
    if (file?.includes('\0')) {
      throw Object.assign(new RangeError('file must not contain a NUL character'), { code: 'ERR_LEAKGUARD_OPTION' });
    }
    if (typeof options !== 'object' || options === null) {
      throw Object.assign(new TypeError('options must be an object'), { code: 'ERR_LEAKGUARD_OPTION' });
    }
    const { signal, onProgress, ...snapshot } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw Object.assign(new TypeError('signal must be an AbortSignal'), { code: 'ERR_LEAKGUARD_OPTION' });
    }
    if (onProgress !== undefined && typeof onProgress !== 'function') {
      throw Object.assign(new TypeError('onProgress must be a function'), { code: 'ERR_LEAKGUARD_OPTION' });
    }
    return { signal, onProgress, snapshot: mergeOptions(this.#options, { snapshot }).snapshot };
  }

  /**
   * @param {string | undefined} file
   * @param {boolean} gzip
   * @param {{ stopped: AbortSignal, signal?: AbortSignal, onProgress?: (progress: any) => void }} caller
   */
  async #write(file, gzip, { stopped, signal, onProgress }) {
    // Not within the caller's turn: two calls in a row are joined, and an abort is heard.
    await new Promise((resolve) => setImmediate(resolve));
    stopped.throwIfAborted();
    signal?.throwIfAborted();
    onProgress?.({ phase: 'snapshot', bytes: 0 });
    const absolute = file === undefined ? undefined : path.resolve(this.#options.dir, file);
    let written;
    try {
      written =
        this.#addon && this.#routes.snapshot.route === 'native'
          ? unwrap(
              JSON.parse(
                this.#addon.writeSnapshot(
                  absolute ?? path.join(this.#options.dir, this.#addon.nextFileName(threadId, gzip)),
                  gzip,
                ),
              ),
            )
          : await this.#writeByJavaScript(absolute, gzip, stopped);
    } catch (error) {
      const { code, message } = /** @type {LeakguardError} */ (error);
      if (!stopped.aborted) this.#noteSnapshot({ error: { code, message } }, 'call', threadId);
      throw error;
    }
    this.#noteSnapshot(written, 'call', threadId);
    onProgress?.({ phase: 'done', bytes: written.bytes });
    return written;
  }

  /** @param {{ format?: unknown }} [options] */
  async heapProfile({ format = 'object' } = {}) {
    if (format !== 'object' && format !== 'pprof' && format !== 'heapprofile') {
      throw Object.assign(new RangeError(`format must be one of object, pprof, heapprofile, not ${String(format)}`), {
        code: 'ERR_LEAKGUARD_OPTION',
      });
    }
    if (!this.#armed) throw new LeakguardError('ERR_LEAKGUARD_NOT_ARMED', 'leakguard is stopped; call start() first');
    if (!this.#options.sample)
      throw new LeakguardError('ERR_LEAKGUARD_UNAVAILABLE', 'sampling is off (the option sample is false)');
    if (this.#profilerError) throw new LeakguardError('ERR_LEAKGUARD_UNAVAILABLE', this.#profilerError);
    if (format === 'heapprofile' && this.#profiler) return this.#profiler.devToolsProfile();
    if (!this.#watch)
      throw new LeakguardError(
        'ERR_LEAKGUARD_UNAVAILABLE',
        `format ${format} takes the addon, and ${this.#missing}; 'heapprofile' does not`,
      );
    const outside = /** @type {[string?, number?]} */ (
      this.#profiler ? [this.#profiler.profile(), this.#profiler.since] : []
    );
    if (format === 'pprof') return this.#watch.pprof(...outside);
    const profile = unwrap(JSON.parse(this.#watch.heapProfile(format === 'object', ...outside)));
    if (format === 'heapprofile') return profile;
    const samplingInterval = this.#profiler?.state === 'adopted' ? null : profile.samplingInterval;
    return { ...profile, samplingInterval, since: new Date(profile.since).toISOString() };
  }

  status() {
    const inner = this.#watch ? JSON.parse(this.#watch.status()) : undefined;
    return {
      version,
      armed: this.#armed,
      threadId,
      addon: { loaded: this.#addon !== undefined, reason: this.#missing },
      routes: structuredClone(this.#routes),
      options: structuredClone(this.#options),
      signal: { name: this.#options.dumpSignal, handled: this.#signal !== undefined, reason: this.#signalRefusal },
      sampling: this.#samplingStatus(inner),
      detector: this.#detectorStatus(inner),
      snapshots: structuredClone(this.#snapshots),
      cost: inner ? { ...inner.cost, ...this.#profiler?.cost } : null,
    };
  }

  /** @param {any} inner */
  #samplingStatus(inner) {
    if (!this.#armed) return { state: 'off', reason: 'leakguard is not armed' };
    if (!this.#options.sample) return { state: 'off', reason: 'the option sample is false' };
    if (this.#profiler) return { state: this.#profiler.state, reason: null, lost: this.#profiler.lost };
    return inner && this.#routes.sampling.route === 'native'
      ? inner.sampler
      : { state: 'off', reason: this.#profilerError };
  }

  /** @param {any} inner */
  #detectorStatus(inner) {
    if (!this.#armed) return { on: false, reason: 'leakguard is not armed', channels: {} };
    if (!this.#options.detect) return { on: false, reason: 'the option detect is false', channels: {} };
    if (!inner) return { on: false, reason: `it takes the addon, and ${this.#missing}`, channels: {} };
    const { channels: states, mallocOff } = inner;
    return {
      on: true,
      reason: null,
      channels: mallocOff ? { ...states, native: { state: 'off', reason: mallocOff } } : states,
    };
  }
}

/**
 * The limit of the control group as Node knows it, where the addon cannot say.
 */
function constrainedMemory() {
  const limit = process.constrainedMemory?.();
  // Node answers 0 or a huge number where there is no limit.
  return limit && limit < 2 ** 60 ? limit : undefined;
}

/**
 * @param {any} result
 * @returns {any}
 */
function unwrap(result) {
  if (result.error) throw new LeakguardError(result.error.code, result.error.message);
  return result;
}

module.exports = { Guard, version };
