'use strict';

// An HTTP server that keeps something from every request.

const http = require('node:http');
const leakguard = require('../..');
const { given, reportSnapshots, say } = require('./report');

class KeptRequest {
  /** @param {string | undefined} url */
  constructor(url) {
    this.url = url;
  }
}

/** @type {KeptRequest[]} */
const kept = [];

reportSnapshots();
leakguard.start(given.options);
const server = http.createServer((request, response) => {
  kept.push(new KeptRequest(request.url));
  response.end(`${kept.length}`);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  say('ready', { port });
});
