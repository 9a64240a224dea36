'use strict';

// What is published, as a stranger gets it: packed, installed into a fresh Express project without install scripts and with no cargo
// on the PATH, and used from CommonJS, ESM and TypeScript.
//
// What is packed is what `npm run build` left (--ignore-scripts keeps `prepack` out): a release build in every run of the tests would
// take minutes and change nothing that is looked at here. That the published binary is the portable one is for `prepack` to see to.

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');

const root = path.join(__dirname, '..');
const { devDependencies } = require('../package.json');
const isWindows = process.platform === 'win32';

const pathWithoutCargo = (process.env.PATH ?? '')
  .split(path.delimiter)
  .filter((folder) => !fs.existsSync(path.join(folder, isWindows ? 'cargo.exe' : 'cargo')))
  .join(path.delimiter);

/**
 * Runs a command to its end and returns what it printed; throws when it fails or takes more than two minutes.
 *
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} args
 */
function run(cwd, command, args) {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, PATH: pathWithoutCargo },
      // npm is a script for the shell there.
      shell: isWindows && command === 'npm',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
  } catch (error) {
    // tsc and attw explain themselves on stdout, which the message lacks.
    const { message, stdout } = /** @type {Error & { stdout: string }} */ (error);
    throw new Error(`${message}\n${stdout}`, { cause: error });
  }
}

