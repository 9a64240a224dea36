'use strict';

// lodash.memoize whose cache is replaced by one with a bound of 4,000 results, which is soon reached.

const memoize = require('lodash.memoize');
const { LRUCache } = require('lru-cache');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'memoize-bounded',
  framework: 'lodash',
  set: 'tuning',
  load: { rps: 400, routes: [[1, 'GET', '/search?from={user}&to={n}', 0]] },
};

const MAX_RESULTS = 4000;
const ARTICLES = 300;

function matchingArticles({ from, to }) {
  const matches = [];
  for (let article = 0; article < ARTICLES; article += 11) {
    if ((article * 37) % 1000 < Number(from) % 1000) matches.push({ article, to, rank: article / ARTICLES });
  }
  return { from, to, matches };
}

const search = memoize(matchingArticles, (filter) => JSON.stringify(filter));
search.cache = new LRUCache({ max: MAX_RESULTS });

serve(truth, () => ({
  handler: async (request, response) => {
    const { searchParams } = new URL(request.url, 'http://shop.example');
    const { matches } = search({ from: searchParams.get('from'), to: searchParams.get('to') });
    await query(2);
    answerJson(response, renderPage(`found-${matches.length}`));
  },
}));
