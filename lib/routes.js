'use strict';

/** @typedef {import('./addon').Addon} Addon */
/** @typedef {'statistics' | 'gcEvents' | 'memoryPressure' | 'sampling' | 'snapshot' | 'interrupt' | 'fork' | 'nearHeapLimit'} Feature */
/** @typedef {{ route: 'native' | 'fallback' | 'none', reason: string | null }} Route */

/** What stands in where a feature is not native. @type {Record<Feature, 'fallback' | 'none'>} */
const STAND_IN = {
  statistics: 'fallback',
  gcEvents: 'fallback',
  memoryPressure: 'none',
  sampling: 'fallback',
  snapshot: 'fallback',
  interrupt: 'none',
  fork: 'none',
  nearHeapLimit: 'none',
};

/**
 * Decides for each of V8's features whether it is used natively.
 *
 * @param {Addon | undefined} addon
 * @param {string | null} missing why there is no addon
 * @param {'native' | 'fallback'} asked
 * @returns {Record<Feature, Route>}
 */
function chooseRoutes(addon, missing, asked) {
  const refusals = addon && asked === 'native' ? refusalsOf(addon) : undefined;
  const all = asked === 'fallback' ? 'the option v8 is fallback' : missing;
  return /** @type {Record<Feature, Route>} */ (
    Object.fromEntries(
      Object.entries(STAND_IN).map(([name, standIn]) => {
        const reason = refusals ? (refusals.get(name) ?? restriction(name)) : all;
        return [name, { route: reason === null ? 'native' : standIn, reason }];
      }),
    )
  );
}

/** How often what the addon reads may disagree with what Node says. */
const PROBES = 5;
/** What writes files. */
const WRITES = new Set(['snapshot', 'interrupt', 'fork', 'nearHeapLimit']);

/**
 * Under Node's permission model what writes files has to go through Node, which asks for --allow-fs-write.
 *
 * @param {string} feature
 */
function restriction(feature) {
  return WRITES.has(feature) && process.permission ? "Node's permission model is on" : null;
}

/**
 * @param {Addon} addon
 * @returns {Map<string, string | null>}
 */
function refusalsOf(addon) {
  for (let attempt = 1; ; attempt++) {
    const { heapTotal, heapUsed, external } = process.memoryUsage();
    const features = addon.probe({ heapTotal, heapUsed, external });
    const disagrees = features.some(({ refusal }) => refusal?.startsWith('self-check failed'));
    // Where V8 frees Buffers between the two readings, they differ without being wrong.
    if (disagrees && attempt < PROBES) continue;
    return new Map(features.map((feature) => [feature.name, feature.refusal ?? null]));
  }
}

/** @param {Record<Feature, Route>} routes */
function nativeFeatures(routes) {
  return Object.entries(routes).flatMap(([name, { route }]) => (route === 'native' ? [name] : []));
}

module.exports = { chooseRoutes, nativeFeatures };
