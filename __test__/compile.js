'use strict';

// TypeScript by real compilers, and where things stand in what goes in and what comes out.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const esbuild = require('esbuild');
const typescript = require('typescript');

const functions = path.join(__dirname, 'typescript', 'functions.ts');

/**
 * The number, from 1, of the one line with this text.
 *
 * @param {string} file
 * @param {string} text
 */
function lineOf(file, text) {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  const index = lines.findIndex((line) => line.includes(text));
  assert.notEqual(index, -1, `${text} is not in ${file}`);
  return index + 1;
}

/**
 * Where a text begins in a script, as V8 counts.
 *
 * @param {string} script
 * @param {string} text
 */
function placeOf(script, text) {
  const before = fs.readFileSync(script, 'utf8').split(text)[0].split('\n');
  return { scriptName: script, lineNumber: before.length, columnNumber: before[before.length - 1].length + 1 };
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {import('esbuild').BuildOptions} options
 */
function compile(folder, name, options) {
  const outfile = path.join(folder, name);
  esbuild.buildSync({ outfile, format: 'cjs', platform: 'node', logLevel: 'error', ...options });
  return outfile;
}

/**
 * The TypeScript compiler's output in `dist/`, beside a copy of the source.
 *
 * @param {string} folder
 * @param {import('typescript').CompilerOptions} options
 */
function transpile(folder, options) {
  const dist = path.join(folder, 'dist');
  fs.mkdirSync(dist);
  const { outputText, sourceMapText } = typescript.transpileModule(fs.readFileSync(functions, 'utf8'), {
    fileName: 'functions.ts',
    compilerOptions: { module: typescript.ModuleKind.CommonJS, sourceRoot: '..', ...options },
  });
  const script = path.join(dist, 'functions.js');
  fs.writeFileSync(script, outputText);
  if (sourceMapText) fs.writeFileSync(`${script}.map`, sourceMapText);
  return script;
}

module.exports = { compile, functions, lineOf, placeOf, transpile };
