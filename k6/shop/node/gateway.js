// SPDX-License-Identifier: Apache-2.0
// The payment provider, a company of its own: no OpenTelemetry here. It is slow for orders that ask for it.
'use strict';

const http = require('node:http');

http.createServer((request, answer) => {
  let body = '';
  request.on('data', (piece) => { body += piece; });
  request.on('end', () => {
    const slow = /"slow": ?true/.test(body);
    const wait = slow ? 800 + Math.random() * 800 : 5 + Math.random() * 10;
    setTimeout(() => answer.end('{"paid":true}'), wait);
  });
}).listen(Number(process.env.PORT), process.env.HOST || '127.0.0.1');
