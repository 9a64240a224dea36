'use strict';

/**
 * The value of one of Node's own options, wherever it was given: the command line goes before NODE_OPTIONS.
 *
 * @param {string} name such as `--diagnostic-dir`
 * @returns {string | undefined}
 */
function nodeFlag(name) {
  const fromEnvironment = (process.env.NODE_OPTIONS ?? '').split(/\s+/);
  return lastValue(process.execArgv, name) ?? lastValue(fromEnvironment, name);
}

/**
 * @param {string[]} args
 * @param {string} name
 */
function lastValue(args, name) {
  let value;
  for (const [index, arg] of args.entries()) {
    if (arg === name) value = args[index + 1];
    else if (arg.startsWith(`${name}=`)) value = arg.slice(name.length + 1).replace(/^"(.*)"$/, '$1');
  }
  return value;
}

module.exports = { nodeFlag };
