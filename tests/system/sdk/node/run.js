'use strict';
// usage: run.js DIRECTORY_OF_NODE_MODULES BASE_URL KEY
//
// SDK_CONTROL in the environment: where the sandbox's control calls are, if it is one.

const {run} = require('./kit');

require('./objects');
require('./lists');
require('./filters');
require('./errors');
require('./protocol');
require('./payments');
require('./billing');
require('./more');
require('./sales');
require('./webhooks');

run();
