'use strict';

// WebSocket connections that come and go; each has a buffer and a heartbeat, and takes them with it.

const { WebSocketServer } = require('ws');
const { serve } = require('./lib/harness');
const { renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'connection-churn',
  framework: 'ws',
  set: 'tuning',
  load: { rps: 450, conns: 60, protocol: 'ws', messages: 10 },
};

const HEARTBEAT_MS = 5000;

const members = new Map();
let joined = 0;

function join(socket) {
  const member = { number: ++joined, socket, inbox: Array.from({ length: 60 }, (_, at) => ({ at, text: '' })) };
  members.set(member.number, member);
  const heartbeat = setInterval(() => socket.ping(), HEARTBEAT_MS);
  socket.once('close', () => {
    clearInterval(heartbeat);
    members.delete(member.number);
  });
  return member;
}

serve(truth, ({ finish }) => ({
  attach(server) {
    new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
      const { inbox } = join(socket);
      socket.on('message', (data) => {
        const { number, room, text } = JSON.parse(data);
        inbox[number % inbox.length].text = text;
        socket.send(renderPage(`room-${room}`));
        finish();
      });
    });
  },
}));
