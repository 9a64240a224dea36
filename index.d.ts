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
  /** Whether to look for leaks. Default true. */
  detect?: boolean;
  /** How to sample allocations; `false` turns it off, and with it the evidence that a heap leak needs. */
  sample?: SampleOptions | boolean;
  /** How snapshots are written. */
  snapshot?: SnapshotOptions;
  /** Not available in this version. */
  nearHeapLimit?: false;
  /** `'fallback'` keeps leakguard from reaching into V8: it then uses `node:v8`, `node:inspector` and `perf_hooks`. Default `'native'`. */
  v8?: 'native' | 'fallback';
}

export interface SampleOptions {
  /** Mean number of bytes between two samples. Default 512 KiB. */
  interval?: Size;
  /** The most frames of a stack. Default 64. */
  stackDepth?: number;
}

export interface SnapshotOptions {
  /** `'auto'` takes the best way there is; in this version that is `'in-process'`, which stops JavaScript for 2 to 4 s per million objects. */
  mode?: 'auto' | 'in-process';
  /** Not available in this version. */
  redact?: false;
  /** Default `'none'`. */
  compress?: 'none' | 'gzip';
  /** Least time between two snapshots by signal. Default 1 s. */
  minInterval?: Duration;
}

export interface WriteHeapSnapshotOptions extends SnapshotOptions {
  /** Takes the request back while it has not begun. */
  signal?: AbortSignal;
  /** Called when writing begins and when the file is whole. */
  onProgress?: (progress: { phase: 'snapshot' | 'done'; bytes: number }) => void;
}

/** A snapshot that was written. */
export interface SnapshotResult {
  /** The file's path. It has this name only since it is whole. */
  file: string;
  /** Its size. */
  bytes: number;
  /** The number of nodes in it. */
  nodes: number;
  mode: 'in-process';
  /** For how long this thread was blocked, in milliseconds. */
  pauseMs: number;
  /** How long it took in all, in milliseconds. */
  durationMs: number;
  redacted: boolean;
}

/** What the diagnostics channel `leakguard:snapshot` carries. */
export type SnapshotMessage = { threadId: number; trigger: 'signal' | 'call' } & (
  | (SnapshotResult & { error?: undefined })
  | { error: { code: string; message: string } }
);

