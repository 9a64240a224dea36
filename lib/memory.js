'use strict';

/** How long to wait for malloc's accounting, which another thread reads. */
const MALLOC_PATIENCE_MS = 50;

/**
 * The process's memory.
 *
 * @param {import('./addon').Addon | undefined} addon
 * @param {import('../binding').Watch | undefined} watch
 * @param {boolean} detail
 */
function readMemory(addon, watch, detail) {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  // Not before it is needed: it costs 4 ms to load.
  const { malloced_memory: malloced, heap_size_limit: heapSizeLimit } = require('node:v8').getHeapStatistics();
  const { limit, usage } = watch?.cgroup() ?? { limit: constrainedMemory(), usage: undefined };
  const memory = {
    ...{ rss, heapTotal, heapUsed, external, arrayBuffers, malloced, heapSizeLimit },
    ...{ cgroupLimit: limit ?? null, cgroupUsage: usage ?? null },
  };
  if (!detail) return memory;
  return { ...memory, pss: addon?.proportionalSetSize() ?? null, malloc: watch?.malloc(MALLOC_PATIENCE_MS) ?? null };
}

/** The limit of the control group as Node knows it, where the addon cannot say. */
function constrainedMemory() {
  const limit = process.constrainedMemory?.();
  // Node answers 0 or a huge number where there is no limit.
  return limit && limit < 2 ** 60 ? limit : undefined;
}

module.exports = { readMemory };
