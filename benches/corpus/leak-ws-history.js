'use strict';

// Few connections that stay; each room keeps every message that was ever said in it.

const { WebSocketServer } = require('ws');
const { serve } = require('./lib/harness');
const { renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'ws-message-history',
  framework: 'ws',
  culprit: { fn: 'remember', also: ['say'], retain: 'history' },
  set: 'tuning',
  load: { rps: 500, conns: 60, protocol: 'ws' },
};

class Room {
  history = [];

  constructor(name) {
    this.name = name;
  }

  remember(sender, message) {
    const entry = { ...message, sender, at: new Date(), readBy: [sender], words: message.text.split(' ') }; // @alloc
    this.history.push(entry); // @retain
    return entry;
  }

  latest() {
    return this.history.slice(-5);
  }
}

const rooms = new Map();

function say(sender, message) {
  const name = `room-${message.room}`;
  if (!rooms.has(name)) rooms.set(name, new Room(name));
  const room = rooms.get(name);
  room.remember(sender, message);
  return JSON.stringify({ latest: room.latest(), page: renderPage(name) });
}

serve(truth, ({ finish }) => ({
  attach(server) {
    let members = 0;
    new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
      const sender = `member-${++members}`;
      socket.on('message', (data) => {
        socket.send(say(sender, JSON.parse(data)));
        finish();
      });
    });
  },
}));
