'use strict';

// Rules of customers run in a context of their own, and each new version of a rule gets a new one; the old ones stay, to be rolled back to.

const vm = require('node:vm');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'vm-contexts',
  framework: 'vm',
  culprit: { fn: 'deployRule', also: ['createContext'], retain: 'versions' },
  set: 'held-back',
  load: {
    rps: 300,
    routes: [
      [99, 'GET', '/price/{article}', 0],
      [1, 'GET', '/deploy/{n}', 0],
    ],
  },
};

const versions = [];

function deployRule(discount) {
  const sandbox = vm.createContext({ discount, rounded: Math.round }); // @alloc
  const price = vm.runInContext('(amount) => rounded(amount * (100 - discount)) / 100', sandbox);
  versions.push({ price, at: Date.now() }); // @retain
}

deployRule(5);

serve(truth, () => ({
  handler: async (request, response) => {
    const [, what, number] = request.url.split('/');
    await query(2);
    if (what === 'deploy') deployRule(Number(number) % 20);
    const price = versions.at(-1).price(Number(number));
    answerJson(response, renderPage(`price-${price}`));
  },
}));
