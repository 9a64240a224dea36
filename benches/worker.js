'use strict';

const { LiveSubject } = require('./subject');

/** A subject that works as much as it is told to: one for `interleave`. */
class Worker {
  #process;
  #amounts;

  /**
   * @param {string} name
   * @param {string[]} execArgv
   * @param {{ warmUp: number, block: number }} amounts
   */
  constructor(name, execArgv, amounts) {
    this.#process = new LiveSubject(name, execArgv);
    this.#amounts = amounts;
  }

  open() {
    return this.#process.ask(this.#amounts.warmUp);
  }

  work() {
    return this.#process.ask(this.#amounts.block);
  }

  usage() {
    return this.#process.ask(0);
  }

  close() {
    return this.#process.close();
  }
}

module.exports = Worker;
