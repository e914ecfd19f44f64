// SPDX-License-Identifier: Apache-2.0
// Loaded before a service (`node --require ./telemetry.js web.js`): the official OpenTelemetry SDK with its defaults, sending
// traces, metrics and logs over OTLP/HTTP as the OTEL_* variables say.
//
// SHOP_CAPTURE_HEADERS=1  server spans carry the x-anomaly-* request headers (Node.js has no environment variable for that)
// SHOP_CLOCK_OFFSET_MS    this service's clock is that much off (tests)
// SHOP_SPANS=FILE         each span that ended, one line: trace id, span id, name. Counted by this file, not by the exporter
'use strict';

const fs = require('node:fs');
const { NodeSDK, tracing } = require('@opentelemetry/sdk-node');
const { getNodeAutoInstrumentations } = require('@opentelemetry/auto-instrumentations-node');
const { HostMetrics } = require('@opentelemetry/host-metrics');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');

const offset = Number(process.env.SHOP_CLOCK_OFFSET_MS || 0);
if (offset !== 0) {
  const now = Date.now;
  Date.now = () => now() + offset;
}

const ANOMALY_HEADERS = ['x-anomaly-type', 'x-anomaly-label', 'x-anomaly-root-cause', 'x-anomaly-msg'];

/** Writes what ended to a file, line by line; knows nothing of export. */
class SpanFile {
  constructor(path) {
    this.fd = fs.openSync(path, 'a');
    this.lines = '';
    this.timer = setInterval(() => this.write(), 500);
    this.timer.unref();
  }

  write() {
    try {
      if (this.lines !== '') fs.writeSync(this.fd, this.lines);
    } catch (error) {
      console.error('telemetry: spans are not counted:', error.message); // a full disk is no reason to end the service
    }
    this.lines = '';
  }

  onStart() {}

  onEnd(span) {
    const context = span.spanContext();
    if (context.traceFlags & 1) this.lines += `${context.traceId} ${context.spanId} ${span.name}\n`;
  }

  async forceFlush() {
    this.write();
  }

  async shutdown() {
    clearInterval(this.timer);
    this.write();
  }
}

const capture = process.env.SHOP_CAPTURE_HEADERS === '1';
const processors = [new tracing.BatchSpanProcessor(new OTLPTraceExporter())];
if (process.env.SHOP_SPANS) processors.push(new SpanFile(process.env.SHOP_SPANS));

const sdk = new NodeSDK({
  spanProcessors: processors,
  instrumentations: [
    getNodeAutoInstrumentations({
      '@opentelemetry/instrumentation-fs': { enabled: false },
      '@opentelemetry/instrumentation-net': { enabled: false },
      '@opentelemetry/instrumentation-dns': { enabled: false },
      '@opentelemetry/instrumentation-http': capture
        ? { headersToSpanAttributes: { server: { requestHeaders: ANOMALY_HEADERS } } }
        : {},
    }),
  ],
});
sdk.start();
new HostMetrics({ name: 'host-metrics' }).start();

/** What still waits in the SDK is sent, then the process ends. `close` stops the service's own listening first. */
exports.stopOnSignal = function stopOnSignal(close) {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await Promise.race([close(), new Promise((done) => setTimeout(done, 3000))]);
    await sdk.shutdown().catch((error) => console.error('telemetry: shutdown:', error.message));
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
};
