'use strict';

// One thread's leakguard: arms, looks at the readings once a second, passes on the news, takes everything back.

const { clearInterval, clearTimeout, setInterval, setTimeout } = require('node:timers');
const { getEnvironmentData, isMainThread, setEnvironmentData, threadId } = require('node:worker_threads');
const { loadAddon } = require('./addon');
const { LeakguardError, optionError, unwrap } = require('./errors');
const { announceLeak, channels, publishTransition, warn } = require('./events');
const { readMemory } = require('./memory');
const { mergeOptions, optionsFromEnvironment } = require('./options');
const { originalSites } = require('./original-sites');
const { chooseRoutes, nativeFeatures } = require('./routes');
const { DumpSignal, signalRefusal } = require('./signal');
const { Snapshots } = require('./snapshots');
const { version } = require('../package.json');

/** @typedef {import('../binding').Watch} Watch */
/** @typedef {import('./addon').Addon} Addon */
/** @typedef {import('./options').Options} Options */
/** @typedef {import('./fallback/profiler').InspectorProfiler} InspectorProfiler */

/** How often the readings are looked at, and how soon the first time. */
const TICK_MS = 1_000;
const FIRST_TICK_MS = 300;
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
  /** The profile that the next tick is given, as JSON. @type {string | undefined} */
  #profile;
  /** @type {DumpSignal | undefined} */
  #signal;
  /** @type {string | null} */
  #signalRefusal = 'leakguard is not armed';
  /** @type {import('../binding').NativeGcEvent[]} */
  #history = [];
  #gcsPublished = 0;
  /** Events for the next batch where there is no addon. @type {import('../binding').NativeGcEvent[]} */
  #unpublished = [];
  #snapshots = new Snapshots(() => ({
    options: this.#options,
    addon: this.#addon,
    native: this.#routes.interrupt.route === 'native',
    seat: () => this.#seat(),
  }));

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
    this.#snapshots.abort();
    clearTimeout(this.#firstTick);
    clearInterval(this.#timer);
    this.#stopObservingGc?.();
    this.#stopObservingGc = undefined;
    this.#profiler?.stop();
    this.#profiler = undefined;
    this.#profile = undefined;
    this.#history = this.history();
    // Before our listener goes: the native handler puts back the one that libuv then takes away.
    this.#watch?.close();
    this.#watch = undefined;
    if (this.#addon) process.removeListener('exit', this.#addon.releaseParked);
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
    // Node waits for V8's workers when it exits, and they may be waiting for a fork.
    if (this.#addon) process.on('exit', this.#addon.releaseParked);
    this.#startProfiler();
    this.#listen();
    this.#firstTick = setTimeout(this.#onTick, FIRST_TICK_MS).unref();
    this.#timer = setInterval(this.#onTick, TICK_MS).unref();
  }

  /** Starts or restarts the profiler where it is not driven natively. */
  #startProfiler() {
    this.#profiler?.stop();
    this.#profiler = undefined;
    this.#profile = undefined;
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
    this.#watch?.ignoreSignal();
    this.#signal?.remove();
    this.#signal = undefined;
    this.#signalRefusal = signalRefusal(this.#options.dumpSignal);
    if (this.#signalRefusal !== null) return;
    try {
      this.#signal = new DumpSignal(this.#options.dumpSignal, this.#watch, () => this.#snapshots.serve());
    } catch (error) {
      this.#signalRefusal = /** @type {Error} */ (error).message;
    }
  }

  /** @returns {import('../binding').WatchOptions} */
  #watchOptions() {
    const { detect, dir, nearHeapLimit, sample, snapshot } = this.#options;
    return {
      threadId,
      native: nativeFeatures(this.#routes),
      detect: detect !== false,
      snapshotsPerHour: detect ? detect.snapshotsPerHour : 0,
      cpuShare: detect ? detect.cpuShare : 1,
      inquiryMemory: detect ? detect.maxMemory : 0,
      keepSnapshots: snapshot.keep,
      samplingInterval: sample ? sample.interval : undefined,
      stackDepth: sample ? sample.stackDepth : 1,
      dir,
      mode: snapshot.mode,
      gzip: snapshot.compress === 'gzip',
      redact: snapshot.redact,
      maxPauseMs: snapshot.maxPause,
      minIntervalMs: snapshot.minInterval,
      maxFiles: snapshot.maxFiles,
      maxBytes: snapshot.maxBytes,
      nearHeapLimit,
    };
  }

  /**
   * This thread's seat among those whose snapshots the addon writes; where leakguard is not armed, one for that alone.
   *
   * @returns {{ watch: Watch, leave: () => void }}
   */
  #seat() {
    if (this.#watch) return { watch: this.#watch, leave: () => {} };
    const only = ['snapshot', 'interrupt', 'fork'];
    const { native, ...options } = this.#watchOptions();
    const bare = {
      ...options,
      native: native.filter((feature) => only.includes(feature)),
      detect: false,
      samplingInterval: undefined,
      nearHeapLimit: false,
    };
    const { Watch, releaseParked } = /** @type {Addon} */ (this.#addon);
    const watch = new Watch(bare, () => {
      watch.serve();
      this.#passOn(watch.letters());
    });
    process.on('exit', releaseParked);
    const leave = () => {
      process.removeListener('exit', releaseParked);
      watch.close();
    };
    return { watch, leave };
  }

  #onTick = () => {
    this.#harmless(() => {
      const watch = this.#watch;
      this.#publishGcs();
      if (!watch) return;
      const profile = this.#profile;
      const examines = watch.examines();
      const wanted = (examines || watch.wantsProfile()) && this.#profiler?.isDue(examines);
      // It belongs to the major GC that it brings about, and that is told of only after this.
      this.#profile = wanted ? this.#profiler?.profile() : undefined;
      watch.tick(profile);
    });
  };

  /** Called by the addon when a snapshot is due or there is news. */
  #onWake = () => {
    this.#harmless(() => {
      if (this.#watch?.serve()) void this.#snapshots.serve(this.#watch);
      // A listener may have us stop.
      this.#passOn(this.#watch?.letters() ?? []);
    });
  };

  /** @param {string[]} letters */
  #passOn(letters) {
    for (const text of letters) {
      const letter = JSON.parse(text);
      if (letter.type === 'detector') publishTransition(letter);
      else if (letter.type !== 'snapshot') announceLeak(letter.type, letter.leak);
      else if (letter.call === null) this.#snapshots.note(letter.outcome, letter.trigger, letter.threadId);
      else this.#snapshots.settle(letter.call, letter.outcome);
    }
  }

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

  /** @param {import('../binding').NativeGcEvent} event */
  #recordGc(event) {
    if (this.#watch) return this.#watch.recordGc(event);
    if (channels.gc.hasSubscribers) this.#unpublished.push(event);
    if (event.kind !== 'mark-compact') return;
    this.#history.push(event);
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
  }

  /** Only what happens while someone subscribes. */
  #publishGcs() {
    const wanted = channels.gc.hasSubscribers;
    const events = wanted && this.#watch ? this.#watch.gcsSince(this.#gcsPublished) : this.#unpublished;
    this.#unpublished = [];
    this.#gcsPublished = this.#watch?.gcCount() ?? 0;
    if (wanted && events.length > 0) channels.gc.publish({ threadId, events });
  }

  history() {
    return this.#watch ? this.#watch.history() : this.#history.map((event) => ({ ...event }));
  }

  /** @param {{ detail?: boolean }} [options] */
  memory({ detail = false } = {}) {
    return readMemory(this.#addon, this.#watch, detail);
  }

  /**
   * @param {string} [file]
   * @param {any} [options]
   */
  writeHeapSnapshot(file, options) {
    return this.#snapshots.write(file, options);
  }

  /** @param {{ format?: unknown }} [options] */
  async heapProfile({ format = 'object' } = {}) {
    if (format !== 'object' && format !== 'pprof' && format !== 'heapprofile') {
      throw optionError(RangeError, `format must be one of object, pprof, heapprofile, not ${String(format)}`);
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
    if (format === 'pprof') {
      const packed = this.#watch.pprof(...outside);
      return typeof packed === 'string' ? unwrap(packed) : packed;
    }
    const profile = unwrap(this.#watch.heapProfile(format === 'object', ...outside));
    if (format === 'heapprofile') return profile;
    const samplingInterval = this.#profiler?.state === 'adopted' ? null : profile.samplingInterval;
    const sites = await originalSites(profile.sites);
    return { ...profile, samplingInterval, since: new Date(profile.since).toISOString(), sites };
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
      nearHeapLimit: this.#nearHeapLimitStatus(),
      snapshots: this.#snapshots.status(),
      cost: inner ? { ...inner.cost, ...this.#profiler?.cost } : null,
    };
  }

  #nearHeapLimitStatus() {
    if (!this.#armed) return { on: false, reason: 'leakguard is not armed' };
    if (!this.#options.nearHeapLimit) return { on: false, reason: 'the option nearHeapLimit is false' };
    const { route, reason } = this.#routes.nearHeapLimit;
    return { on: route === 'native', reason };
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

module.exports = { Guard, version };
