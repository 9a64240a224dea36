'use strict';

// Runs JavaScript in a process of its own: what ends, kills or warns a process must not do so to the test runner.

const { execFile } = require('node:child_process');
const path = require('node:path');

const root = path.join(__dirname, '..');
/** Far more than any child needs: whoever takes as long hangs. */
const PATIENCE_MS = 120_000;

/**
 * @typedef {object} Surroundings
 * @property {string} [options] LEAKGUARD_OPTIONS, to which the route that is under test is added
 * @property {string[]} [flags] Node's own
 * @property {string} [cwd] the package's folder, so that it finds itself by its name, unless said otherwise
 * @property {Record<string, string | undefined>} [env] added to ours; undefined takes away
 * @property {number} [patience] in ms
 */

/**
 * Runs Node with these arguments, to the end.
 *
 * @param {string[]} args
 * @param {Surroundings} [surroundings]
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>}
 */
function runNode(args, { options = '', flags = [], cwd = root, env = {}, patience = PATIENCE_MS } = {}) {
  const route = (process.env.LEAKGUARD_OPTIONS ?? '').split(',').filter((part) => part.startsWith('v8='));
  const settings = {
    cwd,
    env: { ...process.env, LEAKGUARD_OPTIONS: [...route, options].filter((part) => part !== '').join(','), ...env },
    timeout: patience,
    killSignal: /** @type {const} */ ('SIGKILL'),
    maxBuffer: 64 * 1024 * 1024,
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...flags, ...args], settings, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}

/**
 * Runs a function in a process of its own and returns what it returned there, as JSON carries it; throws if the process does not end
 * by itself with code 0. The function sees nothing of what stands around it here: it takes `args`, and requires the rest.
 *
 * @param {(...args: any[]) => any} body
 * @param {Surroundings & { args?: unknown[] }} [surroundings]
 * @returns {Promise<any>}
 */
async function runChild(body, { args = [], ...surroundings } = {}) {
  const script = `(async () => {
    const value = await (${body})(...${JSON.stringify(args)});
    require('node:fs').writeSync(1, JSON.stringify(value) ?? '');
  })();`;
  const { code, signal, stdout, stderr } = await runNode(['-e', script], surroundings);
  if (code !== 0) throw new Error(`the child ended with ${signal ?? code}:\n${stderr}`);
  return stdout === '' ? undefined : JSON.parse(stdout);
}

module.exports = { root, runChild, runNode };
