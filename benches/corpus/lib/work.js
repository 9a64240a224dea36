'use strict';

// What a request costs beside what a case is about: some garbage, a wait, an answer.

/**
 * A page of search results as JSON, for which some 30 KB of garbage are made.
 *
 * @param {string | number} key
 * @param {number} [rows]
 */
function renderPage(key, rows = 22) {
  const found = Array.from({ length: rows }, (_, row) => ({
    id: `${key}/${row}`,
    title: `result ${row} of ${key}`,
    score: ((row * 6151) % 997) / 10,
    facets: [`colour-${row % 5}`, `size-${row % 9}`],
    seen: { at: Date.now(), row },
  }));
  const shown = found.filter(({ score }) => score > 15).map((hit) => ({ ...hit, heading: hit.title.toUpperCase() }));
  return JSON.stringify({ key, hits: shown.sort((a, b) => b.score - a.score) });
}

/**
 * A query to a database that takes some time.
 *
 * @template T
 * @param {number} milliseconds
 * @param {T} [answer]
 * @returns {Promise<T>}
 */
function query(milliseconds, answer) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, answer));
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {string} json
 * @param {number} [status]
 */
function answerJson(response, json, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) });
  response.end(json);
}

/**
 * @param {import('node:stream').Readable} request
 * @returns {Promise<Buffer>}
 */
async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

module.exports = { answerJson, query, readBody, renderPage };
