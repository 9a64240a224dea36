'use strict';

const net = require('node:net');

const HEADERS_END = '\r\n\r\n';

/**
 * A closed loop of GET requests over kept-alive connections, one at a time on each. Raw sockets, because node:http's
 * client takes as much CPU as the server does, and what it takes comes out of the core that the two may share.
 */
class Load {
  #request;
  #sockets;
  #left = 0;

  /** @param {{ port: number, path: string, connections: number }} options */
  constructor({ port, path, connections }) {
    this.#request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}${HEADERS_END}`;
    this.#sockets = Array.from({ length: connections }, () => net.connect({ port, host: '127.0.0.1', noDelay: true }));
  }

  /**
   * @param {number} requests
   * @returns {Promise<unknown>} settles when all of them are answered
   */
  run(requests) {
    this.#left = requests;
    return Promise.all(this.#sockets.map((socket) => this.#loop(socket)));
  }

  close() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** @param {net.Socket} socket */
  async #loop(socket) {
    while (this.#left-- > 0) await this.#exchange(socket);
  }

  /**
   * @param {net.Socket} socket
   * @returns {Promise<void>}
   */
  #exchange(socket) {
    return new Promise((resolve, reject) => {
      let missing = 0;
      /** @param {Buffer} chunk */
      const onData = (chunk) => {
        missing = (missing || answerLength(chunk)) - chunk.length;
        if (missing > 0) return;
        socket.off('data', onData).off('error', reject).off('close', onClose);
        resolve();
      };
      const onClose = () => reject(new Error('the server closed a connection'));
      socket.on('data', onData).on('error', reject).on('close', onClose);
      socket.write(this.#request);
    });
  }
}

/**
 * @param {Buffer} chunk the first of an answer: Node writes all headers at once
 * @returns {number} of headers and body together
 */
function answerLength(chunk) {
  const end = chunk.indexOf(HEADERS_END);
  const headers = chunk.toString('latin1', 0, end);
  const bodyLength = /^content-length: (\d+)$/im.exec(headers)?.[1];
  if (!headers.startsWith('HTTP/1.1 200 ') || bodyLength === undefined)
    throw new Error(`unexpected answer:\n${headers}`);
  return end + HEADERS_END.length + Number(bodyLength);
}

module.exports = Load;
