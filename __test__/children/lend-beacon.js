'use strict';

// Is armed, and hands what it shows to the outside to a process that is not, as a fork would.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
require('../..');
const { say } = require('./report');

const isBeacon = (/** @type {string} */ fd) => {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith('/memfd:leakguard-beacon');
  } catch {
    // The descriptor by which the folder was read.
    return false;
  }
};
const beacons = fs.readdirSync('/proc/self/fd').filter(isBeacon).map(Number);
const stranger = spawn(process.execPath, [path.join(__dirname, 'stranger.js')], {
  stdio: ['ignore', 'pipe', 'inherit', ...beacons],
});
stranger.stdout?.once('data', () => say('ready', { pid: stranger.pid, beacons: beacons.length }));
stranger.on('exit', (code, signal) => say('ended', { code, signal }));
