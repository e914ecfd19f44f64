// SPDX-License-Identifier: Apache-2.0
// The gateway behind nginx: one route a journey, each reaching a fixed number of services whatever the fault.
'use strict';

const { call, serve } = require('./service');

async function basket(request, user) {
  await call(request, 'user', `/check/${user}`);
  return call(request, 'cart', `/cart/${user}`);
}

serve((app) => {
  // web, catalogue
  app.get('/api/products', async (request, answer) => {
    const category = encodeURIComponent(request.query.category || 'Robot');
    answer.json(await call(request, 'catalogue', `/products?category=${category}`));
  });

  // web, catalogue, cart
  app.get('/api/product/:sku', async (request, answer) => {
    const product = await call(request, 'catalogue', `/product/${request.params.sku}`);
    const cart = await call(request, 'cart', `/cart/${encodeURIComponent(request.query.user || 'anonymous')}`);
    answer.json({ ...product, in_cart: cart.items.filter((item) => item.sku === product.sku).length });
  });

  // web, user, cart, catalogue
  app.post('/api/cart/:user/:sku', async (request, answer) => {
    await call(request, 'user', `/check/${request.params.user}`);
    answer.json(await call(request, 'cart', `/cart/${request.params.user}/${request.params.sku}`, { method: 'POST' }));
  });

  // web, user, cart, shipping, dispatch
  app.get('/api/shipping/:user', async (request, answer) => {
    const cart = await basket(request, request.params.user);
    answer.json(await call(request, 'shipping', `/quote?city=${Number(request.query.city) || 1}&weight=${cart.items.length + 1}`));
  });

  // web, user, cart, catalogue, shipping, dispatch, payment
  app.post('/api/checkout/:user', async (request, answer) => {
    const user = request.params.user;
    const cart = await basket(request, user);
    const offer = await call(request, 'catalogue', `/product/${request.body.sku}`);
    const quote = await call(request, 'shipping', `/quote?city=${Number(request.body.city) || 1}&weight=${cart.items.length + 1}`);
    const order = await call(request, 'payment', `/pay/${user}`, {
      method: 'POST', body: { total: cart.total + offer.price + quote.cost, city: quote.city },
    });
    await call(request, 'cart', `/cart/${user}`, { method: 'DELETE' });
    answer.json(order);
  });
});
