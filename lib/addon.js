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
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ERR_DLOPEN_DISABLED')
      return {
        addon: undefined,
        reason: 'Node was started without addons (--no-addons, or --permission without --allow-addons)',
      };
    if (code === 'MODULE_NOT_FOUND')
      return { addon: undefined, reason: 'the binary is missing; in a checkout, `npm run build` makes it' };
    return { addon: undefined, reason: `the binary cannot be loaded: ${message}` };
  }
}

module.exports = { loadAddon };
