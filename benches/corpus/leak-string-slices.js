'use strict';

// Of each order's text the delivery code is kept, a couple of dozen letters. They are a slice: the whole text stays with them.

const { serve } = require('./lib/harness');
const { answerJson, query, readBody, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'string-slices',
  framework: 'http',
  culprit: { fn: 'textOf', also: ['codeOf', 'toString', 'utf8Slice', 'slice', 'latin1Slice'], retain: 'codes' },
  set: 'held-back',
  load: { rps: 300, routes: [[1, 'POST', '/order/{n}', 3000]] },
};

const CODES_SHOWN = 10;

const codes = [];

function textOf(body) {
  return body.toString('latin1'); // @alloc
}

function codeOf(text) {
  return text.slice(2, 26);
}

function rememberCode(code) {
  codes.push(code); // @retain
}

serve(truth, () => ({
  handler: async (request, response) => {
    const text = textOf(await readBody(request));
    rememberCode(codeOf(text));
    await query(2);
    answerJson(response, renderPage(codes.slice(-CODES_SHOWN).length));
  },
}));
