'use strict';

// A logger binds what it has to write to the request's context, and only writes while somebody debugs: each bound function keeps its
// request's store.

const { AsyncLocalStorage, AsyncResource } = require('node:async_hooks');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'async-context',
  framework: 'http',
  culprit: { fn: 'logLater', also: ['bind', 'AsyncResource', 'openContext'], retain: 'unwritten' },
  set: 'tuning',
  load: { rps: 400, routes: [[1, 'GET', '/item/{n}', 0]] },
};

const context = new AsyncLocalStorage();
const unwritten = [];
const isDebugging = false;

function openContext(request) {
  return { id: request.headers['x-request-id'], spans: Array.from({ length: 20 }, (_, span) => ({ span, ms: 0 })) }; // @alloc
}

function logLater(text) {
  unwritten.push(AsyncResource.bind(() => `${context.getStore().id}: ${text}`)); // @alloc @retain
}

function flushLog() {
  if (!isDebugging) return;
  for (const line of unwritten.splice(0)) process.stderr.write(`${line()}\n`);
}

serve(truth, () => {
  setInterval(flushLog, 500).unref();
  return {
    handler: (request, response) =>
      context.run(openContext(request), async () => {
        await query(2);
        logLater(`answered ${request.url}`);
        answerJson(response, renderPage(request.url));
      }),
  };
});
