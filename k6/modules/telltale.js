// SPDX-License-Identifier: Apache-2.0
// Deliveries to Telltale: root spans (POST /v1/traces) and label windows (POST /v1/labels). None of them counts as a request of the load.
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

import { adviceFor } from './advice.js';

const delivered = new Counter('telltale_delivered');
const failed = new Counter('telltale_failed_deliveries');

const ATTEMPTS = 4;
const PAUSE_SECONDS = 0.5;
const GIVE_UP_AFTER = 3; // failed deliveries in a row, then this VU tries one in ten only

const PARAMS = {
  headers: { 'Content-Type': 'application/json' },
  tags: { kind: 'telltale', name: 'telltale' },
  timeout: '10s',
  redirects: 0,
  responseCallback: null, // not part of http_req_failed
  throw: true, // caught below: otherwise k6 logs a line for each request that finds nobody
};

let failuresInARow = 0;

/** 429 and 5xx of a server that is busy are asked again, as OTLP wants; 0 is a connection that broke. */
const isTransient = (status) => status === 0 || status === 429 || (status >= 502 && status <= 504);

const nobody = (error) => ({ status: 0, error: error.message || String(error), body: '' });

async function post(url, body, attempts) {
  let answer;
  for (let i = 0; i < attempts; i++) {
    if (i > 0) sleep(PAUSE_SECONDS * 2 ** (i - 1));
    try {
      answer = await http.asyncRequest('POST', url, body, PARAMS);
    } catch (error) {
      answer = nobody(error);
    }
    if (!isTransient(answer.status)) break;
  }
  return answer;
}

/** Sends one root span; a span that could not be delivered is counted, and fails the run by a threshold. */
export async function deliver(otlp, request) {
  if (failuresInARow >= GIVE_UP_AFTER && Math.random() > 0.1) {
    failed.add(1);
    return;
  }
  const answer = await post(`${otlp}/v1/traces`, JSON.stringify(request), failuresInARow > 0 ? 1 : ATTEMPTS);
  const isTaken = answer.status === 200 && !/rejectedSpans":\s*"?[1-9]/.test(answer.body || '');
  failuresInARow = isTaken ? 0 : failuresInARow + 1;
  (isTaken ? delivered : failed).add(1);
}

/** Asks once, before the run. '' when Telltale takes OTLP there, else what is wrong, for a person. */
export function probe(otlp) {
  let answer;
  try {
    answer = http.post(`${otlp}/v1/traces`, '{"resourceSpans":[]}', { ...PARAMS, timeout: '3s' });
  } catch (error) {
    answer = nobody(error);
  }
  if (answer.status === 200) return '';
  failed.add(1);
  if (answer.status === 0) return `no Telltale answers at ${otlp}: ${adviceFor(answer.error, 'start it with: telltale run')}`;
  if (answer.status === 404 || answer.status === 405 || answer.status === 415)
    return `what answers at ${otlp} is not an OTLP/HTTP receiver (status ${answer.status}): write its address without a path; the port is 4318 by default`;
  return `${otlp} refuses spans with status ${answer.status}: ${String(answer.body).slice(0, 200)}`;
}

// A k6 that dies cannot close its window: it ends by itself this long after it was last heard of.
export const LEASE_SECONDS = 10;
const lease = `${LEASE_SECONDS}s`;

const windowOf = (label, start) => ({ type: label.type, label: label.label, root_cause: label.rootCause, msg: label.msg, start, lease });

function refused(what, answer) {
  failed.add(1);
  console.warn(`${what} (status ${answer.status}: ${String(answer.body || answer.error).slice(0, 200)})`);
}

/** Opens a window for all services; its id, or null. start: wall clock in whole milliseconds. */
export async function openWindow(otlp, label, start) {
  const answer = await post(`${otlp}/v1/labels`, JSON.stringify(windowOf(label, start)), ATTEMPTS);
  if (answer.status === 200) return answer.json('id');
  refused(`the label window of ${label.type} was not taken: its metrics and logs stay unlabelled`, answer);
  return null;
}

/** Keeps a window open for another lease; false when Telltale has it no more. */
export async function renewWindow(otlp, id) {
  const answer = await post(`${otlp}/v1/labels`, JSON.stringify({ id, lease }), 1);
  return answer.status !== 404;
}

export async function closeWindow(otlp, id, end) {
  const answer = await post(`${otlp}/v1/labels`, JSON.stringify({ id, end }), ATTEMPTS);
  if (answer.status !== 200) refused(`label window ${id} was not closed: it ended with its lease, or ${lease} from now`, answer);
}
