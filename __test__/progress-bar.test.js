'use strict';

// What the commands show on a terminal while they work.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { progressBar } = require('../lib/cli/progress-bar');

/**
 * A bar whose work has taken some seconds, and what it writes.
 *
 * @param {import('node:test').TestContext} t
 * @param {boolean} isTTY
 */
function startBar(t, isTTY) {
  const written = /** @type {string[]} */ ([]);
  const stream = /** @type {any} */ ({ isTTY, write: (/** @type {string} */ text) => written.push(text) });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const bar = progressBar(stream);
  bar.show(0.1, 'too early');
  now = 5_000;
  return { bar, written };
}

describe('a progress bar', () => {
  it('shows what is done, in place', (t) => {
    const { bar, written } = startBar(t, true);
    bar.show(0.5, 'writing, two more');
    bar.show(0.5, 'writing, two more');
    bar.show(1, 'syncing');
    bar.show(undefined, 'waiting');
    bar.clear();
    bar.show(1, 'too late');
    const [half, whole, waiting, cleared, ...rest] = written;
    assert.equal(half, `\r${'█'.repeat(20)}${'░'.repeat(20)}  50 % writing, two more`);
    // Nothing is left of a longer text.
    assert.equal(whole, `\r${'█'.repeat(40)} 100 % syncing`.padEnd(half.length));
    assert.equal(waiting.trimEnd(), '\rwaiting');
    assert.match(cleared, /^\r {7}\r$/);
    assert.deepEqual(rest, []);
  });

  it('writes nothing where there is no terminal', (t) => {
    const { bar, written } = startBar(t, false);
    bar.show(0.5, 'writing');
    bar.clear();
    assert.deepEqual(written, []);
  });
});
