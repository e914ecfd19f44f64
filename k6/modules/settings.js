// SPDX-License-Identifier: Apache-2.0
// What the environment says (k6 run -e NAME=VALUE), checked once.

/** Seconds of "90", "30s", "1m30s", "2h", "500ms". */
export function seconds(name, otherwise) {
  const text = __ENV[name] || otherwise;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) throw new Error(`${name}=${text} is not a duration; write 30s or 2m`);
  const units = { ms: 0.001, s: 1, m: 60, h: 3600 };
  let sum = 0;
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g)) sum += Number(number) * units[unit];
  return sum;
}

function number(name, otherwise, least, most) {
  const value = Number(__ENV[name] || otherwise);
  if (!(value >= least && value <= most)) throw new Error(`${name}=${__ENV[name]} is not a number from ${least} to ${most}`);
  return value;
}

function url(name, otherwise) {
  const text = (__ENV[name] || otherwise).replace(/\/+$/, '');
  if (text !== '' && !/^https?:\/\/[^/]+/.test(text)) throw new Error(`${name}=${text} is not a URL; write http://host:port`);
  return text;
}

function order() {
  const value = __ENV.ORDER || 'shuffled';
  if (value !== 'shuffled' && value !== 'timeline') throw new Error(`ORDER=${value}: write shuffled or timeline`);
  return value;
}

export function settings() {
  const timeline = order() === 'timeline';
  const duration = seconds('DURATION', timeline ? '2m' : '30s');
  const rate = number('ANOMALY_RATE', '4', 0.1, 1000);
  return {
    order: order(),
    seed: number('SEED', '1', 0, 4294967295),
    repeats: timeline ? 1 : number('REPEATS', '3', 1, 100),
    duration,
    baseline: seconds('BASELINE_DURATION', String(duration)),
    ramp: seconds('RAMP_DURATION', '0s'),
    gap: timeline ? 0 : seconds('GAP', '15s'),
    warmUp: seconds('WARM_UP', timeline ? '0s' : '30s'),
    rate,
    // The same by default: otherwise the rate alone would tell the label.
    baselineRate: number('BASELINE_RATE', String(rate), 0.1, 1000),
    base: url('BASE_URL', 'http://127.0.0.1:18080'),
    otlp: url('OTLP', ''),
    journeys: __ENV.JOURNEYS || 'shop',
    only: (__ENV.SCENARIOS || '').split(',').filter((name) => name !== ''),
  };
}
