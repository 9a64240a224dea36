'use strict';

// node-cache with a time to live of a quarter of the run: it grows for that long, and is then level.

const NodeCache = require('node-cache');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'cache-with-ttl',
  framework: 'node-cache',
  set: 'tuning',
  load: { rps: 350, routes: [[1, 'GET', '/quote?article={article}&visit={n}', 0]] },
};

async function quote(quotes, url) {
  const known = quotes.get(url);
  if (known !== undefined) return known;
  await query(3);
  const offers = Array.from({ length: 8 }, (_, offer) => ({
    offer,
    price: offer * 9.9,
    terms: ['net', `${offer} days`],
  }));
  quotes.set(url, { url, at: Date.now(), offers });
  return { offers };
}

serve(truth, ({ seconds }) => {
  const quotes = new NodeCache({ stdTTL: seconds / 4, checkperiod: 1 });
  return {
    handler: async (request, response) => {
      const { offers } = await quote(quotes, request.url);
      answerJson(response, renderPage(`${request.url}#${offers.length}`));
    },
  };
});
