'use strict';

// The first half of the run warms up: GraphQL schemas are built for each of 80 tenants as they are first asked for, modules are loaded
// lazily, resolvers are compiled.

const { builtinModules } = require('node:module');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'warm-up',
  framework: 'graphql',
  set: 'held-back',
  load: { rps: 350, routes: [[1, 'GET', '/graphql/{article}', 0]] },
};

const TENANTS = 80;
const WARM_SHARE = 0.5;
const TYPES = 40;
const LAZY = builtinModules.filter((name) =>
  /^(assert|crypto|dns|fs|http2|https|net|perf|readline|stream|string|tls|url|util|v8|vm|zlib)/.test(name),
);

function buildTenant(number) {
  const { buildSchema } = require('graphql');
  require(LAZY[number % LAZY.length]);
  const types = Array.from(
    { length: TYPES },
    (_, type) => `type T${type} { id: ID! name: String next: T${(type + 1) % TYPES} }`,
  );
  const schema = buildSchema(`${types.join('\n')}\ntype Query { first: T0 }`);
  // As template engines and validators do.
  const resolve = new Function('value', `return { tenant: ${number}, value, doubled: value * 2 };`);
  return { schema, resolve };
}

serve(truth, ({ seconds }) => {
  const tenants = [];
  const began = Date.now();
  return {
    handler: async (request, response) => {
      const share = Math.min(1, (Date.now() - began) / (seconds * 1000 * WARM_SHARE));
      if (tenants.length < share * TENANTS) tenants.push(buildTenant(tenants.length));
      const number = Number(request.url.split('/').pop());
      const { resolve } = tenants[number % tenants.length];
      await query(3);
      answerJson(response, renderPage(`${request.url}-${resolve(number).doubled}`));
    },
  };
});
