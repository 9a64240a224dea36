'use strict';

const http = require('node:http');
const { performance } = require('node:perf_hooks');

const TICK_MS = 10;

/**
 * Paced load over kept-alive connections: `perSecond` requests, the routes in turn, never more than `connections` of
 * them under way. A server that falls behind gets fewer requests, not a queue of them.
 */
class Load {
  answered = 0;
  failed = 0;

  #options;
  #agent;
  #timer;
  #due = 0;
  #sent = 0;
  #underWay = 0;
  #lastTick = performance.now();
  #slowest = 0;

  /** @param {{ port: number, routes: string[], perSecond: number, connections: number }} options */
  constructor(options) {
    this.#options = options;
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: options.connections });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** @returns {number} how long the slowest request took that has ended since the last call, answered or not, in ms */
  takeSlowest() {
    const slowest = this.#slowest;
    this.#slowest = 0;
    return slowest;
  }

  stop() {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }

  #tick() {
    const { perSecond, connections } = this.#options;
    const now = performance.now();
    this.#due = Math.min(connections, this.#due + (perSecond * (now - this.#lastTick)) / 1000);
    this.#lastTick = now;
    for (; this.#due >= 1 && this.#underWay < connections; this.#due--) this.#send();
  }

  #send() {
    const { port, routes } = this.#options;
    const path = routes[this.#sent++ % routes.length];
    const start = performance.now();
    this.#underWay++;
    http
      .get({ host: '127.0.0.1', port, path, agent: this.#agent })
      .on('response', (response) => {
        const ok = response.statusCode === 200;
        response.resume().on('end', () => this.#answer(ok));
      })
      .on('error', () => {
        this.failed++;
      })
      .on('close', () => {
        this.#underWay--;
        this.#slowest = Math.max(this.#slowest, performance.now() - start);
      });
  }

  /** @param {boolean} ok */
  #answer(ok) {
    if (ok) this.answered++;
    else this.failed++;
  }
}

module.exports = Load;