/** A function on a stack; lines and columns count from 1 and say where the function begins. */
export interface StackFrame {
  /** V8's bare function name, or `'(anonymous)'`. */
  functionName: string;
  /** File path, `file://` URL or `node:` name. */
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

/** What holds on to the growth. */
export interface LeakRetainer {
  /** The path from the GC root in words: ``module /app/server.js › maps :Map › "req-17" › Session``. */
  path: string;
  className: string;
  count: number;
  countGrowth: number;
  retainedGrowth: number;
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
  /** A sentence. */
  reason: string;
  /** At the present rate; for `contexts`, their number an hour. */
  bytesPerHour: number;
  /** 0..1 */
  confidence: number;
  /** When the heap's or the container's limit is reached at this rate, in milliseconds; null where there is none. */
  limitInMs: number | null;
  /** What the verdict rests on. The kind `heap` always has more than the trend. */
  evidence: Array<'trend' | 'cohort' | 'snapshot'>;
  /** Who allocates it, biggest growth first; empty for kinds other than `heap`. */
  sites: LeakSite[];
  /** Who holds on to it; empty in this version. */
  retainers: LeakRetainer[];
  /** Snapshot files kept on the way. */
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

/** Live bytes by allocation site. Objects that died since the last GC are still counted: leakguard never forces one. */
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
  routes: Record<'statistics' | 'gcEvents' | 'memoryPressure' | 'sampling' | 'snapshot' | 'interrupt', Route>;
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
  snapshots: {
    written: number;
    failed: number;
    last: SnapshotMessage | null;
    lastError: SnapshotMessage | null;
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
 * @throws {LeakguardError} `ERR_LEAKGUARD_DIR`, `_WRITE`, `_EXISTS`, `_BUSY`, `_UNAVAILABLE`
 */
export function writeHeapSnapshot(file?: string, options?: WriteHeapSnapshotOptions): Promise<SnapshotResult>;

/**
 * The live bytes by allocation site.
 * @throws {LeakguardError} `ERR_LEAKGUARD_NOT_ARMED`, `ERR_LEAKGUARD_UNAVAILABLE`
 */
export function heapProfile(options?: { format?: 'object' }): Promise<HeapProfile>;
/** Gzipped `profile.proto`: a `.pb.gz` file for `go tool pprof`, Pyroscope, Parca. */
export function heapProfile(options: { format: 'pprof' }): Promise<Buffer>;
export function heapProfile(options: { format: 'heapprofile' }): Promise<DevToolsHeapProfile>;

export interface AnalyzeOptions {
  /** The most rows of each kind. Default: 20. */
  rows?: number;
  /** Make do with what is there of a file that was cut off. Default: false. */
  partial?: boolean;
  /** Called now and then with the part that is done, 0..1. */
  progress?: (fraction: number) => void;
  /** Ends the analysis before it is done. */
  signal?: AbortSignal;
}

/** A place in a script; lines and columns are counted from 1. */
export interface Place {
  /** Its path or URL; empty where V8 does not say. */
  scriptName: string;
  lineNumber: number;
  columnNumber: number;
}

/** Nodes of one class together; sizes in bytes. */
export interface ClassTotal {
  name: string;
  count: number;
  /** Their own sizes, with those of the parts that only they need. */
  shallowSize: number;
  /** What would be free without all of them. */
  retainedSize: number;
}

/** What is in a heap snapshot; sizes in bytes, the same as in Chrome DevTools. Each list has the largest first. */
export interface Analysis {
  /** The version of this shape. */
  version: 1;
  nodes: number;
  edges: number;
  totalSize: number;
  /** Of that, what is outside of the heap and belongs to no node. */
  extraNativeBytes: number;
  /** In the middle of what the file ends; absent if it is whole. */
  cutOffWithin?: string;
  /** By V8's types of nodes; `size` is their own sizes. */
  types: { type: string; count: number; size: number }[];
  classes: ClassTotal[];
  /** The single things that retain most. */
  retainers: { id: number; class: string; path: string; shallowSize: number; retainedSize: number }[];
  /** The collections that retain most. Entries that are small integers leave no trace in a snapshot and do not count. */
  collections: {
    id: number;
    /** `Object` is used as a dictionary; `Listeners` are of an EventEmitter for one event, `Timers` those with the same callback. */
    kind: 'Map' | 'Set' | 'Array' | 'Object' | 'Listeners' | 'Timers';
    path: string;
    entries: number;
    retainedSize: number;
    /** How many more there are at the same place of things alike, such as in other entries of the same Map. */
    alike: number;
  }[];
  /**
   * The functions whose closures retain most, and those whose scopes do: the variables that closures written in them share. A scope that only
   * one closure keeps is a part of that. Functions of Node and V8 are left out.
   */
  closures: {
    /** Of the one that retains most. */
    id: number;
    kind: 'closure' | 'scope';
    /** V8's bare name, or `(anonymous)`. */
    functionName: string;
    location: Place | null;
    /** The way to the one that retains most. */
    path: string;
    count: number;
    /** What would be free without all of them. */
    retainedSize: number;
  }[];
  /** Texts that stand in the heap several times. */
  duplicateStrings: { text: string; count: number; size: number }[];
  /** Things outside of the heap whose owner has let go of them, by class. */
  detached: ClassTotal[];
  /** What probably leaks, the likeliest first. */
  suspects: { id: number; path: string; retainedSize: number; reason: string }[];
}

/**
 * Says what is in a heap snapshot of any process, off the main thread. Reads `.heapsnapshot` files of Node 18 to 26, also packed with
 * gzip or zstd.
 * @throws {LeakguardError} `ERR_LEAKGUARD_FILE`, `_NOT_A_SNAPSHOT`, `_NO_ROOM`, `_UNAVAILABLE`; an `AbortError`
 */
export function analyze(file: string, options?: AnalyzeOptions): Promise<Analysis>;

export interface DiffOptions {
  /** The most classes. Default: 20. */
  rows?: number;
  /**
   * How much work was done until each of the snapshots (requests, jobs), rising. Default: the times of the snapshots, by their names
   * or else by the files' times of modification.
   */
  work?: number[];
  /** Called now and then with the part that is done, 0..1. */
  progress?: (fraction: number) => void;
  /** Ends the comparison before it is done. */
  signal?: AbortSignal;
}

/** Something that has grown from snapshot to snapshot. */
export interface GrowingContainer {
  /** V8's id of it in the last snapshot. */
  id: number;
  /** The way to it in words; `*` stands for any entry. */
  path: string;
  kind:
    | 'Map'
    | 'Set'
    | 'Array'
    /** An object used as a dictionary. */
    | 'Object'
    /** The listeners of an event. */
    | 'listeners'
    | 'timers'
    /** Things each of which keeps the one before. */
    | 'chain'
    /** Promises that nobody settles, with those who wait. */
    | 'promises'
    /** Things that hang in one place without a collection. */
    | 'things';
  /** The class of most of its newest members. */
  className: string;
  /** A function that each member holds or runs, with its place. */
  function: string | null;
  /**
   * `confirmed`: what was there stays. `probable`: it grows with the work, and its members cannot be told from each other. `filling`:
   * it is below the capacity that it names itself. `healthy`: members come and go.
   */
  verdict: 'confirmed' | 'probable' | 'filling' | 'healthy';
  /** By snapshot, how many members it has. */
  populations: number[];
  /** By snapshot, the bytes that they keep. */
  bytes: number[];
  /** Bytes that they keep more in the last snapshot than in the first. */
  growth: number;
  /** Members gained per unit of work. */
  rate: number;
  /** How many of the first snapshot's members are gone in the last one, of at most 40,000 looked at; null where they cannot be told apart. */
  removed: number | null;
  /** What it says itself it may hold; only snapshots with numeric values tell. */
  capacity: number | null;
  /** All this in a sentence. */
  reason: string;
}

/** The things of a class, by snapshot. */
export interface ClassGrowth {
  name: string;
  counts: number[];
  /** Their own sizes together, in bytes. */
  shallowSizes: number[];
}

/** What has grown between snapshots of one process. Lists by snapshot begin with the oldest. */
export interface Difference {
  /** The version of this shape. */
  version: 1;
  /** What `work` and rates are measured in; 'snapshots' if nothing is known of the work. */
  unit: 'work' | 'seconds' | 'snapshots';
  snapshots: { nodes: number; edges: number; totalSize: number; work: number }[];
  /** Whether a thing has the same id in all of them; forked children number afresh. */
  idsMatch: boolean;
  /** What keeps the growth and does not let go (confirmed or probable), the likeliest first. */
  suspects: GrowingContainer[];
  /** What has grown, too, but is no suspect. */
  others: GrowingContainer[];
  /** Classes that have grown by 4 KiB or more, the largest growth first. */
  classes: ClassGrowth[];
  /** What V8 has come to know of the program: code, shapes, feedback. */
  noise: ClassGrowth[];
}

/**
 * Says what has grown between two or three snapshots of one process, the oldest first, and which containers keep it. Goes by where things
 * hang and by what is in them, and by ids only where these match.
 * @throws {LeakguardError} `ERR_LEAKGUARD_FILE`, `_NOT_A_SNAPSHOT`, `_NO_ROOM`, `_UNAVAILABLE`; an `AbortError`
 */
export function diff(files: string[], options?: DiffOptions): Promise<Difference>;

/** A question about single things in a snapshot. Sizes are bytes, or text such as `'64 KiB'`. */
export type Query =
  /** The classes with `name` in their name; without it, all. */
  | { what: 'classes'; name?: string; minCount?: number; minSize?: number | string }
  /**
   * The objects of the class of that whole name. `minCount` is of their entries, or of their elements and properties; `minSize` of what
   * they retain; `property` is the name of one that they have, and `value` its text, its class, or a word such as `null`.
   */
  | {
      what: 'objects';
      class: string;
      minCount?: number;
      minSize?: number | string;
      property?: string;
      value?: string;
    }
  /** One object, and what it refers to. Ids are V8's. */
  | { what: 'object'; id: number }
  /** What refers to an object. */
  | { what: 'retainers'; id: number }
  /** The ways from the root that keep an object. */
  | { what: 'paths'; id: number }
  /** What only an object keeps: what would be free without it. */
  | { what: 'dominates'; id: number }
  /** The global variables that the program has added; with `all`, also those that every program has. */
  | { what: 'globals'; all?: boolean };

export interface QueryOptions {
  /** The most rows. Default: 20, and 5 paths. */
  rows?: number;
  /** So many rows are left out before. Default: 0. */
  skip?: number;
  /** Make do with what is there of a file that was cut off. Default: false. */
  partial?: boolean;
  /** Called now and then with the part that is done, 0..1. */
  progress?: (fraction: number) => void;
  /** Ends the work before it is done. */
  signal?: AbortSignal;
}

/** One node of a snapshot; sizes in bytes. */
export interface Thing {
  /** V8's, the same in all snapshots of one process. */
  id: number;
  /** V8's type of the node, such as `object`, `closure`, `string`. */
  type: string;
  class: string;
  /**
   * A line such as `Session {user: "alice", notes: Array}`. What is a small integer leaves no trace in a snapshot and is missing in it.
   */
  preview: string;
  shallowSize: number;
  retainedSize: number;
  /** Steps from a root that users see, such as a global object; null if such does not lead to it. */
  distance: number | null;
}

/** A reference; `type` is V8's, `name` that of the property or the variable, or the index of the element. */
export interface Reference {
  type: string;
  name: string;
  to: Thing;
}

/** What all answers have. */
export interface Answer<What extends Query['what']> {
  /** The version of this shape. */
  version: 1;
  what: What;
  /** How many rows there are in all. */
  total: number;
  /** In the middle of what the file ends; absent if it is whole. */
  cutOffWithin?: string;
}

/** By question, what the answer is. */
export interface Answers {
  /** That of exactly the name first, then what retains most. `location` is the constructor's: two classes may have one name. */
  classes: Answer<'classes'> & { classes: (ClassTotal & { location: Place | null })[] };
  /** What retains most first. `shallowSize` is that of all `total`; `similar` are classes to try where there is none of the name. */
  objects: Answer<'objects'> & { class: string; shallowSize: number; objects: Thing[]; similar: string[] };
  object: Answer<'object'> & {
    object: Thing;
    /** V8's size of it alone, without the parts that only it needs. */
    selfSize: number;
    /** Whether it is something outside of the heap that its owner has let go of. */
    isDetached: boolean;
    /** Where the function, or the object's constructor, is written. */
    location: Place | null;
    /** The way to it, in words. */
    path: string;
    /** The nearest thing without which it would be free; null if that is the root. */
    dominator: Thing | null;
    /** Properties and variables first, then elements, then V8's own. */
    references: Reference[];
  };
  /** What is nearest to a root first, and what is weak, that is, keeps nothing alive by itself, last. */
  retainers: Answer<'retainers'> & {
    object: Thing;
    /** `partOf`: whose part `from` is, if that is an array of V8's own, such as the Map of a table. */
    retainers: { type: string; name: string; isWeak: boolean; from: Thing; partOf: Thing | null }[];
  };
  /** What a developer would think of first. Each way has a reference that none before it has; `steps` go from the root to the object. */
  paths: Answer<'paths'> & { object: Thing; paths: { words: string; steps: Reference[] }[] };
  /** `immediate` are the next in the dominator tree, what retains most first; `classes` add up all that is below, the largest first. */
  dominates: Answer<'dominates'> & {
    object: Thing;
    immediate: Thing[];
    classes: { name: string; count: number; shallowSize: number }[];
  };
  /** What the program added first, and of that what retains most; `standard` is how many every program has. */
  globals: Answer<'globals'> & {
    standard: number;
    globals: {
      name: string;
      /** `lexical`: a `let`, `const` or `class` at the top of a script that is no module. */
      kind: 'property' | 'lexical';
      isStandard: boolean;
      /** The id of the global object or the scope that has it; there are several where the program uses `vm`. */
      of: number;
      value: Thing;
    }[];
  };
}

/**
 * Answers a question about single things in a heap snapshot, off the main thread. Reads what `analyze` reads.
 * @throws {LeakguardError} `ERR_LEAKGUARD_NOT_FOUND` (no object has the id), `_FILE`, `_NOT_A_SNAPSHOT`, `_NO_ROOM`, `_UNAVAILABLE`; an
 * `AbortError`
 */
export function query<Q extends Query>(file: string, query: Q, options?: QueryOptions): Promise<Answers[Q['what']]>;

export interface RedactOptions {
  /** Where to write; an existing file is never overwritten. Default: the file's name with `.redacted.heapsnapshot` at its end. */
  output?: string;
  /**
   * Replace the keys of objects that are used as dictionaries (plain ones with 24 properties or more) whatever they are; with `false`, those that
   * code uses as names, too, stay. Default: true.
   */
  keys?: boolean;
  /** How to pack the copy. Default: `'none'`. */
  compress?: 'none' | 'gzip';
  /** Called now and then with the part that is done, 0..1. */
  progress?: (fraction: number) => void;
  /** Ends the work before it is done; then there is no copy. */
  signal?: AbortSignal;
}

/** A copy of a snapshot that does not say what the strings say. */
export interface Redaction {
  /** Its path, or null for standard output. */
  file: string | null;
  /** Its size. */
  bytes: number;
  nodes: number;
  edges: number;
  /** How many different texts there were. */
  strings: number;
  /** How many were replaced; one that was a value and a name may count twice. */
  replaced: number;
}

/**
 * Copies a heap snapshot of any process without what its strings say, in one pass, off the main thread. Nodes, edges, sizes and ids are the same;
 * names of classes, functions, variables and properties stay where they stand in code, as do the paths of scripts. Each text that goes is replaced
 * by letters and digits, as many as it had characters, and equal texts by equal ones, which come from a random salt that is forgotten. V8 does
 * not tell keys that are whole numbers (`{ 1001: ... }`) from the places in an array: they stay.
 * @throws {LeakguardError} `ERR_LEAKGUARD_FILE`, `_NOT_A_SNAPSHOT`, `_NO_ROOM`, `_DIR`, `_EXISTS`, `_WRITE`, `_UNAVAILABLE`; an `AbortError`
 */
export function redact(file: string, options?: RedactOptions): Promise<Redaction>;

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
