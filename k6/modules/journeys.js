// SPDX-License-Identifier: Apache-2.0
// What a customer asks for. Every scenario draws from the same mix, so that the path does not tell the label.
//
// JOURNEYS names a file in k6/journeys (shop, robot-shop) or any JSON file of that form by its path: `values` are what {placeholders} in
// paths and bodies stand for, a list or a prefix with a number from 1 to count; `journeys` have a share of the load each.

import { settings } from './settings.js';

const NAME = settings().journeys;
const FILE = /^[a-z0-9-]+$/.test(NAME) ? import.meta.resolve(`../journeys/${NAME}.json`) : NAME;

function read() {
  try {
    return JSON.parse(open(FILE));
  } catch (error) {
    throw new Error(`JOURNEYS=${NAME}: ${FILE} cannot be read: ${error.message || error}; write shop, robot-shop, or the path of a file like k6/journeys/shop.json`);
  }
}

function load() {
  const spec = { values: {}, ...read() };
  if (!Array.isArray(spec.journeys) || spec.journeys.length === 0) throw new Error(`${FILE}: no "journeys"`);
  for (const one of spec.journeys) {
    for (const key of ['name', 'share', 'method', 'route', 'path'])
      if (!one[key]) throw new Error(`${FILE}: a journey without "${key}": ${JSON.stringify(one)}`);
    one.bodyText = one.body ? JSON.stringify(one.body) : null;
    for (const [, key] of `${one.path}${one.bodyText || ''}`.matchAll(/\{([a-z]+)\}/g))
      if (!spec.values[key]) throw new Error(`${FILE}: journey ${one.name}: {${key}} is not in "values"`);
  }
  return spec;
}

const SPEC = load();
const SHARES = SPEC.journeys.reduce((sum, one) => sum + one.share, 0);

const draw = (from, random) =>
  Array.isArray(from) ? from[Math.floor(random() * from.length)] : `${from.prefix}${1 + Math.floor(random() * from.count)}`;

/** The next request: {journey, method, route, path, body}; body is a text or null. */
export function nextRequest(random) {
  let left = random() * SHARES;
  const one = SPEC.journeys.find(({ share }) => (left -= share) < 0) || SPEC.journeys[0];
  // All are drawn, used or not: a sequence of requests does not change with the shape of a journey.
  const values = Object.fromEntries(Object.entries(SPEC.values).map(([key, from]) => [key, draw(from, random)]));
  const fill = (text) => text && text.replace(/\{([a-z]+)\}/g, (_, key) => values[key]);
  return { journey: one.name, method: one.method, route: one.route, path: fill(one.path), body: fill(one.bodyText) };
}
