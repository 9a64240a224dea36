'use strict';

// lodash.memoize around a search whose filter differs with nearly every request.

const memoize = require('lodash.memoize');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'memoize-without-bound',
  framework: 'lodash',
  culprit: { fn: 'matchingArticles', also: ['memoized', 'keyOf'], retain: 'search' },
  set: 'tuning',
  load: { rps: 400, routes: [[1, 'GET', '/search?from={user}&to={n}', 0]] },
};

const ARTICLES = 300;

function matchingArticles({ from, to }) {
  const matches = [];
  for (let article = 0; article < ARTICLES; article += 11) {
    if ((article * 37) % 1000 < Number(from) % 1000) matches.push({ article, to, rank: article / ARTICLES }); // @alloc
  }
  return { from, to, matches };
}

const keyOf = (filter) => JSON.stringify(filter);
const search = memoize(matchingArticles, keyOf); // @retain

serve(truth, () => ({
  handler: async (request, response) => {
    const { searchParams } = new URL(request.url, 'http://shop.example');
    const { matches } = search({ from: searchParams.get('from'), to: searchParams.get('to') });
    await query(2);
    answerJson(response, renderPage(`found-${matches.length}`));
  },
}));
