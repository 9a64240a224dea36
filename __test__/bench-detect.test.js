'use strict';

// How `npm run bench:detect` judges a run, and what it makes of many.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { inAWord, judge } = require('../benches/detect/judge');
const { renderRun, renderSummary } = require('../benches/detect/print');
const { addResult, readResults } = require('../benches/detect/results');
const { summarizeRuns } = require('../benches/detect/summary');
const { temporaryFolder } = require('./temporary-folder');

const leaky = {
  case: 'leak-map',
  leaky: true,
  kind: 'map',
  culprit: { fn: 'remember', also: ['onRequest'], retain: 'byId' },
};
const healthy = { case: 'ok-cache', leaky: false, kind: 'cache' };

/**
 * @param {number} seconds
 * @param {string} id
 * @param {string[]} functionNames
 * @param {object[]} [retainers]
 */
function alarm(seconds, id, functionNames, retainers = []) {
  const sites = functionNames.map((functionName) => ({ functionName, scriptName: '/srv/app/dist/map.js' }));
  return {
    t: seconds * 1000,
    event: 'leak',
    leak: { id, kind: 'heap', growth: 8e6, sites, retainers },
    heapUsed: 30e6,
  };
}
/** @type {(id: string) => import('../benches/detect/judge').Event} */
const takenBack = (id) => ({ t: 50_000, event: 'leakResolved', leak: { id } });
const end = { t: 60_000, event: 'end', requests: 24_000, meant: 25_000, cpuSeconds: 12 };

/**
 * @param {import('../benches/detect/judge').Event[]} events
 * @param {import('../benches/detect/corpus').Label} [label]
 */
function verdictOn(events, label = leaky) {
  return judge(label, { events: [...events, end], exit: null, stderr: '' });
}

describe('the verdict on a run', () => {
  it('is about the first alarm that stands in the end', () => {
    const verdict = verdictOn([alarm(20, 'a', ['parse']), alarm(35, 'b', ['remember']), takenBack('a')]);
    assert.equal(verdict.alarm, true);
    assert.equal(verdict.alarms, 2);
    assert.equal(verdict.takenBack, 1);
    assert.equal(verdict.alarmSeconds, 35);
    assert.equal(verdict.growth, 8e6);
    assert.equal(verdict.heapUsed, 30e6);
    assert.deepEqual(verdict.sites, ['remember']);
    assert.equal(inAWord(true, verdict), 'right');
    assert.equal(inAWord(false, verdict), 'FALSE ALARM');
  });

  it('does without alarms', () => {
    const verdict = verdictOn([alarm(20, 'a', ['parse']), takenBack('a')], healthy);
    assert.equal(verdict.alarm, false);
    assert.equal(verdict.takenBack, 1);
    assert.equal(verdict.alarmSeconds, null);
    assert.deepEqual(verdict.sites, []);
    assert.equal(verdict.attributable, false);
    assert.equal(inAWord(false, verdict), 'right');
    assert.equal(inAWord(true, verdict), 'MISSED');
  });

  it('tells where the culprit stands among the sites', () => {
    /** @type {[string[], boolean, boolean][]} names, then whether first, whether in three */
    const table = [
      [['remember', 'parse'], true, true],
      [['onRequest'], true, true],
      [['parse', 'write', 'remember'], false, true],
      [['parse', 'write', 'read', 'remember'], false, false],
      [[], false, false],
    ];
    for (const [names, isFirst, isInThree] of table) {
      const { functionFirst, functionInThree } = verdictOn([alarm(20, 'a', names)]);
      assert.deepEqual([functionFirst, functionInThree], [isFirst, isInThree], names.join());
    }
  });

  it('names nobody where the label names nobody', () => {
    const { functionFirst, retainer } = verdictOn([alarm(20, 'a', ['undefined'], [{}])], healthy);
    assert.deepEqual([functionFirst, retainer], [false, false]);
  });

  it('finds the container anywhere in the retainers', () => {
    const path = 'module /srv/app/map.js › byId :Map › "7" › Session';
    assert.equal(verdictOn([alarm(20, 'a', [], [{ path: 'other' }, { path }])]).retainer, true);
    assert.equal(verdictOn([alarm(20, 'a', ['byId'], [{ path: 'other' }])]).retainer, false);
  });

  it('says whether sites are in the source, where that is another file', () => {
    const label = { ...leaky, source: 'src/map.ts' };
    const mapped = alarm(20, 'a', ['remember']);
    mapped.leak.sites[0].scriptName = 'file:///srv/app/src/map.ts';
    assert.equal(verdictOn([mapped], label).sourceNamed, true);
    assert.equal(verdictOn([alarm(20, 'a', ['remember'])], label).sourceNamed, false);
    assert.equal(verdictOn([mapped]).sourceNamed, null);
  });

  it('is none where the server got less than 60 % of its load', () => {
    for (const [requests, word] of /** @type {const} */ ([
      [14_999, 'starved'],
      [15_000, 'MISSED'],
    ])) {
      const verdict = judge(leaky, { events: [{ ...end, requests }], exit: null, stderr: '' });
      assert.equal(inAWord(true, verdict), word);
    }
  });

  it('is an error where the process failed, whatever it had logged', () => {
    const events = [alarm(20, 'a', ['remember']), end];
    const crashed = judge(leaky, { events, exit: 'SIGSEGV', stderr: 'before\nfatal error' });
    assert.match(crashed.error ?? '', /^SIGSEGV before\nfatal error$/);
    assert.equal(inAWord(true, crashed), 'ERROR');
    assert.match(judge(leaky, { events: [], exit: null, stderr: '' }).error ?? '', /^no end event$/);
  });
});

