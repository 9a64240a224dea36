'use strict';

// Every error that leakguard throws carries a stable `code`.

class LeakguardError extends Error {
  /**
   * @param {string} code `ERR_LEAKGUARD_...`
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = 'LeakguardError';
    this.code = code;
  }
}

/**
 * A wrong option: a TypeError for a wrong type or name, a RangeError for a wrong value.
 *
 * @param {typeof TypeError | typeof RangeError} Class
 * @param {string} message
 */
function optionError(Class, message) {
  return Object.assign(new Class(message), { code: 'ERR_LEAKGUARD_OPTION' });
}

/**
 * What the addon answers as JSON, or the error in it.
 *
 * @param {string} json
 * @returns {any}
 */
function unwrap(json) {
  const answer = JSON.parse(json);
  if (answer.error) throw new LeakguardError(answer.error.code, answer.error.message);
  return answer;
}

module.exports = { LeakguardError, optionError, unwrap };
