'use strict';

const SWEEP_MS = 500;

/** Sessions with an expiry each; what has expired is swept away, oldest first. */
class SessionStore {
  /** @type {Map<string, { expires: Date, data: object }>} */
  #sessions = new Map();
  #ttlMs;

  /** @param {{ ttlMs: number }} options */
  constructor({ ttlMs }) {
    this.#ttlMs = ttlMs;
    setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /**
   * @param {string} id
   * @param {object} data
   */
  save(id, data) {
    // Deleted first, so that the oldest comes first.
    this.#sessions.delete(id);
    this.#sessions.set(id, { expires: new Date(Date.now() + this.#ttlMs), data });
  }

  #sweep() {
    const now = Date.now();
    for (const [id, { expires }] of this.#sessions) {
      if (expires.getTime() > now) return;
      this.#sessions.delete(id);
    }
  }
}

module.exports = { SessionStore };
