'use strict';

// A user's own handler for SIGUSR2, installed `before` or `after` leakguard, by `on` or `once`, that does `action`.

const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const http = require('node:http');
const { given, reportSnapshots, say } = require('./report');

const server = http.createServer();
/** What ends a process that has no handler. */
const end = () => process.kill(process.pid, 'SIGUSR2');

/** What the handler does. @type {Record<string, () => void>} */
const ACTIONS = {
  nothing: () => {},
  end,
  'end later': () => setTimeout(end, 100),
  'close the server and end': () => server.close(end),
};

/** @type {'on' | 'once'} */
const how = given.how;
const install = () =>
  process[how]('SIGUSR2', () => {
    say('handled');
    ACTIONS[given.action ?? 'nothing']();
  });

if (given.when === 'before') install();
const leakguard = require('../..');
reportSnapshots();
leakguard.start(given.options);
if (given.when === 'after') install();
if (given.removeAll) process.removeAllListeners('SIGUSR2');
if (given.stop) leakguard.stop();

server.listen(0, '127.0.0.1', () => {
  say('ready');
  if (given.signalsItself) end();
});
if (given.signalsItselfAgain) subscribe('leakguard:snapshot', endOnce);
function endOnce() {
  unsubscribe('leakguard:snapshot', endOnce);
  end();
}
setInterval(() => {}, 60_000);
