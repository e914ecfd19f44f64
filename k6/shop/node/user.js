// SPDX-License-Identifier: Apache-2.0
// Users and their orders in PostgreSQL. Fault: db_exhaustion keeps each connection until the pool is empty.
'use strict';

const { database, faultOf, log, serve } = require('./service');

const pool = database(4);
const HOLD_SECONDS = 1.2;

/** A transaction that someone forgot to end: it keeps its connection while it does nothing. */
async function holdConnection() {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_sleep($1)', [HOLD_SECONDS]);
  } finally {
    await client.query('ROLLBACK').catch(() => {});
    client.release();
  }
}

serve((app) => {
  app.use(async (request, answer, next) => {
    if (faultOf(request) !== 'db_exhaustion') return next();
    // Someone else's requests leak; this one only finds the pool as they left it.
    for (let i = 0; i < 2; i++) holdConnection().catch(() => {});
    try {
      (await pool.connect()).release();
    } catch (error) {
      log.error({ waiting: pool.waitingCount, total: pool.totalCount }, 'connection pool exhausted');
      return answer.status(503).json({ error: 'connection pool exhausted' });
    }
    next();
  });
  app.get('/check/:user', async (request, answer) => {
    const { rows } = await pool.query('SELECT id, name FROM users WHERE id = $1', [request.params.user]);
    if (rows.length === 0) return answer.status(404).json({ error: 'no such user' });
    answer.json(rows[0]);
  });
  app.post('/order/:user', async (request, answer) => {
    const { rows } = await pool.query('INSERT INTO orders (user_id, total, city) VALUES ($1, $2, $3) RETURNING id',
      [request.params.user, request.body.total, request.body.city]);
    answer.json(rows[0]);
  });
});
