'use strict';

/**
 * The value of one of Node's own options, wherever it was given: the command line goes before NODE_OPTIONS.
 *
 * @param {string} name such as `--diagnostic-dir`
 * @returns {string | undefined}
 */
function nodeFlag(name) {
  return lastValue(process.execArgv, name) ?? lastValue(words(process.env.NODE_OPTIONS ?? ''), name);
}

/**
 * As Node reads NODE_OPTIONS: between double quotes a blank stands for itself, and a backslash lets the next character do so.
 *
 * @param {string} text
 */
function words(text) {
  const unquoted = (/** @type {string} */ word) =>
    word.replace(/"((?:\\.|[^"\\])*)"/g, (_, inside) => inside.replace(/\\(.)/g, '$1'));
  return (text.match(/(?:[^ "]|"(?:\\.|[^"\\])*")+/g) ?? []).map(unquoted);
}

/**
 * @param {string[]} args
 * @param {string} name
 */
function lastValue(args, name) {
  let value;
  for (const [index, arg] of args.entries()) {
    const [given, ...rest] = arg.split('=');
    // To Node an underscore is as good as a dash.
    if (given.replaceAll('_', '-') !== name) continue;
    value = rest.length > 0 ? rest.join('=') : args[index + 1];
  }
  return value;
}

module.exports = { nodeFlag };
