-- SPDX-License-Identifier: Apache-2.0
-- The shop's tables. reviews has no index on purpose: a query that needs one is slow.
CREATE TABLE products (sku text PRIMARY KEY, name text NOT NULL, category text NOT NULL, price float8 NOT NULL, stock int NOT NULL);
CREATE TABLE reviews (sku text NOT NULL, stars int NOT NULL, body text NOT NULL);
CREATE TABLE users (id text PRIMARY KEY, name text NOT NULL, email text NOT NULL);
CREATE TABLE orders (id bigserial PRIMARY KEY, user_id text NOT NULL, total float8 NOT NULL, city text, placed timestamptz DEFAULT now());
CREATE TABLE cities (id int PRIMARY KEY, name text NOT NULL, km float8 NOT NULL);

INSERT INTO products SELECT 'R' || i, 'Robot ' || i, (ARRAY['Robot', 'Artificial', 'Drone', 'Spare'])[1 + i % 4], 10 + (i * 37) % 900, 1000
    FROM generate_series(1, 40) i;
INSERT INTO reviews SELECT 'R' || (1 + i % 40), 1 + (i * 7) % 5, repeat(md5(i::text), 4) FROM generate_series(1, 20000) i;
INSERT INTO users SELECT 'u' || i, 'User ' || i, 'u' || i || '@example.com' FROM generate_series(1, 1000) i;
INSERT INTO cities SELECT i, 'City ' || i, 10 + (i * 7919) % 5000 FROM generate_series(1, 2000) i;
ANALYZE;
