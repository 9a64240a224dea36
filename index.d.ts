/// <reference types="node" />

/** Bytes as a number, or text such as `'64 KiB'` (1,024) or `'1.5 GB'` (10^9). */
export type Size = number | string;

/** Milliseconds as a number, or text such as `'30s'` or `'5 min'`. */
export type Duration = number | string;

/** Options of `start()`; also `LEAKGUARD_OPTIONS=dumpSignal=none,sample.interval=128KiB`. What code says wins. */
export interface Options {
  /** The signal that asks for a heap snapshot, or `'none'`. Default `'SIGUSR2'`. */
  dumpSignal?: NodeJS.Signals | 'none';
  /** The folder for files. Default: Node's `--diagnostic-dir`, else the working directory. */
  dir?: string;
  /** Whether to look for leaks, and what a suspicion may cost. Default true. */
  detect?: DetectOptions | boolean;
  /** How to sample allocations; `false` turns it off, and with it a leak's `sites`, and its evidence where no child can be forked. */
  sample?: SampleOptions | boolean;
  /** How snapshots are written. */
  snapshot?: SnapshotOptions;
  /**
   * Acts once when the heap comes near its limit: raises the limit by 32 MiB at most, writes a report
   * (`Heap.….leakguard.json`, which `leakguard analyze` reads) and has a forked child write a snapshot; then V8 goes on as it would
   * have. Default false.
   */
  nearHeapLimit?: boolean;
  /** `'fallback'` keeps leakguard from reaching into V8: it then uses `node:v8`, `node:inspector` and `perf_hooks`. Default `'native'`. */
  v8?: 'native' | 'fallback';
}

/** What the proof of a suspicion by snapshots of forked children may cost. `status().cost` tells what it has cost. */
export interface DetectOptions {
  /** The most snapshots in an hour; a proof takes two or three. 0: none, and then samples alone have to prove a leak. Default 24. */
  snapshotsPerHour?: number;
  /** The part of one core that the children may take, over time; 20 s of CPU are in advance. Default 0.02. */
  cpuShare?: number;
  /** The most memory that a child may use. Default 2 GiB. */
  maxMemory?: Size;
}

export interface SampleOptions {
  /** Mean number of bytes between two samples. Default 512 KiB. */
  interval?: Size;
  /** The most frames of a stack. Default 64. */
  stackDepth?: number;
}

export interface SnapshotOptions {
  /**
   * `'fork'`: a forked child takes the snapshot; this thread stops for milliseconds. `'in-process'`: this thread stops for 2 to 3 s
   * per million nodes. `'auto'` (default) forks where that is possible, and else takes it in-process if that stops the thread for
   * no longer than `maxPause` by estimate.
   */
  mode?: 'auto' | 'fork' | 'in-process';
  /** Leaves out what strings say, as `redact()` does. Default false. */
  redact?: boolean;
  /** Default `'none'`. */
  compress?: 'none' | 'gzip';
  /** Least time between two snapshots by signal. Default 1 s. */
  minInterval?: Duration;
  /** The longest time for which `'auto'` may stop this thread where no child can be forked. Default 1 s. */
  maxPause?: Duration;
  /** How many snapshots may be in the folder after one by signal: the oldest of leakguard's own are removed. Default 10. */
  maxFiles?: number;
  /** How much they may take together. Default 10 GiB. */
  maxBytes?: Size;
  /** Whether the snapshots that a leak's proof rests on become files, too: `leak.snapshots`. Default false. */
  keep?: boolean;
}

export interface WriteHeapSnapshotOptions extends SnapshotOptions {
  /** Gives it up; the promise is rejected with its reason, and nothing is left behind. */
  signal?: AbortSignal;
  /** Called as it goes on, and with `'done'` when the file is whole. */
  onProgress?: (progress: SnapshotProgress) => void;
}

/** How far a snapshot is. */
export interface SnapshotProgress {
  /** For its turn and for V8's workers; V8 collects garbage; V8 walks the heap; the file is written; it is made durable; it is whole. */
  phase: 'waiting' | 'collecting' | 'building' | 'writing' | 'syncing' | 'done';
  /** How much of the phase is done, 0..1, where that is known. */
  fraction: number | null;
  /** Bytes written. */
  bytes: number;
}

