'use strict';

// Chrome DevTools' heap snapshot worker, from the npm package `chrome-devtools-frontend`, as a module that Node can load. Nothing of it
// is kept in the repository: it is bundled into build/ whenever it is needed, which takes a third of a second.

const path = require('node:path');
const { pathToFileURL } = require('node:url');
const esbuild = require('esbuild');
const { root } = require('../run-child');

const PACKAGE = path.dirname(require.resolve('chrome-devtools-frontend/package.json'));
const WORKER = path.join(PACKAGE, 'front_end', 'entrypoints', 'heap_snapshot_worker');
const BUNDLE = path.join(root, 'build', 'devtools', 'heap-snapshot-worker.mjs');

/** What is used of DevTools. */
const ENTRY = `
export { HeapSnapshotLoader } from './HeapSnapshotLoader.ts';
export { SecondaryInitManager } from './HeapSnapshot.ts';
`;

/** DevTools' build makes this file; the package lacks it. The worker translates nothing. */
const LOCALES = `
export const LOCALES = ['en-US'];
export const BUNDLED_LOCALES = LOCALES;
export const DEFAULT_LOCALE = 'en-US';
export const REMOTE_FETCH_PATTERN = '';
export const LOCAL_FETCH_PATTERN = '';
`;

/** Node 20 has no `Promise.withResolvers`. */
const WITH_RESOLVERS = `
function promiseWithResolvers() {
  let resolve, reject;
  const promise = new Promise((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
}
`;

/** @type {esbuild.Plugin} */
const locales = {
  name: 'locales',
  setup(build) {
    build.onResolve({ filter: /^\.\/locales\.js$/ }, () => ({ path: 'locales.js', namespace: 'generated' }));
    build.onLoad({ filter: /^/, namespace: 'generated' }, () => ({ contents: LOCALES }));
  },
};

/**
 * DevTools' classes.
 *
 * @returns {Promise<any>}
 */
async function loadDevTools() {
  await esbuild.build({
    stdin: { contents: ENTRY, resolveDir: WORKER },
    outfile: BUNDLE,
    bundle: true,
    // It awaits at the top level.
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // The package refers to a configuration that it does not contain.
    tsconfigRaw: {},
    plugins: [locales],
    banner: { js: WITH_RESOLVERS },
    define: { 'Promise.withResolvers': 'promiseWithResolvers' },
    logLevel: 'error',
  });
  return import(pathToFileURL(BUNDLE).href);
}

module.exports = { loadDevTools };
