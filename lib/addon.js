'use strict';

// The native addon, or the reason why there is none. Loading it never throws.

/** @typedef {typeof import('../binding')} Addon */

/** @returns {{ addon: Addon | undefined, reason: string | null }} */
function loadAddon() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return {
      addon: undefined,
      reason: `there is no binary for ${process.platform}-${process.arch}, only for linux-x64 (glibc)`,
    };
  }
  try {
    return { addon: require('../binding'), reason: null };
  } catch (error) {
    return { addon: undefined, reason: reasonOf(error) };
  }
}

/**
 * The generated loader looks in several places and chains what it met there as causes, without their codes. What tells is the one
 * that is not about a missing file.
 *
 * @param {any} error
 */
function reasonOf(error) {
  const messages = [];
  for (let cause = error; cause; cause = cause.cause) messages.push(String(cause.message ?? cause));
  const telling = messages.find((message) => !/^Cannot find (native binding|module) ?/.test(message));
  if (telling === undefined) return 'the binary is missing; in a checkout, `npm run build` makes it';
  if (/loading addons is disabled/.test(telling))
    return 'Node was started without addons (--no-addons, or --permission without --allow-addons)';
  return `the binary cannot be loaded: ${telling}`;
}

module.exports = { loadAddon };
