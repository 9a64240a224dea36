'use strict';

// A chat that adds each client to a Set, and at its close deletes the socket instead of the client.

const { WebSocketServer } = require('ws');
const { serve } = require('./lib/harness');
const { renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'ws-never-removed',
  framework: 'ws',
  culprit: { fn: 'enter', also: ['onConnection'], retain: 'present' },
  set: 'tuning',
  load: { rps: 400, conns: 40, protocol: 'ws', messages: 8 },
};

const present = new Set();

function enter(socket, request) {
  const client = { socket, since: Date.now(), address: request.socket.remoteAddress, inbox: new Array(30).fill(null) }; // @alloc
  present.add(client); // @retain
  socket.once('close', () => present.delete(socket));
  return client;
}

serve(truth, ({ finish }) => ({
  attach(server) {
    const chat = new WebSocketServer({ server, perMessageDeflate: false });
    chat.on('connection', function onConnection(socket, request) {
      const client = enter(socket, request);
      socket.on('message', (data) => {
        const { number } = JSON.parse(data);
        client.inbox[number % client.inbox.length] = number;
        socket.send(renderPage(`room-${number % 40}`));
        finish();
      });
    });
  },
}));
