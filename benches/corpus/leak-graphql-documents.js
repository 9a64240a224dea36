'use strict';

// Parsed GraphQL documents are cached by their text, and clients write ids into the text instead of variables.

const { buildSchema, execute, parse, validate } = require('graphql');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'document-cache',
  framework: 'graphql',
  culprit: {
    fn: 'documentOf',
    also: ['parse', 'node', 'parseName', 'parseField', 'advance', 'createToken'],
    retain: 'documents',
  },
  set: 'held-back',
  load: { rps: 300, routes: [[1, 'GET', '/graphql?product={n}', 0]] },
};

const schema = buildSchema(`
  type Product { id: ID! name: String! related(first: Int!): [Product!]! }
  type Query { product(id: ID!): Product }
`);
const rootValue = {
  product: ({ id }) => ({
    id,
    name: `product ${id}`,
    related: ({ first }) => Array.from({ length: first }, (_, at) => ({ id: `${id}-${at}`, name: 'a related one' })),
  }),
};

const documents = new Map();

function documentOf(text) {
  let document = documents.get(text);
  if (document === undefined) {
    document = parse(text); // @alloc
    const errors = validate(schema, document);
    if (errors.length > 0) throw errors[0];
    documents.set(text, document); // @retain
  }
  return document;
}

serve(truth, () => ({
  handler: async (request, response) => {
    const id = new URL(request.url, 'http://shop.example').searchParams.get('product');
    const text = `query { product(id: "${id}") { id name related(first: 3) { id name } } }`;
    const { data } = await execute({ schema, document: documentOf(text), rootValue });
    await query(2);
    answerJson(response, renderPage(data.product.name));
  },
}));
