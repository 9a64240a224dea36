'use strict';

const http = require('node:http');
const { performance } = require('node:perf_hooks');

const TICK_MS = 10;

/**
 * Sends a request every 10 ms, whether the others have been answered or not, until `done` settles, and waits for all answers. A closed loop
 * would send few requests while the server stands still, and so hide that it does.
 *
 * @param {number} port
 * @param {Promise<unknown>} done
 * @returns {Promise<number[]>} how long each answer took, in ms, from when its request was due; at least so long where there was none
 */
async function latencies(port, done) {
  const agent = new http.Agent({ keepAlive: true });
  /** @type {Promise<number>[]} */
  const answers = [];
  let due = performance.now();
  const timer = setInterval(() => {
    for (; due <= performance.now(); due += TICK_MS) answers.push(answer(port, agent, due));
  }, 1);
  await done;
  clearInterval(timer);
  const took = await Promise.all(answers);
  agent.destroy();
  return took;
}

/**
 * @param {number} port
 * @param {http.Agent} agent
 * @param {number} due
 * @returns {Promise<number>}
 */
function answer(port, agent, due) {
  return new Promise((resolve) => {
    const took = () => resolve(performance.now() - due);
    const request = http.get({ host: '127.0.0.1', port, agent }, (response) => {
      response.resume().once('end', took);
    });
    // The kernel turns connections away that nobody accepts.
    request.once('error', took);
  });
}

module.exports = latencies;
