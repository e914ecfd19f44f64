// SPDX-License-Identifier: Apache-2.0
// W3C trace context, and a span as OTLP/JSON.
import crypto from 'k6/crypto';

function randomHex(bytes) {
  const view = new Uint8Array(crypto.randomBytes(bytes));
  let text = '';
  for (const byte of view) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Ids of a trace and its root span; never all zero in practice: 2^-64. */
export function newTrace() {
  return { traceId: randomHex(16), spanId: randomHex(8) };
}

/** sampled: false tells the SDKs to record nothing. */
export function traceparentOf(trace, sampled) {
  return `00-${trace.traceId}-${trace.spanId}-${sampled ? '01' : '00'}`;
}

const text = (key, value) => ({ key, value: { stringValue: String(value) } });
const whole = (key, value) => ({ key, value: { intValue: String(value) } });

const CLIENT = 3;
const STATUS_ERROR = 2;

/** Wall clock milliseconds as OTLP's nanoseconds: a text, since the number does not fit a double. */
const nanos = (ms) => `${Math.floor(ms)}${String(Math.round((ms % 1) * 1e6)).padStart(6, '0')}`;

/**
 * An ExportTraceServiceRequest with one root client span, labelled by its own attributes.
 * startMs, endMs: wall clock. status: HTTP status, 0 when no answer came.
 */
export function rootSpanRequest(trace, request, label, { url, startMs, endMs, status, error, block }) {
  const attributes = [
    text('http.request.method', request.method),
    text('url.full', url),
    text('http.route', request.route),
    text('shop.journey', request.journey),
    text('k6.scenario', block),
    text('anomaly.type', label.type),
    text('anomaly.label', label.label),
    text('anomaly.root_cause', label.rootCause),
    text('anomaly.msg', label.msg),
  ];
  if (status > 0) attributes.push(whole('http.response.status_code', status));
  if (error) attributes.push(text('error.type', error));
  const span = {
    traceId: trace.traceId,
    spanId: trace.spanId,
    name: `${request.method} ${request.route}`,
    kind: CLIENT,
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(endMs),
    attributes,
    status: status === 0 || status >= 400 ? { code: STATUS_ERROR } : {},
  };
  return {
    resourceSpans: [{
      resource: { attributes: [text('service.name', 'k6'), text('telemetry.sdk.name', 'telltale-k6'), text('telemetry.sdk.language', 'javascript')] },
      scopeSpans: [{ scope: { name: 'labelled.js' }, spans: [span] }],
    }],
  };
}
