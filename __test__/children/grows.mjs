// Leaks in four places of an ES module between three snapshots, which it writes to the files that it is given.

import { writeHeapSnapshot } from 'node:v8';

export const shared = new Map();
const own = new Map();

class Registry {
  static seen = new Set();
  #entries = new Map();

  /** @param {number} number */
  add(number) {
    this.#entries.set(`entry-${number}`, new Array(30).fill(number));
  }
}

const registry = new Registry();

/** @param {number} number */
export function serve(number) {
  shared.set(`shared-${number}`, new Array(30).fill(number));
  own.set(`own-${number}`, new Array(30).fill(number));
  Registry.seen.add({ id: `seen-${number}`, rows: new Array(30).fill(number) });
  registry.add(number);
}

let number = 0;
for (const file of process.argv.slice(2)) {
  for (const end = number + 1_000; number < end; ) serve(number++);
  writeHeapSnapshot(file);
}
