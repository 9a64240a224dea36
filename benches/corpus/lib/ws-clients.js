'use strict';

// Resolved when it runs: the type check runs without the corpus' packages.
const { WebSocket } = require(require.resolve('ws'));

const RECONNECT_MS = 100;

/** WebSocket clients: each sends when the answer to its last message has come. */
class WsClients {
  /** @type {{ socket: any, left: number }[]} */
  #free = [];
  #port;
  #messages;
  #sent = 0;

  /**
   * @param {number} port
   * @param {import('./harness').Load} load
   */
  constructor(port, { conns, messages }) {
    this.#port = port;
    this.#messages = messages || Number.POSITIVE_INFINITY;
    for (let opened = 0; opened < conns; opened++) this.#connect();
  }

  /** @returns {boolean} whether a connection was free */
  send() {
    const client = this.#free.pop();
    if (client === undefined) return false;
    client.left--;
    if (client.socket.readyState === WebSocket.OPEN)
      client.socket.send(
        JSON.stringify({ number: ++this.#sent, room: this.#sent % 40, text: 'how are you?'.repeat(8) }),
      );
    return true;
  }

  #connect() {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/`, { perMessageDeflate: false });
    const client = { socket, left: this.#messages };
    socket.once('open', () => this.#free.push(client));
    socket.on('message', () => {
      if (client.left > 0) this.#free.push(client);
      else socket.close();
    });
    // 'close' follows.
    socket.on('error', () => {});
    // One that was to be replaced is replaced at once; a server that refuses is given time.
    socket.once('close', () => setTimeout(() => this.#connect(), client.left > 0 ? RECONNECT_MS : 0));
  }
}

module.exports = { WsClients };