/** A snapshot that was written. */
export interface SnapshotResult {
  /** The file's path. It has this name only since it is whole. */
  file: string;
  /** Its size. */
  bytes: number;
  /** The number of nodes in it. */
  nodes: number;
  /** How it was taken. */
  mode: 'fork' | 'in-process';
  /** For how long this thread was blocked, in milliseconds. */
  pauseMs: number;
  /** How long it took in all, in milliseconds. */
  durationMs: number;
  /** Whether what strings say was left out. */
  redacted: boolean;
}

/** What the diagnostics channel `leakguard:snapshot` carries. */
export type SnapshotMessage = { threadId: number; trigger: 'signal' | 'call' | 'nearHeapLimit' } & (
  | (SnapshotResult & { error?: undefined })
  | { error: { code: string; message: string } }
);

/** What the diagnostics channel `leakguard:detector` carries: a channel of the detector has gone from one state to another. */
export interface DetectorMessage {
  threadId: number;
  kind: 'heap' | 'external' | 'native' | 'contexts';
  /** ISO date. */
  time: string;
  from: 'quiet' | 'suspect' | 'leaking';
  /** `missing`: what is missing to prove it, or what speaks against it. `id`: the leak's. */
  to: { state: 'quiet' } | { state: 'suspect'; since: number; missing: string } | { state: 'leaking'; id: string };
}

/**
 * A function on a stack; lines and columns count from 1 and say where the function begins: in the original source, such as a `.ts` file, where
 * the script has a source map (`--enable-source-maps`, or a `//# sourceMappingURL=` that is inline or names a file), else in the script.
 */
export interface StackFrame {
  /** V8's bare function name, or `'(anonymous)'`: the script's, also where there is a source map. */
  functionName: string;
  /** File path, `file://` URL or `node:` name; or what a bundler calls the source: `webpack://...`. */
  scriptName: string;
  lineNumber: number;
  columnNumber: number;
}

/** A function that allocates what leaks. Bytes are estimates from samples: the relative error is about 1 / sqrt(samples). */
export interface LeakSite extends StackFrame {
  /** What it allocated that is alive. */
  liveBytes: number;
  /** What of it was born during the growth. */
  growthBytes: number;
  /** The number of samples behind `growthBytes`. */
  samples: number;
  /** The heaviest stack, innermost frame first. */
  stack: StackFrame[];
}

/** What holds on to the growth: a collection, the listeners of an event, timers, promises, a chain. */
export interface LeakRetainer {
  /** The path to it in words, from the module, function or root that it hangs on: `module /app/server.js › maps :Map`. */
  path: string;
  /** The class of most of its newest members. */
  className: string;
  /** How many members it had in the last snapshot. */
  count: number;
  /** How many of them have come since the first. */
  countGrowth: number;
  /** Bytes that its members keep more than in the first. */
  retainedGrowth: number;
  /** How they came and went: `5,644 → 16,449 entries, 26,997 more a minute, 591 B each; none of the first 5,644 was removed`. */
  reason: string;
}

/** A leak. Plain data, safe for JSON. */
export interface Leak {
  /** Unique in the process; `leakResolved` brings the same one. */
  id: string;
  /** JavaScript objects; memory of Buffers and ArrayBuffers; malloc's memory beyond that; contexts (`vm.createContext()`). */
  kind: 'heap' | 'external' | 'native' | 'contexts';
  /** Node's id of the thread that leaks; 0 is the main thread. */
  threadId: number;
  /** When the growth began, and the latest reading; ISO dates. */
  start: string;
  end: string;
  /** Bytes from `start` to `end`; for `contexts`, their number. */
  growth: number;
  /** Sentences: how it grew, what keeps it, who allocates it. */
  reason: string;
  /** At the present rate; for `contexts`, their number an hour. */
  bytesPerHour: number;
  /** 0..1 */
  confidence: number;
  /** When the heap's or the container's limit is reached at this rate, in milliseconds; null where there is none. */
  limitInMs: number | null;
  /**
   * What the verdict rests on. `trend`: readings after major GCs; `cohort`: objects sampled early in the growth are still alive;
   * `snapshot`: snapshots show what keeps the growth and does not let go. The kind `heap` always has more than the trend.
   */
  evidence: Array<'trend' | 'cohort' | 'snapshot'>;
  /** Who allocates it, biggest growth first; empty for kinds other than `heap`. */
  sites: LeakSite[];
  /** Who holds on to it, the likeliest first; empty where no snapshots could be taken, or these do not show it. */
  retainers: LeakRetainer[];
  /** The files of the snapshots that it rests on, with `snapshot.keep`. */
  snapshots: string[];
}

