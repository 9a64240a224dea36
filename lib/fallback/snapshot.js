'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { pipeline } = require('node:stream/promises');
const v8 = require('node:v8');
const zlib = require('node:zlib');
const { LeakguardError } = require('../errors');

/** @typedef {{ file: string, bytes: number, nodes: number, pauseMs: number, durationMs: number }} Written */

/**
 * Writes a snapshot with `node:v8`: to a temporary name in the same folder, synced, then under its final name.
 *
 * @param {string} file absolute
 * @param {boolean} gzip
 * @returns {Promise<Written>}
 */
async function writeSnapshot(file, gzip) {
  const temporary = path.join(
    path.dirname(file),
    `.leakguard-${process.pid}-${Math.random().toString(36).slice(2)}.tmp`,
  );
  const packed = gzip ? `${temporary}.gz` : temporary;
  const started = performance.now();
  try {
    if (fs.existsSync(file)) throw existsError(file);
    v8.writeHeapSnapshot(temporary);
    const pauseMs = performance.now() - started;
    const nodes = await countNodes(temporary);
    if (gzip)
      await pipeline(
        fs.createReadStream(temporary),
        zlib.createGzip({ level: 1 }),
        fs.createWriteStream(packed, { mode: 0o600 }),
      );
    await publish(packed, file);
    const { size } = await fs.promises.stat(file);
    return { file, bytes: size, nodes, pauseMs, durationMs: performance.now() - started };
  } catch (error) {
    if (error instanceof LeakguardError) throw error;
    const code = fs.existsSync(path.dirname(file)) ? 'ERR_LEAKGUARD_WRITE' : 'ERR_LEAKGUARD_DIR';
    throw new LeakguardError(
      code,
      `cannot write the snapshot to ${file}: ${/** @type {Error} */ (error).message}; make the folder writable or set another \`dir\``,
    );
  } finally {
    fs.rmSync(temporary, { force: true });
    fs.rmSync(packed, { force: true });
  }
}

/**
 * The number of nodes, which stands at the beginning of the file. Throws if its end is missing: `node:v8` does not always say so
 * when the disk is full.
 *
 * @param {string} file
 */
async function countNodes(file) {
  const handle = await fs.promises.open(file);
  try {
    const { size } = await handle.stat();
    const end = await handle.read({ buffer: Buffer.alloc(1), position: Math.max(size - 1, 0) });
    if (end.buffer.toString('latin1', 0, end.bytesRead) !== '}')
      throw new Error('the file is not whole; is the disk full?');
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(4096), position: 0 });
    return Number(/"node_count":(\d+)/.exec(buffer.toString('latin1', 0, bytesRead))?.[1] ?? 0);
  } finally {
    await handle.close();
  }
}

/**
 * Gives a whole file its final name, never over another file.
 *
 * @param {string} temporary
 * @param {string} file
 */
async function publish(temporary, file) {
  const handle = await fs.promises.open(temporary, 'r+');
  try {
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await fs.promises.link(temporary, file);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') throw existsError(file);
    throw error;
  }
}

/** @param {string} file */
function existsError(file) {
  return new LeakguardError(
    'ERR_LEAKGUARD_EXISTS',
    `${file} exists already and is not overwritten; choose another name`,
  );
}

let sequence = 0;

/**
 * A file name in the same form as the addon's.
 *
 * @param {number} threadId
 * @param {boolean} gzip
 */
function nextFileName(threadId, gzip) {
  const now = new Date();
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const number = String(++sequence).padStart(3, '0');
  return `Heap.${date}.${time}.${process.pid}.${threadId}.${number}.leakguard.heapsnapshot${gzip ? '.gz' : ''}`;
}

module.exports = { nextFileName, writeSnapshot };
