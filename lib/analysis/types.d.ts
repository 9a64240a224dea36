// What analyze, diff, query and redact are asked and answer.

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

/** What was known when a heap came near its limit: a file `Heap.….leakguard.json`. Sizes in bytes. */
export interface HeapLimitReport {
  /** The version of leakguard that wrote it. */
  leakguard: string;
  /** The version of this shape. */
  version: 1;
  /** ISO date. */
  time: string;
  pid: number;
  threadId: number;
  /** What V8 lets the old generation have; what it was in the beginning; by how much it was raised. */
  limit: number;
  initialLimit: number;
  raisedBy: number;
  used: number;
  external: number;
  /** Native contexts alive, and those of them that are detached. */
  contexts: [number, number];
  /** The container's limit and usage. */
  container: [number, number] | null;
  /** The latest major GCs, oldest first. */
  history: { time: number; used: number; external: number; pauseMs: number }[];
  /** Who allocated what is alive, most first. */
  sites: import('../../index').LeakSite[];
  /** The snapshot beside it, if it is there. */
  snapshot: string | null;
}

/** Reads what was written when a heap came near its limit. */
export function analyze(file: `${string}.leakguard.json`, options?: AnalyzeOptions): Promise<HeapLimitReport>;
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
   * it is below the capacity that it names itself. `expiring`: by the times to live that it or its members name, nothing had to go yet.
   * `healthy`: members come and go.
   */
  verdict: 'confirmed' | 'probable' | 'filling' | 'expiring' | 'healthy';
  /** By snapshot, how many members it has. */
  populations: number[];
  /** By snapshot, the bytes that they keep. */
  bytes: number[];
  /** Bytes that they keep more in the last snapshot than in the first. */
  growth: number;
  /** Members gained per unit of work. */
  rate: number;
  /** How many of the first snapshot's members are gone in the last one, by those that can be told apart; null where too few can. */
  removed: number | null;
  /** What it says itself it may hold; only snapshots with numeric values tell. */
  capacity: number | null;
  /** For how many seconds from the last snapshot on the members that the first one saw may stay, by what they or it say; null where nothing does. */
  dueIn: number | null;
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
