'use strict';

require('leakguard');
