// SPDX-License-Identifier: Apache-2.0
/*
 * Labelled load for a shop: eight scenarios, each request with the four x-anomaly-* headers, a traceparent of its own and the labels as
 * baggage; and, when OTLP names a Telltale, the root span of each request and a label window for each block.
 *
 *   k6 run --no-usage-report -e BASE_URL=http://my-shop:8080 -e OTLP=http://telltale:4318 k6/labelled.js
 *
 *   BASE_URL           the shop (http://127.0.0.1:18080)
 *   OTLP               Telltale's OTLP/HTTP address; not set: nothing is sent to it
 *   ORDER              shuffled (default) or timeline: baseline 2 min, six faults of 2 min, error_spike 1 min
 *   DURATION           of a fault's block (30s; timeline 2m)        BASELINE_DURATION  of a baseline's (as DURATION)
 *   ANOMALY_RATE       requests a second (4)                        BASELINE_RATE      (as ANOMALY_RATE)
 *   RAMP_DURATION      from a tenth of the rate to all of it (0s)   REPEATS            of each fault (3)
 *   GAP                without load between blocks (15s)            WARM_UP            unlabelled, unsampled (30s)
 *   SEED               of the order and of the requests (1)         SCENARIOS          only these, by comma
 *   JOURNEYS           shop, robot-shop, or the path of a JSON file of that form (shop)
 */
import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

import { adviceFor } from './modules/advice.js';
import { LABELS, baggageOf, headersOf } from './modules/labels.js';
import { nextRequest } from './modules/journeys.js';
import { generator, hash } from './modules/random.js';
import { blocksOf, scenariosOf } from './modules/schedule.js';
import { settings } from './modules/settings.js';
import { LEASE_SECONDS, closeWindow, deliver, openWindow, probe, renewWindow } from './modules/telltale.js';
import { newTrace, rootSpanRequest, traceparentOf } from './modules/trace.js';

const run = settings();
const blocks = blocksOf(run);
const shopRequests = new Counter('shop_requests');

export const options = {
  scenarios: scenariosOf(run, blocks),
  // The shop's own answers, without warm-up and deliveries; a threshold is what makes k6 print a submetric.
  thresholds: {
    'http_reqs{kind:shop}': ['count>=0'],
    'http_req_duration{kind:shop}': ['max>=0'],
    'http_req_failed{anomaly:baseline}': ['rate<0.01'],
    telltale_failed_deliveries: ['count<1'],
  },
  setupTimeout: '30s',
  ext: { telltale: { ...run, blocks } }, // what is going to run, for those who ask with `k6 inspect`
};

export function setup() {
  try {
    const headers = { traceparent: traceparentOf(newTrace(), false) }; // in nobody's dataset
    http.get(`${run.base}/`, { headers, tags: { kind: 'probe' }, responseCallback: null, redirects: 0, timeout: '5s', throw: true });
  } catch (error) {
    exec.test.abort(`no shop answers at ${run.base}: ${adviceFor(error.message || String(error), 'start one with k6/shop/shop start, or set BASE_URL')}`);
  }
  const problem = run.otlp === '' ? '' : probe(run.otlp);
  if (problem !== '') console.warn(`${problem}. The run goes on; traces are labelled only by what the services capture.`);
  return { deliver: run.otlp !== '' && problem === '', begin: Date.now() };
}

const TELL_ONE_IN = 20;

/** A request that got no answer: k6 counts it by itself, and would log a line for each. VUs share nothing: one in 20 is told. */
function unanswered(error) {
  const reason = (error.message || String(error)).replace(/^.*: /s, '');
  if (exec.scenario.iterationInTest % TELL_ONE_IN === 0)
    console.warn(`the shop at ${run.base} does not answer: ${reason} (one line for ${TELL_ONE_IN} requests; http_req_failed counts them)`);
  return { status: 0, reason, timings: { duration: 0 } };
}

function send(request, headers, kind) {
  try {
    return http.request(request.method, run.base + request.path, request.body, {
      headers: request.body ? { 'Content-Type': 'application/json', ...headers } : headers,
      tags: { kind, name: request.route },
      timeout: '10s',
      redirects: 0,
      throw: true,
    });
  } catch (error) {
    return unanswered(error);
  }
}

/** One journey under the block's label. */
export async function shop(data) {
  const block = __ENV.BLOCK;
  const label = LABELS[__ENV.SCENARIO];
  const request = nextRequest(generator(run.seed ^ hash(`${block} ${exec.scenario.iterationInTest}`)));
  const trace = newTrace();
  const startMs = Date.now();
  const answer = send(request, { ...headersOf(label), baggage: baggageOf(label), traceparent: traceparentOf(trace, true) }, 'shop');
  const endMs = Math.max(Date.now(), startMs + answer.timings.duration);
  shopRequests.add(1);
  if (!data.deliver) return;
  await deliver(run.otlp, rootSpanRequest(trace, request, label, {
    url: run.base + request.path, startMs, endMs, status: answer.status, error: answer.reason || '', block,
  }));
}

/** The same requests without labels and with the sampled flag off: JVMs get warm, and nothing of it is recorded. */
export function warmUp() {
  const request = nextRequest(generator(run.seed ^ hash(`warm up ${exec.scenario.iterationInTest}`)));
  send(request, { traceparent: traceparentOf(newTrace(), false) }, 'warm_up');
}

/** Until the wall clock shows `endMs`; keeps the window open meanwhile. The window's id then: another one when Telltale lost it. */
async function keepOpen(id, label, endMs) {
  const pause = LEASE_SECONDS / 3;
  for (let left = (endMs - Date.now()) / 1000; left > 0; left = (endMs - Date.now()) / 1000) {
    sleep(Math.min(left, pause));
    if (left > pause && id !== null && !(await renewWindow(run.otlp, id))) id = await openWindow(run.otlp, label, Date.now());
  }
  return id;
}

/** Opens the window of each block when it starts, and closes it when it ends. One VU, one iteration: it keeps the ids. */
export async function labelWindows(data) {
  if (!data.deliver) return;
  const begin = exec.scenario.startTime;
  for (const block of blocks) {
    const label = LABELS[block.name];
    sleep(Math.max(0, (begin + block.start * 1000 - Date.now()) / 1000));
    const id = await keepOpen(await openWindow(run.otlp, label, begin + Math.round(block.start * 1000)), label, begin + block.end * 1000);
    if (id !== null) await closeWindow(run.otlp, id, begin + Math.round(block.end * 1000));
  }
}

export function teardown(data) {
  const seconds = (Date.now() - data.begin) / 1000;
  const open = blocks.find((block) => block.start <= seconds && seconds < block.end);
  if (open && data.deliver) console.warn(`interrupted in block ${open.id}: its label window ends by itself within ${LEASE_SECONDS} s`);
}
