// TypeScript, compiled: the detector sees leak-typescript.js, and people want to read of this file.

import type { IncomingMessage, ServerResponse } from 'node:http';

interface Quota {
  readonly client: string;
  readonly window: number;
  readonly calls: { at: number; path: string }[];
}

interface Limits {
  readonly perWindow: number;
  readonly windowMs: number;
}

const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: true,
  kind: 'rate-limiter-windows',
  framework: 'http, TypeScript',
  culprit: { fn: 'quotaOf', also: ['admit'], retain: 'quotas' },
  set: 'held-back',
  source: 'typescript/leak-typescript.ts',
  load: { rps: 450, routes: [[1, 'GET', '/api/{article}', 0]] },
};

/** Counts a client's calls in the present window; the windows before are forgotten, or so one thinks. */
class RateLimiter {
  private readonly quotas = new Map<string, Quota>();

  constructor(private readonly limits: Limits) {}

  admit(client: string, path: string): boolean {
    const { calls } = this.quotaOf(client);
    calls.push({ at: Date.now(), path });
    return calls.length <= this.limits.perWindow;
  }

  private quotaOf(client: string): Quota {
    const window = Math.floor(Date.now() / this.limits.windowMs);
    const key = `${client}@${window}`;
    let quota = this.quotas.get(key);
    if (quota === undefined) {
      quota = { client, window, calls: [{ at: Date.now(), path: '/' }] }; // @alloc
      this.quotas.set(key, quota); // @retain
    }
    return quota;
  }
}

const limiter = new RateLimiter({ perWindow: 100, windowMs: 1000 });

serve(truth, () => ({
  handler: async (request: IncomingMessage, response: ServerResponse) => {
    const isAdmitted = limiter.admit(String(request.headers.cookie), String(request.url));
    await query(2);
    answerJson(response, renderPage(String(request.url)), isAdmitted ? 200 : 429);
  },
}));
