// SPDX-License-Identifier: Apache-2.0
// Carts in Redis. Fault: error_spike answers 503 to most requests.
'use strict';

const { cache, call, faultOf, log, serve } = require('./service');

const CART_SECONDS = 3600;
const MAX_ITEMS = 10;
const UNAVAILABLE_SHARE = 0.7;

async function main() {
  const redis = await cache();
  const load = async (user) => JSON.parse((await redis.get(`cart:${user}`)) || '{"items":[],"total":0}');
  serve((app) => {
    app.use((request, answer, next) => {
      if (faultOf(request) !== 'error_spike' || Math.random() >= UNAVAILABLE_SHARE) return next();
      log.error({ path: request.path }, 'cart is unavailable');
      answer.status(503).json({ error: 'service unavailable' });
    });
    app.get('/cart/:user', async (request, answer) => answer.json(await load(request.params.user)));
    app.post('/cart/:user/:sku', async (request, answer) => {
      const product = await call(request, 'catalogue', `/product/${request.params.sku}`);
      const cart = await load(request.params.user);
      cart.items = [...cart.items, { sku: product.sku, price: product.price }].slice(-MAX_ITEMS);
      cart.total = cart.items.reduce((sum, item) => sum + item.price, 0);
      await redis.set(`cart:${request.params.user}`, JSON.stringify(cart), { EX: CART_SECONDS });
      answer.json(cart);
    });
    app.delete('/cart/:user', async (request, answer) => {
      await redis.del(`cart:${request.params.user}`);
      answer.json({});
    });
  });
}

main();
