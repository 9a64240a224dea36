'use strict';

// Every order has a reminder scheduled for the evening, and a new one whenever it is looked at: none is ever cancelled.

const schedule = require('node-schedule');
const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'scheduler-jobs',
  framework: 'node-schedule',
  culprit: {
    fn: 'remind',
    also: ['scheduleJob', 'Job', 'Invocation', 'scheduleInvocation', 'schedule'],
    retain: 'scheduledJobs',
  },
  set: 'tuning',
  load: {
    rps: 350,
    routes: [
      [2, 'GET', '/item/{n}', 0],
      [1, 'GET', '/order/{n}', 0],
    ],
  },
};

const REMIND_AFTER_MS = 8 * 3600 * 1000;

function remind(order) {
  const notice = { order, channel: 'mail', lines: [`order ${order.number}`, 'is ready'], attempts: [] }; // @alloc
  schedule.scheduleJob(new Date(Date.now() + REMIND_AFTER_MS), () => notice.attempts.push(Date.now())); // @retain
}

serve(truth, () => ({
  handler: async (request, response) => {
    await query(2);
    const [, what, number] = request.url.split('/');
    if (what === 'order') remind({ number, at: Date.now() });
    answerJson(response, renderPage(request.url));
  },
}));
