'use strict';

// The parts of a source map and the names of its sources: a plain map is one part, an index map has several.

const { fileURLToPath } = require('node:url');

/** @typedef {import('./file').RawMap} RawMap */
/** @typedef {import('./mappings').Position} Position */

/** @typedef {{ mappings: string, start: Position, firstSource: number }} Part */

/**
 * @param {RawMap} map
 * @returns {{ parts: Part[], sources: Array<{ name: string | null, root: string }> }}
 */
function partsOf(map) {
  const sections = map.sections ?? [{ offset: { line: 0, column: 0 }, map }];
  /** @type {Part[]} */
  const parts = [];
  /** @type {Array<{ name: string | null, root: string }>} */
  const sources = [];
  for (const { offset, map: section } of sections) {
    parts.push({ mappings: section.mappings, start: offset, firstSource: sources.length });
    for (const name of section.sources) sources.push({ name, root: section.sourceRoot ?? '' });
  }
  return { parts, sources };
}

/**
 * The name to tell: a path for a script that is named by its path, a URL for one that is named by a URL.
 *
 * @param {{ name: string | null, root: string }} source
 * @param {URL} base
 * @param {boolean} asUrl
 */
function sourceName({ name, root }, base, asUrl) {
  if (name === null) return undefined;
  const whole = root === '' || isUrl(name) || name.startsWith('/') ? name : `${root.replace(/\/$/, '')}/${name}`;
  // webpack:///./src/server.ts: what such names are relative to, the bundler alone knows.
  if (isUrl(whole) && !whole.startsWith('file:')) return whole;
  const url = urlOf(whole, base);
  return asUrl ? url.href : fileURLToPath(url);
}

/**
 * A name in a source map as a URL. esbuild encodes what is special in a URL, tsc leaves `#` as it is; fragments mean nothing here.
 *
 * @param {string} name
 * @param {URL} base
 */
function urlOf(name, base) {
  return new URL(name.replaceAll('#', '%23'), base);
}

/**
 * One letter and a colon are a drive.
 *
 * @param {string} name
 */
function isUrl(name) {
  return /^[a-z][a-z0-9+.-]+:/i.test(name);
}

module.exports = { partsOf, sourceName, urlOf };
