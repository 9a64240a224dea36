'use strict';

// node-cache as it comes: no time to live, every value cloned on its way in and out. The key has the whole query in it.

const NodeCache = require('node-cache');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'cache-without-ttl',
  framework: 'node-cache',
  culprit: { fn: 'set', also: ['quote', '_wrap', 'clone', '_clone'], retain: 'quotes' },
  set: 'tuning',
  load: { rps: 350, routes: [[1, 'GET', '/quote?article={article}&visit={n}', 0]] },
};

const quotes = new NodeCache();

async function quote(url) {
  const known = quotes.get(url);
  if (known !== undefined) return known;
  await query(3);
  const offers = Array.from({ length: 8 }, (_, offer) => ({
    offer,
    price: offer * 9.9,
    currency: 'EUR',
    terms: ['net', `${offer} days`],
  }));
  const result = { url, at: Date.now(), offers }; // @alloc
  quotes.set(url, result); // @retain
  return result;
}

serve(truth, () => ({
  handler: async (request, response) => {
    const { offers } = await quote(request.url);
    answerJson(response, renderPage(`${request.url}#${offers.length}`));
  },
}));
