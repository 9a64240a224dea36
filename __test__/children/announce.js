'use strict';

// Announces a leak, as the detector would after minutes, to listeners that misbehave or to nobody.

require('../..');
const { announceLeak } = require('../../lib/events');
const { given, say } = require('./report');

/** What a listener does. @type {Record<string, () => void>} */
const ACTIONS = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error('a slip of mine');
  },
};

const site = {
  functionName: 'keepName',
  scriptName: '/srv/shop/names.js',
  lineNumber: 12,
  columnNumber: 3,
  liveBytes: 3_000_000,
  growthBytes: 2_000_000,
  samples: 40,
  stack: [],
};
const found = {
  id: '1',
  kind: 'heap',
  threadId: 0,
  start: Date.now() - 60_000,
  end: Date.now(),
  growth: 2_000_000,
  reason: 'the heap grew by 2 MB in a minute',
  bytesPerHour: 120_000_000,
  confidence: 0.9,
  limitInMs: null,
  evidence: ['trend', 'cohort'],
  sites: [site],
};

process.on('warning', ({ name, message, ...rest }) => say('warning', { name, message, ...rest }));
if (given.action) process.on('leak', ACTIONS[given.action]);
announceLeak('leak', found);
announceLeak('leakResolved', found);
setImmediate(() => say('went on'));
