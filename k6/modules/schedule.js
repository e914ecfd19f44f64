// SPDX-License-Identifier: Apache-2.0
// Which scenario runs when. A block is one stretch of one scenario: {id, name, start, end}, seconds from the start of the run.
import { ANOMALIES } from './labels.js';
import { generator, shuffled } from './random.js';

const ANSWER_SECONDS = 30; // gracefulStop: what a request and its delivery may take after the block ended

/** The classic run: baseline, then one fault after the other, without a pause; the last for half the time. */
function timeline(s, names) {
  const blocks = [];
  let at = s.warmUp;
  const add = (name, length) => {
    blocks.push({ id: name, name, start: at, end: at + length });
    at += length;
  };
  add('baseline', s.baseline);
  for (const name of names) add(name, name === 'error_spike' ? s.duration / 2 : s.duration);
  return blocks;
}

/** Each fault `repeats` times in an order that the seed gives, baseline before, between and after, and gaps without load. */
function shuffledBlocks(s, names) {
  const random = generator(s.seed);
  const blocks = [];
  const counts = {};
  let at = s.warmUp > 0 ? s.warmUp + s.gap : 0;
  const add = (name, length) => {
    counts[name] = (counts[name] || 0) + 1;
    blocks.push({ id: `${name}_${counts[name]}`, name, start: at, end: at + length });
    at += length + s.gap;
  };
  add('baseline', s.baseline);
  for (let i = 0; i < s.repeats; i++) {
    for (const name of shuffled(names, random)) {
      add(name, s.duration);
      add('baseline', s.baseline);
    }
  }
  return blocks;
}

export function blocksOf(s) {
  const names = s.only.length > 0 ? ANOMALIES.filter((name) => s.only.includes(name)) : ANOMALIES;
  for (const name of s.only) {
    if (name !== 'baseline' && !ANOMALIES.includes(name)) throw new Error(`SCENARIOS: ${name} is not known; known: baseline, ${ANOMALIES.join(', ')}`);
  }
  return s.order === 'timeline' ? timeline(s, names) : shuffledBlocks(s, names);
}

function arrivals(s, rate, start, length, exec, env, tags) {
  const perMinute = Math.max(1, Math.round(rate * 60));
  const ramp = Math.min(s.ramp, length);
  const stages = [];
  if (ramp > 0) stages.push({ target: perMinute, duration: `${ramp}s` });
  stages.push({ target: perMinute, duration: `${Math.max(length - ramp, 0.001)}s` });
  return {
    executor: 'ramping-arrival-rate',
    exec,
    startTime: `${start}s`,
    startRate: ramp > 0 ? Math.max(1, Math.round(perMinute / 10)) : perMinute,
    timeUnit: '1m',
    stages,
    // Faults hold requests for up to 5 s; all VUs are there from the start, since making one takes time from the load.
    preAllocatedVUs: Math.ceil(rate * 6) + 4,
    gracefulStop: `${ANSWER_SECONDS}s`,
    env,
    tags,
  };
}

/** k6's `scenarios`: one for each block, the warm-up, and the one that keeps the label windows. */
export function scenariosOf(s, blocks) {
  const scenarios = {};
  if (s.warmUp > 0) scenarios.warm_up = arrivals(s, s.rate, 0, s.warmUp, 'warmUp', {}, { kind: 'warm_up' });
  for (const block of blocks) {
    const rate = block.name === 'baseline' ? s.baselineRate : s.rate;
    scenarios[block.id] = arrivals(s, rate, block.start, block.end - block.start, 'shop', { BLOCK: block.id, SCENARIO: block.name }, { anomaly: block.name });
  }
  if (s.otlp !== '') {
    const last = blocks[blocks.length - 1].end;
    scenarios.label_windows = {
      executor: 'per-vu-iterations', exec: 'labelWindows', vus: 1, iterations: 1,
      maxDuration: `${Math.ceil(last + ANSWER_SECONDS)}s`, gracefulStop: '5s',
    };
  }
  return scenarios;
}
