'use strict';

// Kept-alive HTTP clients on raw sockets: node:http's take as much CPU as the server does.

const net = require('node:net');

const RECONNECT_MS = 100;
const HEADERS_END = '\r\n\r\n';
const CHUNKS_END = '0\r\n\r\n';
const SESSIONS = 5000;
const TENANTS = 50;
const USERS = 1e6;
const ARTICLES = 4000;

class HttpClients {
  /** @type {net.Socket[]} */
  #free = [];
  #port;
  #routes;
  #weight;
  #sent = 0;

  /**
   * @param {number} port
   * @param {import('./harness').Load} load
   */
  constructor(port, { conns, routes }) {
    this.#port = port;
    this.#routes = routes;
    this.#weight = routes.reduce((sum, [weight]) => sum + weight, 0);
    for (let opened = 0; opened < conns; opened++) this.#connect();
  }

  /** @returns {boolean} whether a connection was free */
  send() {
    const socket = this.#free.pop();
    if (socket === undefined) return false;
    if (socket.writable) socket.write(this.#request());
    return true;
  }

  #connect() {
    const socket = net.connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    let answer = '';
    socket.once('connect', () => this.#free.push(socket));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (!isWhole(answer)) return;
      answer = '';
      this.#free.push(socket);
    });
    // 'close' follows.
    socket.on('error', () => {});
    socket.once('close', () => setTimeout(() => this.#connect(), RECONNECT_MS));
  }

  #request() {
    let rest = Math.random() * this.#weight;
    const [, method, template, bodyBytes] =
      this.#routes.find(([weight]) => {
        rest -= weight;
        return rest < 0;
      }) ?? this.#routes[0];
    const number = ++this.#sent;
    const url = template.replace(/\{(\w+)\}/g, (_, name) => String(placeholder(name, number)));
    const body = bodyBytes > 0 ? JSON.stringify({ order: number, text: 'x'.repeat(bodyBytes) }) : '';
    const headers = [
      `${method} ${url} HTTP/1.1`,
      'Host: shop.example',
      'User-Agent: corpus',
      'Accept: application/json',
      `Cookie: session=${number % SESSIONS}`,
      `X-Request-Id: request-${number}`,
    ];
    if (body !== '') headers.push('Content-Type: application/json', `Content-Length: ${body.length}`);
    return headers.join('\r\n') + HEADERS_END + body;
  }
}

/**
 * @param {string} name
 * @param {number} number of the request
 */
function placeholder(name, number) {
  switch (name) {
    case 'user':
      return Math.floor(Math.random() * USERS);
    case 'tenant':
      return Math.floor(Math.random() * TENANTS);
    case 'article': // some are asked for again and again, most hardly ever
      return Math.floor(Math.random() ** 3 * ARTICLES);
    default:
      return number;
  }
}

/** @param {string} answer as far as it has come, ASCII */
function isWhole(answer) {
  const end = answer.indexOf(HEADERS_END);
  if (end === -1) return false;
  const length = /^content-length: *(\d+)/im.exec(answer.slice(0, end))?.[1];
  if (length === undefined) return answer.endsWith(CHUNKS_END);
  return answer.length >= end + HEADERS_END.length + Number(length);
}

module.exports = { HttpClients };
