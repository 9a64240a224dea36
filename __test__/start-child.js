'use strict';

// Child processes that run while the test looks at them and sends them signals. They tell what happens as lines of JSON on stdout
// (children/report.js).

const { spawn } = require('node:child_process');
const path = require('node:path');

/** What is awaited takes a second at most; on a machine that is very busy it may take longer. */
const PATIENCE_MS = 60_000;

/**
 * @typedef {object} Given
 * @property {Record<string, unknown>} [given] what the script is told
 * @property {string[]} [execArgv] Node's own options
 * @property {Record<string, string>} [env] beside that of this process
 * @property {string} [cwd]
 * @property {string[]} [through] a command that runs the rest of its arguments, such as `['sh', '-c', 'ulimit -n 9; exec "$@"', 'sh']`
 */

/** @typedef {{ event: string, [key: string]: any }} Event */

class Child {
  #process;
  /** @type {Event[]} */
  #unread = [];
  #stdout = '';
  stderr = '';
  /** @type {{ code: number | null, signal: NodeJS.Signals | null } | undefined} */
  #end;
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /**
   * @param {string} script in `children/`
   * @param {Given} given
   */
  constructor(script, { given = {}, execArgv = [], env = {}, cwd, through = [] }) {
    const [command, ...args] = [
      ...through,
      process.execPath,
      ...execArgv,
      path.join(__dirname, 'children', script),
      JSON.stringify(given),
    ];
    this.#process = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout.setEncoding('utf8').on('data', (text) => this.#onStdout(text));
    this.#process.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
      this.#look();
    });
    // Not 'exit': what it wrote last is to be read before.
    this.#process.on('close', (code, signal) => {
      this.#end = { code, signal };
      this.#look();
    });
  }

  get pid() {
    return /** @type {number} */ (this.#process.pid);
  }

  /** @param {NodeJS.Signals} [signal] */
  kill(signal) {
    return this.#process.kill(signal);
  }

  /**
   * The next event of this name; what came between is kept.
   *
   * @param {string} name
   * @returns {Promise<Event>}
   */
  event(name) {
    return this.until(`the event '${name}'`, () => {
      const index = this.#unread.findIndex(({ event }) => event === name);
      return index === -1 ? undefined : this.#unread.splice(index, 1)[0];
    });
  }

  /**
   * The events of this name that came and were not awaited.
   *
   * @param {string} name
   */
  unread(name) {
    return this.#unread.filter(({ event }) => event === name);
  }

  /**
   * Where a line on stderr matches.
   *
   * @param {RegExp} pattern
   * @returns {Promise<RegExpExecArray>}
   */
  line(pattern) {
    return this.until(`${pattern} on stderr`, () => pattern.exec(this.stderr) ?? undefined);
  }

  /** How it ended. */
  ended() {
    return this.until('its end', () => this.#end);
  }

  /**
   * Waits until `look` finds something. It looks again whenever the child says something, and from time to time.
   *
   * @template T
   * @param {string} what
   * @param {() => T | undefined} look
   * @returns {Promise<T>}
   */
  async until(what, look) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#end) throw new Error(`the child ended before ${what}: ${this.#record()}`);
      if (Date.now() > deadline) throw new Error(`${what} did not come: ${this.#record()}`);
      await new Promise((resolve) => {
        const timer = setTimeout(go, 100);
        const waiting = this.#waiting;
        waiting.add(go);
        function go() {
          clearTimeout(timer);
          waiting.delete(go);
          resolve(undefined);
        }
      });
    }
  }

  /** @param {string} text */
  #onStdout(text) {
    this.#stdout += text;
    const lines = this.#stdout.split('\n');
    this.#stdout = lines.pop() ?? '';
    this.#unread.push(...lines.map((line) => JSON.parse(line)));
    this.#look();
  }

  #look() {
    for (const go of [...this.#waiting]) go();
  }

  #record() {
    return JSON.stringify({ end: this.#end, events: this.#unread, stderr: this.stderr }, null, 2);
  }
}

/**
 * Starts a script of `children/`; it is ended with the test at the latest.
 *
 * @param {{ after: (end: () => Promise<unknown> | void) => void }} t the test's context
 * @param {string} script
 * @param {Given} [given]
 */
function startChild(t, script, given = {}) {
  const child = new Child(script, given);
  t.after(() => {
    child.kill('SIGKILL');
    return child.ended();
  });
  return child;
}

module.exports = { startChild };
