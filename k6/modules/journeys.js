// SPDX-License-Identifier: Apache-2.0
// What a customer does: five requests that reach 2 to 7 services. Every scenario draws from the same mix, so that the path does not
// tell the label.

const CATEGORIES = ['Robot', 'Artificial', 'Drone', 'Spare'];
const PRODUCTS = 40;
const USERS = 1000;
const CITIES = 2000;

const pick = (random, count) => 1 + Math.floor(random() * count);

const JOURNEYS = [
  { name: 'browse', share: 0.2, make: (r) => ({ method: 'GET', route: '/api/products', path: `/api/products?category=${CATEGORIES[pick(r, 4) - 1]}` }) },
  { name: 'product', share: 0.2, make: (r) => ({ method: 'GET', route: '/api/product/:sku', path: `/api/product/R${pick(r, PRODUCTS)}` }) },
  { name: 'cart', share: 0.2, make: (r) => ({ method: 'POST', route: '/api/cart/:user/:sku', path: `/api/cart/u${pick(r, USERS)}/R${pick(r, PRODUCTS)}` }) },
  { name: 'shipping', share: 0.2, make: (r) => ({ method: 'GET', route: '/api/shipping/:user', path: `/api/shipping/u${pick(r, USERS)}?city=${pick(r, CITIES)}` }) },
  {
    name: 'checkout', share: 0.2,
    make: (r) => ({
      method: 'POST', route: '/api/checkout/:user', path: `/api/checkout/u${pick(r, USERS)}`,
      body: { sku: `R${pick(r, PRODUCTS)}`, city: pick(r, CITIES) },
    }),
  },
];

/** The next request: {journey, method, route, path, body, user}. */
export function nextRequest(random) {
  let left = random();
  const journey = JOURNEYS.find((one) => (left -= one.share) < 0) || JOURNEYS[JOURNEYS.length - 1];
  return { journey: journey.name, user: `u${pick(random, USERS)}`, ...journey.make(random) };
}
