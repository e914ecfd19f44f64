// SPDX-License-Identifier: Apache-2.0
// What the Node.js services share: an HTTP server, calls to other services, a database pool, a Redis client, logging.
'use strict';

const http = require('node:http');
const express = require('express');
const { Pool } = require('pg');
const { createClient } = require('redis');
const pino = require('pino');
const { stopOnSignal } = require('./telemetry');

const FORWARDED = ['x-anomaly-type', 'x-anomaly-label', 'x-anomaly-root-cause', 'x-anomaly-msg'];

exports.log = pino({ level: process.env.LOG_LEVEL || 'info' });

/** The fault that this request asks for, '' for none. */
exports.faultOf = (request) => request.get('x-anomaly-type') || '';

class CallError extends Error {
  constructor(service, status, message) {
    super(`${service}: ${message}`);
    this.status = status;
  }
}

/** Calls a service; what it answers as JSON. A late answer is a 504, an error of the service keeps its status. */
exports.call = async function call(request, service, path, { method = 'GET', body, timeout = 5000 } = {}) {
  const headers = {};
  for (const name of FORWARDED) if (request.get(name)) headers[name] = request.get(name);
  if (body) headers['content-type'] = 'application/json';
  const base = process.env[`${service.toUpperCase()}_URL`];
  let answer, text;
  try {
    answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(timeout) });
    text = await answer.text();
  } catch (error) {
    if (error.name === 'TimeoutError') throw new CallError(service, 504, `no answer in ${timeout} ms`);
    throw new CallError(service, 502, error.cause ? error.cause.message || error.cause.code : error.message);
  }
  if (!answer.ok) throw new CallError(service, answer.status, text.slice(0, 200));
  return JSON.parse(text);
};

/** A small pool, so that a client who holds connections can empty it. Waiting for one ends after a second. */
exports.database = (max = 5) => {
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max, connectionTimeoutMillis: 1000, application_name: process.env.OTEL_SERVICE_NAME });
  pool.on('error', (error) => exports.log.error({ error: error.message }, 'database connection lost'));
  return pool;
};

exports.cache = async () => {
  const client = createClient({ url: process.env.REDIS_URL });
  client.on('error', (error) => exports.log.error({ error: error.message }, 'redis connection lost'));
  await client.connect();
  return client;
};

/** Serves what `routes(app)` adds on 127.0.0.1:$PORT, and /health. */
exports.serve = function serve(routes) {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ limit: '64kb' }));
  app.get('/health', (_, answer) => answer.send('ok'));
  routes(app);
  app.use((error, request, answer, next) => {
    if (answer.headersSent) return next(error);
    const status = error.status || 500;
    exports.log.error({ path: request.path, status, fault: exports.faultOf(request) }, error.message);
    answer.status(status).json({ error: error.message });
  });
  const server = http.createServer(app);
  server.keepAliveTimeout = 65000;
  server.listen(Number(process.env.PORT), process.env.HOST || '127.0.0.1', () => exports.log.info(`listening on ${process.env.PORT}`));
  stopOnSignal(() => new Promise((done) => {
    server.close(done);
    server.closeIdleConnections();
  }));
};
