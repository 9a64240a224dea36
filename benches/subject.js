'use strict';

// Running the scripts in subjects/.

const { fork, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { performance } = require('node:perf_hooks');

/** Preloading this arms leakguard with its defaults. */
const LEAKGUARD = require.resolve('leakguard');

/** @param {string} name */
function subjectPath(name) {
  return path.join(__dirname, 'subjects', `${name}.js`);
}

/**
 * The environment without what would arm, or otherwise change, every subject.
 *
 * @param {string} [options] LEAKGUARD_OPTIONS
 * @returns {NodeJS.ProcessEnv}
 */
function environment(options) {
  return { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '', LEAKGUARD_OPTIONS: options ?? '' };
}

/**
 * Runs a subject to its end.
 *
 * @param {string} name
 * @param {string[]} [execArgv]
 * @returns {{ answer: any, wall: number }} the JSON that it wrote, and the wall time in ms
 */
function runSubject(name, execArgv = []) {
  const start = performance.now();
  const { error, status, signal, stdout, stderr } = spawnSync(process.execPath, [...execArgv, subjectPath(name)], {
    encoding: 'utf8',
    env: environment(),
  });
  const wall = performance.now() - start;
  if (error) throw error;
  if (status !== 0) throw new Error(`subjects/${name}.js ended with ${signal ?? `code ${status}`}:\n${stderr}`);
  return { answer: JSON.parse(stdout), wall };
}

/** A subject that lives until it is closed and answers each message with one. */
class LiveSubject {
  #name;
  #child;
  #ended;

  /**
   * @param {string} name
   * @param {string[]} execArgv
   * @param {string} [options] LEAKGUARD_OPTIONS
   * @param {string[]} [args] its own
   */
  constructor(name, execArgv, options, args) {
    this.#name = name;
    this.#child = fork(subjectPath(name), args, { execArgv, env: environment(options) });
    this.#ended = once(this.#child, 'exit');
  }

  /** @param {number | [string, any]} request as the subject wants it; see subjects/serve.js, subjects/heap.js */
  ask(request) {
    this.#child.send(request);
    return this.answer();
  }

  /** @returns {Promise<any>} its next message */
  async answer() {
    const ended = this.#ended.then(([code, signal]) => {
      throw new Error(`subjects/${this.#name}.js ended with ${signal ?? `code ${code}`}`);
    });
    const [message] = await Promise.race([once(this.#child, 'message'), ended]);
    return message;
  }

  async close() {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }
}

module.exports = { LEAKGUARD, LiveSubject, runSubject, subjectPath };
