'use strict';

// The source map of a script: Node's where it has one, else the one that the script's own file names.

const fs = require('node:fs/promises');
const { findSourceMap } = require('node:module');
const path = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');
const { urlOf } = require('./sources');

/** What is larger is not read: the text of a map is in memory for a moment. */
const MAX_SCRIPT_BYTES = 20 * 1024 * 1024;
const MAX_MAP_BYTES = 50 * 1024 * 1024;
const MARK = '//# sourceMappingURL=';

/** As it stands in the file. @typedef {{ sources?: Array<string | null>, sourceRoot?: string, mappings?: string, sections?: any[] }} RawMap */

/**
 * @param {string} scriptName
 * @returns {Promise<{ map: RawMap, base: URL } | undefined>} `base` is what its sources are relative to
 */
async function readSourceMap(scriptName) {
  const script = fileOf(scriptName);
  if (script === undefined) return undefined;
  const base = pathToFileURL(script);
  // First of all: with a loader that compiles in memory (tsx, ts-node) the file is not what runs. It costs what the first stack of an
  // error from there costs, or nothing if there was one.
  const known = findSourceMap(scriptName)?.payload;
  if (known) return { map: known, base };
  const text = await readBounded(script, MAX_SCRIPT_BYTES);
  const reference = text && referenceIn(text);
  if (!reference) return undefined;
  const inline = /^data:application\/json[^,]*;base64,/.exec(reference);
  if (inline) return { map: parse(Buffer.from(reference.slice(inline[0].length), 'base64')), base };
  const url = urlOf(reference, base);
  if (url.protocol !== 'file:') return undefined;
  const map = await readBounded(fileURLToPath(url), MAX_MAP_BYTES);
  return map && { map: parse(map), base: url };
}

/**
 * The path of a script's file; undefined if its name (`node:fs`, `evalmachine.<anonymous>`) is none.
 *
 * @param {string} scriptName
 */
function fileOf(scriptName) {
  if (scriptName.startsWith('file://')) return fileURLToPath(scriptName);
  return path.isAbsolute(scriptName) ? scriptName : undefined;
}

/**
 * @param {string} file
 * @param {number} limit
 */
async function readBounded(file, limit) {
  const stats = await fs.stat(file);
  return stats.isFile() && stats.size <= limit ? fs.readFile(file) : undefined;
}

/**
 * What the last `//# sourceMappingURL=` says. An earlier one belongs to a script that was bundled into this one; one in quotes is text.
 *
 * @param {Buffer} script
 */
function referenceIn(script) {
  const at = script.lastIndexOf(MARK);
  if (at === -1) return undefined;
  const end = script.indexOf('\n', at);
  const reference = script.toString('utf8', at + MARK.length, end === -1 ? undefined : end).trim();
  return /[\s'"`]/.test(reference) ? undefined : reference;
}

/** @param {Buffer} text */
function parse(text) {
  return JSON.parse(text.toString());
}

module.exports = { readSourceMap };
