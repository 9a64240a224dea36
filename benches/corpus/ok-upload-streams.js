'use strict';

// Uploads that are hashed, packed and forgotten as they come in.

const { createHash } = require('node:crypto');
const { Writable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const zlib = require('node:zlib');
const { serve } = require('./lib/harness');
const { answerJson, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'streamed-uploads',
  framework: 'http',
  set: 'held-back',
  load: { rps: 300, conns: 32, routes: [[1, 'POST', '/upload/{n}', 24_000]] },
};

async function store(request) {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* hashed(chunks) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const disk = new Writable({
    write(chunk, _encoding, callback) {
      bytes += chunk.length;
      setImmediate(callback);
    },
  });
  await pipeline(request, hashed, zlib.createGzip({ level: 1, memLevel: 5 }), disk);
  return { digest: hash.digest('hex'), bytes };
}

serve(truth, () => ({
  handler: async (request, response) => {
    const { digest, bytes } = await store(request);
    answerJson(response, renderPage(`${digest.slice(0, 8)}-${bytes}`));
  },
}));
