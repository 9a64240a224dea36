'use strict';

// A worker thread indexes what is read; its posting lists name every visit instead of every article. The main thread's heap is level.

const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'worker-heap',
  framework: 'worker_threads',
  culprit: { fn: 'indexVisit', also: ['postingsOf'], retain: 'postings' },
  set: 'held-back',
  measure: 'rss',
  load: { rps: 300, routes: [[1, 'GET', '/article/{article}', 0]] },
};

const postings = new Map();

function postingsOf(word) {
  if (!postings.has(word)) postings.set(word, []);
  return postings.get(word);
}

function indexVisit({ id, words }) {
  for (const word of words) postingsOf(word).push({ id, at: Date.now(), weight: 1 / words.length }); // @alloc @retain
  parentPort.postMessage(id);
}

if (!isMainThread) {
  parentPort.on('message', indexVisit);
} else {
  serve(truth, () => {
    const indexer = new Worker(__filename);
    const waiting = new Map();
    let jobs = 0;
    indexer.on('message', (id) => {
      waiting.get(id)();
      waiting.delete(id);
    });
    return {
      handler: async (request, response) => {
        const page = renderPage(request.url);
        const id = ++jobs;
        const words = Array.from({ length: 24 }, (_, word) => `${request.url}-${word}`);
        await new Promise((resolve) => {
          waiting.set(id, resolve);
          indexer.postMessage({ id, words });
        });
        await query(1);
        answerJson(response, page);
      },
    };
  });
}
