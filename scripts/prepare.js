'use strict';

// Brings a checkout to where everything runs: packages installed, addon built. A step whose result is there is skipped, so every
// command can begin with this one. It runs before any package exists and therefore needs nothing but Node.
//
//   node scripts/prepare.js              install and build, each if need be
//   node scripts/prepare.js --build      build in any case
//   node scripts/prepare.js --portable   build the binary to publish: linked against glibc 2.17, whatever this machine has

const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

process.chdir(path.join(__dirname, '..'));

// Run by `npm pack`, we would hand its options on to every npm below us: `npm ci` would install nothing, and the cross toolchain, which
// comes by `npm pack`, would land elsewhere.
for (const option of ['dry_run', 'json', 'pack_destination']) delete process.env[`npm_config_${option}`];

/** The digest of the sources that binding.js and the binary were built from. */
const STAMP = 'build/addon.sha256';

function main() {
  const [mode] = process.argv.slice(2);
  if (!isInstalled()) install();
  if (mode !== undefined || !isBuilt()) build(mode === '--portable');
}

/** Whether node_modules holds what package-lock.json asks for, by npm's own record of what it put there. */
function isInstalled() {
  if (!fs.existsSync('node_modules/.package-lock.json')) return false;
  const wanted = JSON.parse(fs.readFileSync('package-lock.json', 'utf8')).packages;
  const present = JSON.parse(fs.readFileSync('node_modules/.package-lock.json', 'utf8')).packages;
  return Object.keys(wanted).every(
    // '' is the project itself; an optional package may belong to another platform.
    (name) => name === '' || wanted[name].optional || present[name]?.version === wanted[name].version,
  );
}

function install() {
  say('installing packages (npm ci)');
  // npm is a script for the shell on Windows. Warnings are about other people's engines fields and deprecations.
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    shell: process.platform === 'win32',
  });
}

function isBuilt() {
  return (
    ['binding.js', 'binding.d.ts', STAMP].every((file) => fs.existsSync(file)) &&
    fs.readdirSync('.').some((file) => /^leakguard\..+\.node$/.test(file)) &&
    fs.readFileSync(STAMP, 'utf8') === digestOfSources()
  );
}

/** @param {boolean} portable */
function build(portable) {
  if (spawnSync('cargo', ['--version']).status !== 0) {
    fail('building the addon takes a Rust toolchain, and `cargo --version` does not work: see https://rustup.rs');
  }
  say(`building the ${portable ? 'portable ' : ''}addon (cargo; a minute or two the first time)`);
  // Before the build: what is edited meanwhile is built next time.
  const digest = digestOfSources();
  run(process.execPath, [
    'node_modules/@napi-rs/cli/dist/cli.js',
    ...['build', '--release', '--platform', '--js', 'binding.js', '--dts', 'binding.d.ts'],
    ...(portable ? ['--use-napi-cross', '--target', 'x86_64-unknown-linux-gnu'] : []),
  ]);
  fs.mkdirSync(path.dirname(STAMP), { recursive: true });
  fs.writeFileSync(STAMP, digest);
}

/** Contents, not times: a checkout, a cache or a copy may set those to anything. */
function digestOfSources() {
  const files = ['Cargo.toml', 'Cargo.lock', 'build.rs'];
  for (const entry of fs.readdirSync('src', { recursive: true, withFileTypes: true })) {
    // Node 20.3 has no `parentPath` yet, Node 24 no `path` any more.
    if (entry.isFile()) files.push(path.join(entry.parentPath ?? entry.path, entry.name));
  }
  const digest = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of files.sort()) digest.update(`\0${file}\0`).update(fs.readFileSync(file));
  return digest.digest('hex');
}

/**
 * Runs a command with its output on our stderr: stdout belongs to the command that follows.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ shell?: boolean }} [options]
 */
function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options });
  if (error) fail(`${command} cannot be run: ${error.message}`);
  if (status !== 0) fail(`\`${[command, ...args].join(' ')}\` failed; what it said stands above`);
}

/** @param {string} message */
function say(message) {
  process.stderr.write(`leakguard: ${message}\n`);
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  say(message);
  process.exit(1);
}

main();
