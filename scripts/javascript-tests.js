'use strict';

const fs = require('node:fs');
const path = require('node:path');

const FOLDER = '__test__';

const isTest = (/** @type {string} */ name) => name.endsWith('.test.js');

/** All test files. Node 20 takes no patterns, and left to itself it would run whatever else stands in the folder. */
exports.testFiles = () =>
  /** @type {string[]} */ (fs.readdirSync(FOLDER, { recursive: true }))
    .filter(isTest)
    .sort()
    .map((file) => path.join(FOLDER, file));

/**
 * The arguments that make `node` run the JavaScript tests. Test files among `args` replace the whole set; the rest goes to the
 * test runner.
 *
 * @param {string[]} args
 * @returns {string[]}
 */
exports.testRunnerArguments = (args) => {
  const options = args.filter((arg) => !isTest(arg));
  const files = args.filter(isTest);
  // Named, because the default depends on the version of Node and on the terminal.
  return [
    '--test',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    ...options,
    ...(files.length > 0 ? files : exports.testFiles()),
  ];
};
