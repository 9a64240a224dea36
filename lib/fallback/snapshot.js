'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { pipeline } = require('node:stream/promises');
const { getSystemErrorMap } = require('node:util');
const v8 = require('node:v8');
const zlib = require('node:zlib');
const { redactFile } = require('../analysis/redact');
const { LeakguardError, unwrap } = require('../errors');

/** @typedef {import('../../index').SnapshotResult} Written */

/** @typedef {import('../addon').Addon} Addon */
/** @typedef {import('../snapshots').Wanted & { file: string }} Wanted */

// What src/capture/room.rs has measured: bytes of the heap that make a node, bytes in large object spaces that make a slot of a large
// collection, and what each costs.
const HEAP_PER_NODE = 35;
const LARGE_PER_NAME = 16;
const PAUSE_PER_NODE_MS = 0.0025;
const PAUSE_PER_NAME_MS = 0.003;

/** The snapshot of this thread that is being written, if any. @type {Promise<unknown>} */
let latest = Promise.resolve();

/**
 * Refuses what has to be forked, what would stop the thread for longer than is allowed, and what has no room.
 *
 * @param {Wanted} wanted
 * @param {Addon | undefined} addon without it nobody knows what room there is
 */
function check({ mode, maxPause, file, gzip }, addon) {
  const reason = 'that takes the native route, and status().routes.fork says why it is not taken';
  if (mode === 'fork') throw new LeakguardError('ERR_LEAKGUARD_FORK', `no child can be forked: ${reason}`);
  let [small, large] = [0, 0];
  for (const { space_name: name, space_used_size: used } of v8.getHeapSpaceStatistics()) {
    if (name.includes('large_object')) large += used;
    else small += used;
  }
  const nodes = small / HEAP_PER_NODE;
  const names = Math.min(nodes, large / LARGE_PER_NAME);
  const pause = nodes * PAUSE_PER_NODE_MS + names * PAUSE_PER_NAME_MS;
  if (mode === 'auto' && pause > maxPause) {
    const seconds = (/** @type {number} */ ms) => `${(ms / 1000).toFixed(1)} s`;
    throw new LeakguardError(
      'ERR_LEAKGUARD_WOULD_BLOCK',
      `a snapshot in-process would stop this thread for about ${seconds(pause)}, more than \`snapshot.maxPause\` (${seconds(maxPause)}), ` +
        `and none can be forked: ${reason}; raise \`snapshot.maxPause\`, or set the mode 'in-process' if the thread may stop`,
    );
  }
  const refused = addon?.roomRefusal(path.dirname(file), small, large, gzip);
  if (refused) unwrap(refused);
}

/**
 * Writes a snapshot with `node:v8`: to a temporary name in the same folder, synced, then under its final name. One at a time.
 *
 * @param {Wanted} wanted
 * @param {Addon | undefined} addon
 * @param {AbortSignal} stopped keeps it from getting its final name
 * @returns {Promise<Written>}
 */
function writeSnapshot(wanted, addon, stopped) {
  const written = latest.then(() => write(wanted, addon, stopped));
  latest = written.catch(() => {});
  return written;
}

/**
 * @param {Wanted} wanted
 * @param {Addon | undefined} addon
 * @param {AbortSignal} stopped
 * @returns {Promise<Written>}
 */
async function write(wanted, addon, stopped) {
  const { file, gzip, redact, limits } = wanted;
  const temporary = path.join(
    path.dirname(file),
    `.leakguard-${process.pid}-${Math.random().toString(36).slice(2)}.tmp`,
  );
  const packed = gzip || redact ? `${temporary}.packed` : temporary;
  const started = performance.now();
  stopped.throwIfAborted();
  if (redact && process.permission) {
    // What the addon writes, Node's permission model does not see.
    throw new LeakguardError('ERR_LEAKGUARD_UNAVAILABLE', "snapshots are not redacted under Node's permission model");
  }
  if (isThere(file)) throw existsError(file);
  check(wanted, addon);
  createFile(temporary);
  try {
    v8.writeHeapSnapshot(temporary);
    const pauseMs = performance.now() - started;
    const nodes = await countNodes(temporary);
    if (redact) await redactFile(temporary, packed, { compress: gzip ? 'gzip' : 'none', signal: stopped });
    else if (gzip) {
      createFile(packed);
      const output = fs.createWriteStream(packed, { flags: 'r+' });
      await pipeline(fs.createReadStream(temporary), zlib.createGzip({ level: 1 }), output);
    }
    const { size } = await fs.promises.stat(packed);
    if (limits && size > limits.maxBytes) throw overLimitError(size, limits.maxBytes);
    if (limits) addon?.rotate(path.dirname(file), limits.maxFiles, limits.maxBytes, size);
    await publish(packed, file, stopped);
    const durationMs = performance.now() - started;
    return { file, bytes: size, nodes, mode: 'in-process', pauseMs, durationMs, redacted: redact };
  } catch (error) {
    if (error instanceof LeakguardError || stopped.aborted) throw error;
    throw new LeakguardError(
      'ERR_LEAKGUARD_WRITE',
      `cannot write the snapshot to ${file}: ${/** @type {Error} */ (error).message}; the partial file was removed`,
    );
  } finally {
    for (const left of [temporary, packed]) {
      try {
        fs.rmSync(left, { force: true });
      } catch {
        // Where nothing may be written nothing was left, and the first error is the one that tells.
      }
    }
  }
}

/**
 * A file for its owner only, and nobody else's. Before V8 does anything, so that a folder that takes no files is known as such. Its mode is
 * changed only where the umask has left less: under --permission it could not be.
 *
 * @param {string} file
 */
function createFile(file) {
  try {
    const created = fs.openSync(file, 'wx', 0o600);
    try {
      if ((fs.fstatSync(created).mode & 0o777) !== 0o600) fs.fchmodSync(created, 0o600);
    } finally {
      fs.closeSync(created);
    }
  } catch (error) {
    const { errno, message } = /** @type {NodeJS.ErrnoException} */ (error);
    // Node's words have the temporary name in them; the user asked for another one.
    const reason = getSystemErrorMap().get(errno ?? 0)?.[1] ?? message;
    throw new LeakguardError(
      'ERR_LEAKGUARD_DIR',
      `cannot write into ${path.dirname(file)}: ${reason}; make the folder writable or set another \`dir\``,
    );
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
 * @param {AbortSignal} stopped
 */
async function publish(temporary, file, stopped) {
  const handle = await fs.promises.open(temporary, 'r+');
  try {
    await handle.sync();
  } catch (error) {
    // Node 26 lets nothing be synced under --permission.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_ACCESS_DENIED') throw error;
  } finally {
    await handle.close();
  }
  stopped.throwIfAborted();
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

/**
 * Also where it is a symbolic link that leads nowhere.
 *
 * @param {string} file
 */
function isThere(file) {
  try {
    fs.lstatSync(file);
    return true;
  } catch {
    // Whether a file can be made there is told when it is made.
    return false;
  }
}

/**
 * @param {number} bytes
 * @param {number} maxBytes
 */
function overLimitError(bytes, maxBytes) {
  return new LeakguardError(
    'ERR_LEAKGUARD_NO_ROOM',
    `the snapshot has ${bytes} bytes, more than \`snapshot.maxBytes\` (${maxBytes}) lets all of them have; raise it, or compress`,
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
