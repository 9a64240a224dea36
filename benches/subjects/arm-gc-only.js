'use strict';

// Preloaded: leakguard with its GC callbacks and nothing that samples or judges.

require('leakguard').start({ sample: false, detect: false });
