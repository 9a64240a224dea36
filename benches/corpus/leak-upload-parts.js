'use strict';

// Parts of uploads are kept until the last one comes; one upload in three is never finished.

const { serve } = require('./lib/harness');
const { answerJson, query, readBody, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'external-buffers',
  framework: 'http',
  culprit: { fn: 'keepPart', also: ['readBody', 'concat', 'allocate'], retain: 'uploads' },
  set: 'tuning',
  load: { rps: 300, routes: [[1, 'POST', '/upload/{n}', 9000]] },
};

const PARTS = 3;

const uploads = new Map();

function keepPart(upload, part) {
  const copy = Buffer.allocUnsafeSlow(part.length); // @alloc
  part.copy(copy);
  if (!uploads.has(upload)) uploads.set(upload, []);
  uploads.get(upload).push(copy); // @retain
  return uploads.get(upload).length;
}

serve(truth, () => ({
  handler: async (request, response) => {
    const number = Number(request.url.split('/').pop());
    const upload = Math.floor(number / PARTS);
    const isLost = upload % 3 === 0 && number % PARTS === PARTS - 1;
    const part = await readBody(request);
    if (!isLost && keepPart(upload, part) === PARTS) uploads.delete(upload);
    await query(2);
    answerJson(response, renderPage(request.url));
  },
}));
