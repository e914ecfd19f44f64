// SPDX-License-Identifier: Apache-2.0
// The eight scenarios of the robot-shop flow and the labels they put on every request.

const TABLE = [
  // scenario, type, root cause, label, message
  ['baseline', 'none', 'none', 'normal', 'baseline healthy traffic'],
  ['latency_spike', 'latency_spike', 'slow_database_query', 'anomalous', 'catalogue runs slow database queries'],
  ['db_exhaustion', 'db_exhaustion', 'connection_pool_exhaustion', 'anomalous', 'user has no free database connection'],
  ['cpu_saturation', 'cpu_saturation', 'high_cpu_usage', 'anomalous', 'shipping is short of CPU'],
  ['cache_miss', 'cache_miss', 'cache_key_explosion', 'anomalous', 'catalogue misses its cache'],
  ['dependency_bottleneck', 'dependency_bottleneck', 'external_payment_latency', 'anomalous', 'the payment provider is slow'],
  ['timeout', 'timeout', 'downstream_service_timeout', 'anomalous', 'dispatch does not answer in time'],
  ['error_spike', 'error_spike', 'service_unavailable', 'anomalous', 'cart is unavailable'],
];

/** By scenario name: {type, label, rootCause, msg}. */
export const LABELS = Object.fromEntries(
  TABLE.map(([name, type, rootCause, label, msg]) => [name, { type, label, rootCause, msg }]),
);

export const ANOMALIES = TABLE.slice(1).map(([name]) => name);

/** The four headers, in the order of the columns of a dataset. */
export function headersOf(label) {
  return {
    'x-anomaly-type': label.type,
    'x-anomaly-label': label.label,
    'x-anomaly-root-cause': label.rootCause,
    'x-anomaly-msg': label.msg,
  };
}

/** The same as W3C baggage, which OpenTelemetry SDKs pass on unasked. */
export function baggageOf(label) {
  return Object.entries(headersOf(label))
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join(',');
}
