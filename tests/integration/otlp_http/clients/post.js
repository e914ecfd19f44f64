// SPDX-License-Identifier: Apache-2.0
// The same as post.go with Node's http module. Usage: post.js URL CONTENT-TYPE BYTES|@FILE REQUESTS PARALLEL length|chunked
'use strict';
const fs = require('node:fs');
const http = require('node:http');

const [url, type, bytes, requests, parallel, framing] = process.argv.slice(2);
const body = bytes.startsWith('@') ? fs.readFileSync(bytes.slice(1)) : Buffer.alloc(Number(bytes));
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(parallel) });
const counts = {};

function post() {
    return new Promise((resolve) => {
        const headers = { 'Content-Type': type };
        if (framing === 'length') headers['Content-Length'] = body.length;
        const request = http.request(url, { method: 'POST', agent, headers, timeout: 60000 });
        let answered = false;
        request.on('response', (answer) => {
            answer.on('end', () => { answered = true; resolve(String(answer.statusCode)); });
            answer.on('error', () => resolve('lost'));
            answer.resume();
        });
        request.on('timeout', () => request.destroy(new Error('timeout')));
        request.on('error', (error) => {
            if (!answered) console.error(error.message);
            resolve('lost');
        });
        for (let at = 0; at < body.length; at += 65536) request.write(body.subarray(at, at + 65536));
        request.end();
    });
}

async function worker(count) {
    for (let i = 0; i < count; i++) {
        const status = await post();
        counts[status] = (counts[status] || 0) + 1;
    }
}

Promise.all(Array.from({ length: Number(parallel) }, () => worker(Number(requests) / Number(parallel))))
    .then(() => { console.log(JSON.stringify(counts)); agent.destroy(); });
