'use strict';

// Chrome DevTools' heap worker reads a snapshot and finds all that it shows, classes included.

const { analyzeWithDevTools } = require('../../__test__/devtools/engines');

analyzeWithDevTools(process.argv[2]).then(() => process.exit());