/**
 * @param {import('../benches/detect/corpus').Label} label
 * @param {import('../benches/detect/judge').Event[]} events
 * @returns {import('../benches/detect/results').Result}
 */
function result(label, events) {
  const run = { commit: 'abc1234', date: '2026-01-01T00:00:00.000Z', node: 'v20.20.2', corpus: 'corpus', seconds: 60 };
  const truth = { case: label.case, leaky: label.leaky, set: label.set ?? null };
  return { ...run, ...truth, ...verdictOn(events, label) };
}

const found = result(leaky, [alarm(30, 'a', ['remember'])]);
const late = result(leaky, [alarm(50, 'a', ['parse', 'remember'], [{ path: 'byId :Map' }])]);
const missed = result({ ...leaky, set: 'held-back' }, []);
const quiet = result(healthy, []);
const retracted = result(healthy, [alarm(30, 'a', []), takenBack('a')]);
const falseAlarm = result({ ...healthy, set: 'held-back' }, [alarm(30, 'a', [])]);
const failed = { ...found, alarm: undefined, error: 'SIGSEGV' };
const starved = { ...missed, starved: true };

/** @param {import('../benches/detect/results').Result[]} results */
function summaryOf(results) {
  return Object.fromEntries(summarizeRuns(results).map(({ name, value, met }) => [name, { value, met }]));
}

describe('the summary of runs', () => {
  it('counts', () => {
    const summary = summaryOf([found, late, missed, quiet, retracted, falseAlarm, failed, starved]);
    assert.deepEqual(
      Object.values(summary).map(({ value }) => value),
      [6, 3, 1, 1, 1 / 6, 1 / 6, 1 / 3, 2 / 3, 2 / 3, 40, 8, 30, 0.5, 1, null, 0.5, 0.5],
    );
    assert.deepEqual(summary['time to the alarm, median'], { value: 40, met: true });
    assert.deepEqual(summary['right retainer'], { value: 0.5, met: false });
    assert.equal(summary.failed.met, false);
    assert.equal(summary.precision.met, undefined);
  });

  it('has nothing to say of nothing', () => {
    for (const [name, { value, met }] of Object.entries(summaryOf([]))) {
      assert.ok(value === null || value === 0, name);
      assert.notEqual(met, false, name);
    }
  });

  it('allows one miss and one false alarm in a hundred runs', () => {
    const results = [missed, falseAlarm, ...Array.from({ length: 98 }, (_, at) => (at % 2 ? found : quiet))];
    assert.equal(summaryOf(results)['missed, of judged'].met, true);
    assert.equal(summaryOf(results)['standing false alarms, of judged'].met, true);
    assert.equal(summaryOf([...results.slice(0, -1), missed])['missed, of judged'].met, false);
  });
});

describe('what is printed', () => {
  it('of a run', () => {
    assert.match(
      renderRun(found),
      /^leak-map +right +30 s, heap, 8\.0 MB sites: remember \(right\); retainer not named$/,
    );
    assert.match(renderRun(late), /sites: parse, remember \(right, not first\); retainer named$/);
    assert.match(renderRun(missed), /^leak-map +MISSED$/);
    assert.match(renderRun(retracted), /^ok-cache +right +\(1 taken back\)$/);
    assert.match(renderRun(failed), /^leak-map +ERROR +SIGSEGV$/);
  });

  it('of many: what is held back also apart, with the targets', () => {
    const { text, met } = renderSummary('Results', [found, late, missed, quiet, falseAlarm]);
    assert.match(text, /^Results\n +all +tuning +held back +target\n/);
    assert.match(text, /^ +runs judged +5 +3 +2$/m);
    assert.match(text, /^ +recall +66\.7 % +100\.0 % +0\.0 %$/m);
    assert.match(text, /^ +time to the alarm, median +40\.0 s +40\.0 s +- +at most 45 s +met$/m);
    assert.match(text, /^ +right retainer +50\.0 % +50\.0 % +- +at least 90 % +MISSED$/m);
    assert.equal(met, false);
    assert.equal(renderSummary('Results', [quiet]).met, true);
  });
});

it('the results file is added to, and read', (t) => {
  const file = path.join(temporaryFolder(t), 'results.jsonl');
  assert.deepEqual(readResults(file), []);
  addResult(file, found);
  addResult(file, quiet);
  assert.deepEqual(readResults(file), [found, quiet]);
});
