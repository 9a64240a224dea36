'use strict';

// Stands for nodemon, by its name: runs idle.js and tells how it ended.

const { spawn } = require('node:child_process');
const path = require('node:path');
const { say } = require('./report');

const args = [path.join(__dirname, 'idle.js'), process.argv[2]];
spawn(process.execPath, args, { stdio: 'inherit' }).on('exit', (code, signal) => say('ended', { code, signal }));