/** A space of V8's heap; bytes. */
export interface HeapSpace {
  name: string;
  size: number;
  used: number;
  available: number;
  physical: number;
}

/** `v8.getHeapStatistics()` in camelCase; bytes, unless the name says otherwise. */
export interface HeapStatistics {
  totalHeapSize: number;
  totalHeapSizeExecutable: number;
  totalPhysicalSize: number;
  totalAvailableSize: number;
  usedHeapSize: number;
  heapSizeLimit: number;
  mallocedMemory: number;
  peakMallocedMemory: number;
  doesZapGarbage: number;
  numberOfNativeContexts: number;
  numberOfDetachedContexts: number;
  totalGlobalHandlesSize: number;
  usedGlobalHandlesSize: number;
  externalMemory: number;
  /** Node 26 and later. */
  totalAllocatedBytes?: number;
  spaces: HeapSpace[];
}

/** Bytes. */
export interface Memory {
  /** Resident set size (`process.memoryUsage()`, as are the next four). */
  rss: number;
  heapTotal: number;
  heapUsed: number;
  external: number;
  arrayBuffers: number;
  /** V8's own malloc use. */
  malloced: number;
  heapSizeLimit: number;
  /** The memory limit of the control group (container), or null where there is none. */
  cgroupLimit: number | null;
  /** What the control group uses, page cache included, or null where there is none. */
  cgroupUsage: number | null;
}

export interface DetailedMemory extends Memory {
  /** Proportional set size: private memory and a share of what is shared; null where the system does not say. */
  pss: number | null;
  /** glibc's accounting (`mallinfo2`); null in Workers, and where it is not to be had within 50 ms. */
  malloc: { inUse: number; free: number; mapped: number } | null;
}

/** A garbage collection. Times in milliseconds, sizes in bytes as they were when it ended. */
export interface GcEvent {
  /** When it ended, since the Unix epoch. */
  time: number;
  kind: 'scavenge' | 'minor-mark-sweep' | 'mark-compact' | 'incremental' | 'weak-callbacks';
  used: number;
  oldSpace: number;
  external: number;
  /** V8's own malloc use. */
  malloced: number;
  /** Native contexts alive. */
  contexts: number;
  /** The heap limit. */
  limit: number;
  /** How long JavaScript was stopped. */
  pauseMs: number;
}

/** A function and what it allocated that is alive; estimates, as in `LeakSite`. */
export interface AllocationSite extends StackFrame {
  liveBytes: number;
  liveObjects: number;
  samples: number;
  stack: StackFrame[];
}

/** Live bytes by allocation site, with source maps as in `StackFrame`. Objects that died since the last GC are still counted: leakguard never forces one. */
export interface HeapProfile {
  /** ISO date. */
  since: string;
  /** Mean bytes between two samples; null where someone else's profiler is read. */
  samplingInterval: number | null;
  liveBytes: number;
  /** Biggest first. */
  sites: AllocationSite[];
}

/** DevTools' `SamplingHeapProfile`: as JSON, a `.heapprofile` file. */
export interface DevToolsHeapProfile {
  head: object;
  samples: Array<{ size: number; nodeId: number; ordinal: number }>;
}

export interface Route {
  route: 'native' | 'fallback' | 'none';
  /** Why it is not native. */
  reason: string | null;
}

