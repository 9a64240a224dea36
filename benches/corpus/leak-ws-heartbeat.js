'use strict';

// A heartbeat for each WebSocket connection. It pings while the socket is open, and goes on for ever when it no longer is.

const { WebSocket, WebSocketServer } = require('ws');
const { serve } = require('./lib/harness');
const { renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'interval-per-connection',
  framework: 'ws',
  culprit: { fn: 'beat', also: ['onConnection', 'Timeout', 'setInterval', 'subscribe'], retain: 'Timeout' },
  set: 'held-back',
  load: { rps: 450, conns: 40, protocol: 'ws', messages: 6 },
};

const HEARTBEAT_MS = 25_000;

function subscribe(request) {
  const topics = Array.from({ length: 40 }, (_, topic) => ({ topic, offset: 0, filter: [`region-${topic % 4}`] })); // @alloc
  return { agent: request.headers['user-agent'], topics };
}

function beat(socket, subscription) {
  setInterval(() => {
    // @alloc @retain
    if (socket.readyState === WebSocket.OPEN) socket.ping();
    subscription.beatAt = Date.now();
  }, HEARTBEAT_MS).unref();
}

serve(truth, ({ finish }) => ({
  attach(server) {
    new WebSocketServer({ server, perMessageDeflate: false }).on('connection', function onConnection(socket, request) {
      const subscription = subscribe(request);
      beat(socket, subscription);
      socket.on('message', (data) => {
        const { number, room } = JSON.parse(data);
        subscription.topics[number % subscription.topics.length].offset = number;
        socket.send(renderPage(`topic-${room}`));
        finish();
      });
    });
  },
}));
