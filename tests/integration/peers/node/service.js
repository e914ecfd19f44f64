// SPDX-License-Identifier: Apache-2.0
// An HTTP service with the official SDK and its http instrumentation, which calls itself and exports everything.
// usage: node service.js ENDPOINT proto|json REQUESTS ANOMALY_TYPE     prints {"spans": …, "points": …, "records": …, "failed": …}
'use strict';

const [endpoint, encoding, requests, anomalyType] = process.argv.slice(2);
const kind = encoding === 'json' ? 'http' : 'proto';

const { resourceFromAttributes } = require('@opentelemetry/resources');
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');
const { BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${kind}`);
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${kind}`);
const { LoggerProvider, BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs');
const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-http');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');

const resource = resourceFromAttributes({ 'service.name': `node-${encoding}` });
const count = { spans: 0, points: 0, records: 0, failed: 0 };
const to = (signal) => ({ url: `${endpoint}/v1/${signal}`, compression: 'gzip' });

// Counts what an exporter was given and whether the delivery succeeded.
function counted(exporter, field, size) {
  const inner = exporter.export.bind(exporter);
  exporter.export = (items, done) => inner(items, (result) => {
    count[result.code === 0 ? field : 'failed'] += size(items);
    done(result);
  });
  return exporter;
}

const points = (metrics) => metrics.scopeMetrics.flatMap((s) => s.metrics).reduce((n, m) => n + m.dataPoints.length, 0);
const tracers = new NodeTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(counted(new OTLPTraceExporter(to('traces')), 'spans', (s) => s.length))],
});
tracers.register();
const reader = new PeriodicExportingMetricReader({ exporter: counted(new OTLPMetricExporter(to('metrics')), 'points', points) });
const meters = new MeterProvider({ resource, readers: [reader] });
const loggers = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor(counted(new OTLPLogExporter(to('logs')), 'records', (r) => r.length))],
});
const headers = ['x-anomaly-type', 'x-anomaly-label', 'x-anomaly-root-cause', 'x-anomaly-msg'];
registerInstrumentations({
  tracerProvider: tracers,
  meterProvider: meters,
  instrumentations: [new HttpInstrumentation({
    headersToSpanAttributes: { server: { requestHeaders: headers } },
    ignoreOutgoingRequestHook: (options) => String(options.path).startsWith('/v1/'),
  })],
});

const http = require('http');
const served = meters.getMeter('shop').createCounter('shop.requests');
const logger = loggers.getLogger('shop');

const server = http.createServer((request, response) => {
  served.add(1, { route: request.url });
  logger.emit({ severityNumber: 9, severityText: 'INFO', body: `served ${request.url}` });
  response.end('ok');
});

function ask(port, path) {
  return new Promise((resolve, reject) => {
    const options = { port, path, headers: {
      'x-anomaly-type': anomalyType, 'x-anomaly-label': 'anomalous',
      'x-anomaly-root-cause': 'slow_database_query', 'x-anomaly-msg': 'from the node peer' } };
    http.get(options, (response) => { response.resume(); response.on('end', resolve); }).on('error', reject);
  });
}

server.listen(0, '127.0.0.1', async () => {
  for (let i = 0; i < Number(requests); i++) await ask(server.address().port, `/item/${i}`);
  server.close();
  await Promise.all([tracers.forceFlush(), meters.forceFlush(), loggers.forceFlush()]);
  await Promise.all([tracers.shutdown(), meters.shutdown(), loggers.shutdown()]);
  console.log(JSON.stringify(count));
});
