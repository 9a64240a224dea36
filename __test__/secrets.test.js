'use strict';

// That a redacted snapshot of a server full of secrets tells none of them, however it is taken; and that another one does.

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, it } = require('node:test');
const leakguard = require('..');
const { readSnapshot } = require('./read-snapshot');
const { newSecret, spell, toldSecrets } = require('./secret');
const { startChild } = require('./start-child');
const { temporaryFolder } = require('./temporary-folder');

const forks = leakguard.status().routes.fork.route === 'native';
const ROUTES = forks ? ['native', 'fallback'] : ['fallback'];
leakguard.stop();

/** Secrets a place. */
const COUNT = 25;
/** Where secrets stand in the requests that are under way. */
const PLACES = ['path', 'query', 'name of a header', 'header', 'authorization', 'cookie', 'body'];

/**
 * @param {number} port
 * @param {string} path
 * @param {object} [options]
 * @returns {Promise<any>}
 */
async function ask(port, path, options = {}) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: JSON.stringify(options) });
  return response.json();
}

/**
 * Sends requests that are not answered, each with secrets of its own.
 *
 * @param {import('node:test').TestContext} t
 * @param {number} port
 * @returns {Record<string, string[]>} the secrets by place
 */
function sendRequests(t, port) {
  const agent = new http.Agent({ maxSockets: COUNT });
  t.after(() => agent.destroy());
  const places = PLACES.map((place) => [place, Array.from({ length: COUNT }, () => spell(newSecret()))]);
  for (let index = 0; index < COUNT; index++) {
    const [path, query, name, header, authorization, cookie, body] = places.map(([, secrets]) => secrets[index]);
    const request = http.request({
      method: 'PUT',
      port,
      host: '127.0.0.1',
      agent,
      path: `/users/${path}?token=${query}`,
      headers: { [`x-${name}`]: header, authorization: `Bearer ${authorization}`, cookie: `session=${cookie}` },
    });
    request.on('error', () => {}).end(`{"password":"${body}"}`);
  }
  return Object.fromEntries(places);
}

for (const route of ROUTES) {
  describe(`secrets: ${route}`, { skip: process.platform === 'win32' && 'Windows has no SIGUSR2' }, () => {
    it('stand in no redacted snapshot, by call or by signal, and in every other one', async (t) => {
      const snapshot = { redact: true, minInterval: 0, maxPause: '5 min' };
      const options = { dir: temporaryFolder(t), ...(route === 'fallback' && { v8: route }), snapshot };
      const child = startChild(t, 'secret-server.js', { given: { options } });
      const { port } = await child.event('ready');
      const requested = sendRequests(t, port);
      for (let held = 0; held < COUNT; held++) await child.event('held');

      const modes = route === 'native' ? ['fork', 'in-process'] : ['in-process'];
      /** @type {leakguard.SnapshotResult[]} */
      const results = [];
      const write = async (/** @type {object} */ wanted) => {
        results.push(await ask(port, '/snapshot', wanted));
        await child.event('snapshot');
      };
      const signal = async () => {
        child.kill('SIGUSR2');
        results.push((await child.event('snapshot')).message);
      };
      for (const mode of modes) {
        for (const compress of ['none', 'gzip']) await write({ mode, compress, redact: true });
      }
      await signal();
      await write({ redact: false, compress: 'gzip' });
      for (const mode of modes) await write({ mode, redact: false });
      await ask(port, '/start', { snapshot: { redact: false } });
      await signal();

      const { places } = await ask(port, '/secrets');
      Object.assign(places, requested);
      const all = Object.fromEntries(Object.keys(places).map((place) => [place, COUNT]));
      assert.ok(Object.values(places).flat().length >= 1_000);
      const redacted = results.filter((result) => result.redacted);
      assert.equal(redacted.length, modes.length * 2 + 1);
      assert.deepEqual(new Set(redacted.map(({ mode }) => mode)), new Set(modes));
      for (const { file, mode, redacted: isRedacted, nodes } of results) {
        assert.equal(readSnapshot(file).nodes, nodes);
        const told = toldSecrets(file, places);
        if (isRedacted) assert.deepEqual(told, {}, `${mode}: ${file}`);
        else assert.deepEqual(told, all, `${mode}: ${file}`);
      }
    });
  });
}
