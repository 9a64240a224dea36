'use strict';

const { PerformanceObserver, constants, performance } = require('node:perf_hooks');
const v8 = require('node:v8');

/** @typedef {import('../../binding').NativeGcEvent} GcEvent */

/** @type {Record<number, string>} */
const KINDS = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'scavenge',
  2: 'minor-mark-sweep', // V8's own bit; perf_hooks has no name for it
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'mark-compact',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak-callbacks',
};

/**
 * Reports garbage collections a moment after they ended, when the event loop turns: the readings include what was allocated
 * since.
 *
 * @param {(event: GcEvent) => void} record
 * @returns {() => void} takes the observer back
 */
function observeGc(record) {
  const observer = new PerformanceObserver((list) => {
    const heap = v8.getHeapStatistics();
    const oldSpace = v8.getHeapSpaceStatistics().find((space) => space.space_name === 'old_space');
    for (const entry of list.getEntries()) {
      const { kind } = /** @type {{ kind: number }} */ (/** @type {any} */ (entry).detail);
      record({
        time: performance.timeOrigin + entry.startTime + entry.duration,
        kind: KINDS[kind] ?? 'incremental',
        used: heap.used_heap_size,
        oldSpace: oldSpace?.space_used_size ?? 0,
        external: heap.external_memory,
        malloced: heap.malloced_memory,
        contexts: heap.number_of_native_contexts,
        limit: heap.heap_size_limit,
        pauseMs: entry.duration,
      });
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}

module.exports = { observeGc };
