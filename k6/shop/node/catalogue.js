// SPDX-License-Identifier: Apache-2.0
// Products and their ratings, from PostgreSQL, product pages cached in Redis.
// Faults: latency_spike runs a slow query, cache_miss asks for keys that cannot be in the cache.
'use strict';

const { randomUUID } = require('node:crypto');
const { cache, database, faultOf, log, serve } = require('./service');

const pool = database(8);
const CACHE_SECONDS = 600;

// A scan and sort of an unindexed table, then the wait for a disk that a table larger than memory would cost: on a laptop the shop's
// tables never leave memory, and 0.4 s of pure CPU for each request would slow down every other service as well.
const SLOW = `WITH slow AS MATERIALIZED (
    SELECT sku, md5(body || $1::text) AS digest FROM reviews ORDER BY digest LIMIT 20000)
  SELECT count(*), (SELECT pg_sleep($2::float8)) FROM slow`;

const RATINGS = `SELECT p.*, avg(r.stars)::float8 AS rating, count(r.*)::int AS reviews,
    count(DISTINCT md5(r.body)) AS opinions
  FROM products p LEFT JOIN reviews r ON r.sku = p.sku WHERE p.sku = $1 GROUP BY p.sku`;

async function slowQuery() {
  await pool.query(SLOW, [randomUUID(), 0.3 + Math.random() * 0.4]);
}

/** A product page by way of the cache. A key of its own for each request is what an unbounded cache key does to a cache. */
async function productPage(redis, sku, explode) {
  const key = explode ? `product:${sku}:${randomUUID()}` : `product:${sku}`;
  const cached = await redis.get(key);
  if (cached) return JSON.parse(cached);
  const { rows } = await pool.query(RATINGS, [sku]);
  if (rows.length > 0) await redis.set(key, JSON.stringify(rows[0]), { EX: explode ? 30 : CACHE_SECONDS });
  return rows[0];
}

async function productList(redis, category, explode) {
  const key = explode ? `list:${category}:${randomUUID()}` : `list:${category}`;
  const cached = await redis.get(key);
  if (cached) return JSON.parse(cached);
  const { rows } = await pool.query(
    `SELECT p.sku, p.name, p.price, avg(r.stars)::float8 AS rating, count(DISTINCT md5(r.body)) AS opinions
     FROM products p LEFT JOIN reviews r ON r.sku = p.sku WHERE p.category = $1 GROUP BY p.sku ORDER BY rating DESC`, [category]);
  await redis.set(key, JSON.stringify(rows), { EX: explode ? 30 : CACHE_SECONDS });
  return rows;
}

async function main() {
  const redis = await cache();
  serve((app) => {
    app.use(async (request, _, next) => {
      if (faultOf(request) === 'latency_spike') {
        log.warn({ path: request.path }, 'slow query: sequential scan of reviews');
        await slowQuery();
      }
      next();
    });
    app.get('/products', async (request, answer) => {
      answer.json(await productList(redis, String(request.query.category), faultOf(request) === 'cache_miss'));
    });
    app.get('/product/:sku', async (request, answer) => {
      const miss = faultOf(request) === 'cache_miss';
      if (miss) log.warn({ sku: request.params.sku }, 'cache miss');
      const product = await productPage(redis, request.params.sku, miss);
      if (!product) return answer.status(404).json({ error: 'no such product' });
      answer.json(product);
    });
  });
}

main();