/** What is armed, by which route, and what it has cost. */
export interface Status {
  version: string;
  armed: boolean;
  threadId: number;
  addon: { loaded: boolean; reason: string | null };
  routes: Record<
    'statistics' | 'gcEvents' | 'memoryPressure' | 'sampling' | 'snapshot' | 'interrupt' | 'fork' | 'nearHeapLimit',
    Route
  >;
  /** The options in force. */
  options: object;
  signal: { name: string; handled: boolean; reason: string | null };
  sampling: {
    /** `adopted`: someone else's profiler runs, and leakguard reads along. */
    state: 'owned' | 'adopted' | 'off';
    reason: string | null;
    /** Mean bytes between two samples at the moment: denser than at rest when work begins and while the heap rises; null where it is not ours. */
    interval?: number | null;
    /** Live samples known to the detector. */
    samples?: number;
    /** How often someone else stopped the profiler and the samples were lost. */
    lost?: number;
  };
  detector: {
    on: boolean;
    reason: string | null;
    channels: Record<
      string,
      { state: 'quiet' | 'suspect' | 'leaking' | 'off'; since?: number; missing?: string; id?: string; reason?: string }
    >;
  };
  nearHeapLimit: { on: boolean; reason: string | null };
  snapshots: {
    written: number;
    failed: number;
    last: SnapshotMessage | null;
    lastError: SnapshotMessage | null;
    /** How often none was written, by the error's code; the latest time (ISO date) and reason. */
    refusals: Record<string, { count: number; time: string; reason: string }>;
  };
  /** Measured by leakguard itself, in milliseconds; null without the addon. */
  cost: {
    gcs: number;
    gcCallbacksMs: number;
    ticks: number;
    /** The look at the readings once a second, profiles included. */
    ticksMs: number;
    profiles: number;
    profilesMs: number;
    /** Major GCs that V8 was asked to start while something was suspected; their cost is an estimate. */
    helpedMajorGcs: number;
    helpedMajorGcsMs: number;
    /** Snapshots that the detector has had taken; for how long they stopped this thread, and what their children took of the CPU. */
    snapshots: number;
    snapshotsFailed: number;
    snapshotsPauseMs: number;
    snapshotsCpuMs: number;
    /** What those take of the memory that wait to be compared, packed. */
    snapshotsKeptBytes: number;
  } | null;
}

/** `err.code` is stable: `ERR_LEAKGUARD_...`. */
export interface LeakguardError extends Error {
  code: string;
}

/**
 * Merges options into those in force, and arms leakguard if it is not armed.
 * @throws {TypeError | RangeError} naming a wrong option; `code` is `ERR_LEAKGUARD_OPTION`
 */
export function start(options?: Options): typeof import('leakguard');

/** Takes everything back, at once: GC callbacks, the profiler, the signal handler, timers; aborts captures. May be called again. */
export function stop(): void;

/** What is armed, by which route and why, and what it has cost. */
export function status(): Status;

/** `v8.getHeapStatistics()` in camelCase, and the heap's spaces. */
export function heapStatistics(): HeapStatistics;

/** The process's memory; with `detail` also what costs milliseconds to find out. */
export function memory(options?: { detail?: false }): Memory;
export function memory(options: { detail: boolean }): DetailedMemory;

/** The latest major GCs of this thread's heap, oldest first, at most 512. */
export function history(): GcEvent[];

/**
 * Writes a heap snapshot of this thread's heap.
 * @param file relative to the option `dir`; default: `Heap.YYYYMMDD.HHMMSS.PID.TID.SEQ.leakguard.heapsnapshot`
 * @throws {LeakguardError} `ERR_LEAKGUARD_DIR`, `_WRITE`, `_EXISTS`, `_BUSY`, `_NO_ROOM`, `_FORK`, `_WOULD_BLOCK`, `_UNAVAILABLE`
 */
export function writeHeapSnapshot(file?: string, options?: WriteHeapSnapshotOptions): Promise<SnapshotResult>;

/**
 * The live bytes by allocation site.
 * @throws {LeakguardError} `ERR_LEAKGUARD_NOT_ARMED`, `ERR_LEAKGUARD_UNAVAILABLE`
 */
export function heapProfile(options?: { format?: 'object' }): Promise<HeapProfile>;
/** Gzipped `profile.proto`: a `.pb.gz` file for `go tool pprof`, Pyroscope, Parca. Places are those in the scripts, as in `'heapprofile'`. */
export function heapProfile(options: { format: 'pprof' }): Promise<Buffer>;
export function heapProfile(options: { format: 'heapprofile' }): Promise<DevToolsHeapProfile>;

export * from './lib/analysis/types';

declare global {
  namespace NodeJS {
    interface Process {
      /** Something leaks. */
      on(event: 'leak' | 'leakResolved', listener: (leak: Leak) => void): this;
      once(event: 'leak' | 'leakResolved', listener: (leak: Leak) => void): this;
      addListener(event: 'leak' | 'leakResolved', listener: (leak: Leak) => void): this;
    }
  }
}
