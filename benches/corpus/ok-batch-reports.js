'use strict';

// Every few seconds a report is put together in small steps, written out, and dropped.

const { serve } = require('./lib/harness');
const { answerJson, query, renderPage } = require('./lib/work');

const truth = {
  leaky: false,
  kind: 'batch-jobs',
  framework: 'http',
  set: 'tuning',
  load: { rps: 400 },
};

const REPORT_EVERY_MS = 7000;
const STEPS = 40;
const ROWS_A_STEP = 2500;
const STEP_MS = 100;

async function buildReport() {
  const byRegion = new Map();
  for (let step = 0; step < STEPS; step++) {
    for (let row = 0; row < ROWS_A_STEP; row++) {
      const region = `region-${row % 30}`;
      if (!byRegion.has(region)) byRegion.set(region, []);
      byRegion.get(region).push({ step, row, total: row * 1.19, label: `row ${step}/${row}` });
    }
    await query(STEP_MS);
  }
  return Array.from(byRegion, ([region, rows]) => ({ region, sum: rows.reduce((sum, { total }) => sum + total, 0) }));
}

serve(truth, () => {
  let latest = [];
  setInterval(async () => {
    latest = await buildReport();
  }, REPORT_EVERY_MS).unref();
  return {
    handler: async (request, response) => {
      await query(2);
      answerJson(response, renderPage(`${request.url}-${latest.length}`));
    },
  };
});
