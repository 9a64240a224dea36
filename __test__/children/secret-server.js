'use strict';

// An HTTP server with a heap full of secrets. It does what POST asks for, and holds all other requests without an answer.

const http = require('node:http');
const { text } = require('node:stream/consumers');
const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');
const { everything, tell } = require('./secrets');

/** @type {unknown[]} */
const held = [everything];

/** @type {Record<string, (options: any) => unknown>} */
const ACTIONS = {
  '/start': (options) => leakguard.start(options).status(),
  '/snapshot': (options) => leakguard.writeHeapSnapshot(undefined, options),
  '/secrets': tell,
};

reportSnapshots();
leakguard.start(given.options);
const server = http.createServer(async (request, response) => {
  if (request.method === 'POST') {
    const action = ACTIONS[String(request.url)];
    response.end(JSON.stringify(await action(JSON.parse(await text(request)))));
    return;
  }
  request.setEncoding('utf8').once('data', (body) => {
    response.setHeader('set-cookie', String(request.headers.cookie));
    held.push({ request, response, body });
    say('held');
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  say('ready', { port });
});