describe('the package', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leakguard-package-'));
  const consumer = path.join(folder, 'consumer');
  const installed = path.join(consumer, 'node_modules', 'leakguard');
  let tarball = '';

  /**
   * Writes a file of the consumer and runs it.
   *
   * @param {string} name
   * @param {string} source
   */
  function runInConsumer(name, source) {
    fs.writeFileSync(path.join(consumer, name), source);
    return run(consumer, process.execPath, [name]).trim();
  }

  before(() => {
    run(root, 'npm', ['pack', '--ignore-scripts', '--pack-destination', folder]);
    tarball = path.join(folder, fs.readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'none');

    fs.mkdirSync(consumer);
    fs.writeFileSync(path.join(consumer, 'package.json'), '{ "name": "consumer", "private": true }');
    const dependencies = [`express@${devDependencies.express}`, `@types/node@${devDependencies['@types/node']}`];
    const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    run(consumer, 'npm', ['install', ...options, tarball, ...dependencies]);
  });

  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('holds the product and its licences, and nothing else', () => {
    const entries = fs.readdirSync(installed, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath, path: parent }) => path.relative(installed, path.join(parentPath ?? parent, name)));

    const code = ['index.js', 'binding.js', path.join('bin', 'leakguard.js')];
    const types = ['index.d.ts', path.join('lib', 'analysis', 'types.d.ts')];
    const documents = ['README.md', 'CHANGELOG.md', 'LICENSE', 'THIRD-PARTY-LICENSES', 'docs/operators.md'];
    const isOther = /^(lib[\\/].+\.js|leakguard\.[\w-]+\.node)$/;
    assert.deepEqual(
      files.filter((file) => !isOther.test(file)).sort(),
      ['package.json', ...code, ...types, ...documents].sort(),
    );
    assert.equal(files.filter((file) => file.endsWith('.node')).length, 1);
  });

  it('depends on nothing and installs by itself', () => {
    const { dependencies, scripts } = JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8'));
    assert.equal(dependencies, undefined);
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) assert.equal(scripts[script], undefined);
  });

  it('brings its commands', () => {
    const command = path.join(installed, '..', '.bin', 'leakguard');
    const { version } = JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8'));
    assert.equal(execFileSync(command, ['--version'], { encoding: 'utf8' }).trim(), version);
    const { status, stderr } = spawnSync(command, ['analyze', __filename], { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.match(stderr, /expected `\{"snapshot":`/);
  });

  it('loads the binary it brought', { skip: process.env.LEAKGUARD_OPTIONS ? 'a route is forced' : false }, () => {
    const output = runInConsumer(
      'binary.js',
      `require('leakguard');
       process.report.excludeNetwork = true;
       console.log(process.report.getReport().sharedObjects.filter((file) => file.endsWith('.node')).join());`,
    );
    assert.equal(path.dirname(fs.realpathSync(output)), fs.realpathSync(installed));
  });

  it('serves CommonJS', () => {
    const output = runInConsumer(
      'commonjs.cjs',
      `const leakguard = require('leakguard');
       console.log(typeof leakguard.status(), leakguard.heapStatistics().spaces.length > 0);`,
    );
    assert.equal(output, 'object true');
  });

  it('serves ESM, by name and by default', () => {
    const output = runInConsumer(
      'esm.mjs',
      `import leakguard, { start, stop, status, heapStatistics, memory, history, writeHeapSnapshot, heapProfile } from 'leakguard';
       const named = { start, stop, status, heapStatistics, memory, history, writeHeapSnapshot, heapProfile };
       console.log(Object.entries(named).every(([name, value]) => typeof value === 'function' && leakguard[name] === value));`,
    );
    assert.equal(output, 'true');
  });

  it('guards an Express server, which ends when it has nothing left to do', () => {
    const output = runInConsumer(
      'server.js',
      `const leakguard = require('leakguard');
       const app = require('express')();
       app.get('/', (request, response) => response.json(leakguard.heapStatistics()));
       const server = app.listen(0, async () => {
         const response = await fetch('http://127.0.0.1:' + server.address().port);
         const { usedHeapSize } = await response.json();
         console.log(response.status, usedHeapSize > 0);
         server.close();
         server.closeAllConnections();
       });`,
    );
    assert.equal(output, '200 true');
  });

  it('is typed for TypeScript, in both module systems', () => {
    const use = `
      process.on('leak', (leak) => {
        const kind: 'heap' | 'external' | 'native' | 'contexts' = leak.kind;
        const limitInMs: number | null = leak.limitInMs;
        for (const { functionName, lineNumber } of leak.sites) console.log(kind, limitInMs, functionName.trim(), lineNumber.toFixed());
        for (const { path, retainedGrowth } of leak.retainers) console.log(path.trim(), retainedGrowth.toFixed());
        // @ts-expect-error: a leak has no such property
        leak.cause;
      });
      process.once('leakResolved', ({ id }) => console.log(id.trim()));
      // Whatever else is said of the process's events stays true.
      process.once('SIGHUP', (signal) => signal.trim()).on('custom', () => {}).off('exit', () => {}).removeListener('custom', () => {});

      leakguard.start({ dumpSignal: 'none', sample: { interval: '128 KiB' }, snapshot: { minInterval: '30s' } }).stop();
      start({ dir: '/tmp', v8: 'fallback' });
      // @ts-expect-error: there is no such option
      start({ dumpSignl: 'SIGUSR2' });
      // @ts-expect-error: there is no such route
      start({ v8: 'magic' });

      const largest: number = Math.max(...leakguard.heapStatistics().spaces.map(({ used }) => used));
      const limit: number | null = leakguard.memory({ detail: true }).cgroupLimit;
      const pauses: number[] = leakguard.history().map(({ pauseMs }) => pauseMs);
      const written: Promise<string> = leakguard.writeHeapSnapshot('a.heapsnapshot', { compress: 'gzip' }).then(({ file }) => file);
      const profile: Promise<Uint8Array> = leakguard.heapProfile({ format: 'pprof' });
      console.log(leakguard.status(), largest, limit, pauses, written, profile);
    `;
    const sources = {
      'use.mts': `import leakguard, { start } from 'leakguard';\n${use}`,
      'use.cts': `import leakguard = require('leakguard');\nconst { start } = leakguard;\n${use}`,
      'tsconfig.json': JSON.stringify({
        compilerOptions: { module: 'nodenext', target: 'es2023', strict: true, noEmit: true },
        files: ['use.mts', 'use.cts'],
      }),
    };
    for (const [name, source] of Object.entries(sources)) fs.writeFileSync(path.join(consumer, name), source);
    run(consumer, process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc')]);
  });

  it('resolves its types the way it resolves its code', () => {
    run(folder, process.execPath, [path.join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js'), tarball]);
  });
});
