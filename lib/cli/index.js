'use strict';

// leakguard COMMAND ...

const { version } = require('../../package.json');

/** What a command needs: `run` resolves to the exit code. @type {Record<string, { summary: string, run: (args: string[]) => Promise<number> }>} */
const COMMANDS = {
  analyze: require('./analyze'),
  diff: require('./diff'),
  dump: require('./dump'),
  query: require('./query'),
  redact: require('./redact'),
};

const HELP = `leakguard finds memory leaks.

Usage: leakguard COMMAND [OPTIONS]

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

  leakguard COMMAND --help tells more.
  To have a process watch itself: node --require leakguard app.js
`;

/** @param {string[]} args */
async function run([name, ...args]) {
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
  } else if (name === '--version') {
    process.stdout.write(`${version}\n`);
  } else if (name === undefined || !Object.hasOwn(COMMANDS, name)) {
    process.stderr.write(name === undefined ? HELP : `leakguard: there is no command "${name}"\n\n${HELP}`);
    process.exitCode = 2;
  } else {
    try {
      process.exitCode = await COMMANDS[name].run(args);
    } catch (error) {
      process.stderr.write(`leakguard ${name}: ${/** @type {Error} */ (error).message}\n`);
      process.exitCode = 2;
    }
  }
}

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE') throw error;
});

module.exports = { run };
