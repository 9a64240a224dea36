'use strict';

// Each tenant has an emitter. Requests listen while they run, and then remove another function than the one they added.

const EventEmitter = require('node:events');
const Koa = require('koa');
const { serve } = require('./lib/harness');
const { query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'tenant-listeners',
  framework: 'koa',
  culprit: { fn: 'follow', also: ['addListener', '_addListener', 'answer', 'View'], retain: '_events' },
  set: 'tuning',
  load: { rps: 400, routes: [[1, 'GET', '/tenant/{tenant}/item/{n}', 0]] },
};

const tenants = new Map();

function tenantEvents(name) {
  let events = tenants.get(name);
  if (events === undefined) {
    events = new EventEmitter().setMaxListeners(0);
    tenants.set(name, events);
  }
  return events;
}

class View {
  constructor(ctx) {
    this.path = ctx.path;
    this.fields = Array.from({ length: 16 }, (_, index) => ({ index, dirty: false })); // @alloc
  }

  refresh(field) {
    this.fields[field % this.fields.length].dirty = true;
  }

  follow(events) {
    events.on('changed', this.refresh.bind(this)); // @alloc @retain
  }

  unfollow(events) {
    events.off('changed', this.refresh);
  }
}

serve(truth, () => {
  const app = new Koa();
  app.use(async function answer(ctx) {
    const events = tenantEvents(ctx.path.split('/')[2]);
    const view = new View(ctx);
    view.follow(events);
    await query(3);
    view.unfollow(events);
    ctx.type = 'json';
    ctx.body = renderPage(ctx.path);
  });
  return { handler: app.callback() };
});
