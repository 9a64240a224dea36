'use strict';

// Every export is copied to a recorder by a PassThrough that nobody reads: it never ends, and stays in the list of those to be flushed.

const { PassThrough, Transform } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'stream-never-destroyed',
  framework: 'http',
  culprit: { fn: 'teeToRecorder', also: ['exportOrders'], retain: 'recordings' },
  set: 'tuning',
  load: {
    rps: 400,
    routes: [
      [8, 'GET', '/item/{n}', 0],
      [2, 'GET', '/export/{n}', 0],
    ],
  },
};

const recordings = new Set();

function teeToRecorder(name) {
  const copy = new PassThrough({ objectMode: true, highWaterMark: 64 }); // @alloc
  recordings.add(copy); // @retain
  copy.once('end', () => recordings.delete(copy));
  copy.write({ name, at: Date.now() });
  return copy;
}

async function exportOrders(name, response) {
  const copy = teeToRecorder(name);
  async function* rows() {
    for (let row = 0; row < 12; row++) yield { name, row, total: row * 3.5 };
  }
  const toLines = new Transform({
    writableObjectMode: true,
    transform(row, _encoding, callback) {
      copy.write(row);
      callback(null, `${JSON.stringify(row)}\n`);
    },
    final(callback) {
      copy.end();
      callback();
    },
  });
  await pipeline(rows, toLines, response);
}

serve(truth, () => ({
  handler: async (request, response) => {
    await query(2);
    if (request.url.startsWith('/export/')) await exportOrders(request.url, response);
    else answerJson(response, renderPage(request.url));
  },
}));
