'use strict';

// A queue of at most 30,000 mails. The mail server is slower than the orders come, for most of the run, and is then fast: the queue fills,
// refuses what is too much, and drains.

const { serve } = require('./lib/harness');
const { answerJson, query, readBody, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'queue-backs-up-and-drains',
  framework: 'http',
  set: 'tuning',
  load: { rps: 350, routes: [[1, 'POST', '/order/{n}', 300]] },
};

const MAX_WAITING = 30_000;
const TICK_MS = 100;
const SLOW_SHARE = 0.55;
const SLOW_A_TICK = 15;
const FAST_A_TICK = 150;

class MailQueue {
  waiting = [];
  maxWaiting = MAX_WAITING;
  refused = 0;

  push(mail) {
    if (this.waiting.length >= this.maxWaiting) this.refused++;
    else this.waiting.push(mail);
  }

  send(count) {
    return this.waiting.splice(0, count).length;
  }
}

serve(truth, ({ seconds }) => {
  const mails = new MailQueue();
  const began = Date.now();
  setInterval(() => {
    const isSlow = Date.now() - began < seconds * 1000 * SLOW_SHARE;
    mails.send(isSlow ? SLOW_A_TICK : FAST_A_TICK);
  }, TICK_MS).unref();
  return {
    handler: async (request, response) => {
      const { order, text } = JSON.parse(await readBody(request));
      mails.push({ to: `customer-${order}`, subject: `order ${order}`, text, headers: { ...request.headers } });
      await query(2);
      answerJson(response, renderPage(request.url));
    },
  };
});
