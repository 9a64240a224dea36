'use strict';

// Preloaded: watches garbage collections in the way that Node offers.

const { PerformanceObserver } = require('node:perf_hooks');

new PerformanceObserver((list) => list.getEntries()).observe({ entryTypes: ['gc'] });
