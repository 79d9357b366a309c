-- Changes are noted by the transactions that make them, and brought to their places by those who read.

-- piece: change_columns
-- What is known of a change, but for its position.
at, kind, name, what, task, queue

-- piece: listened
-- Somebody wants to know of changes. Where nobody does, this is all that they cost.
EXISTS (SELECT FROM rotulus_listening)

-- piece: wall_clock
-- The present moment.
(SELECT rotulus_now())

-- piece: change_lock
-- The lock of whoever gives positions to changes.
hashtext('rotulus changes'), 'rotulus_changes'::regclass::oid::integer

-- name: lock_changes
-- Let nobody else give positions to changes until this transaction is over.
SELECT pg_advisory_xact_lock({change_lock});

-- name: place_changes
-- Changes that have been committed get their positions, the first so many of them, unless somebody else does that
-- now: how many.
WITH locked AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock({change_lock}) AS ours),
taken AS (
  DELETE FROM rotulus_changes_new
  WHERE number = ANY (ARRAY(
    SELECT number FROM rotulus_changes_new WHERE (SELECT ours FROM locked)
    ORDER BY number LIMIT :most::integer))
  RETURNING *),
placed AS (
  INSERT INTO rotulus_changes ({change_columns}) SELECT {change_columns} FROM taken ORDER BY number)
SELECT count(*) FROM taken;

-- name: follow_changes
-- The changes after a position, and those that get their positions now: the first so many, unless somebody else gives
-- positions now. With each: the last position that was known before, and how many got one.
WITH locked AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock({change_lock}) AS ours),
taken AS (
  DELETE FROM rotulus_changes_new
  WHERE number = ANY (ARRAY(
    SELECT number FROM rotulus_changes_new WHERE (SELECT ours FROM locked)
    ORDER BY number LIMIT :most::integer))
  RETURNING *),
placed AS (
  INSERT INTO rotulus_changes ({change_columns}) SELECT {change_columns} FROM taken ORDER BY number
  RETURNING position, {change_columns}),
known AS (
  SELECT position, {change_columns} FROM rotulus_changes
  WHERE position > :after::bigint ORDER BY position LIMIT :limit::integer)
SELECT before.last, before.moved, found.* FROM (
  SELECT (SELECT coalesce(max(position), 0) FROM rotulus_changes) AS last,
    (SELECT count(*) FROM taken) AS moved) AS before
LEFT JOIN (SELECT * FROM known UNION ALL SELECT * FROM placed) AS found ON true
ORDER BY position;

-- name: discard_changes
-- Some changes that have no positions are forgotten.
DELETE FROM rotulus_changes_new
WHERE number = ANY (ARRAY(SELECT number FROM rotulus_changes_new ORDER BY number LIMIT :most::integer));

-- name: note_changes
-- Changes of some jobs, as they stand now, or in a given word.
INSERT INTO rotulus_changes_new ({change_columns})
SELECT rotulus_now(), 'job', id,
  coalesce(:what, CASE WHEN cancel_requested THEN 'cancelling' ELSE state END), task, queue
FROM rotulus_jobs WHERE id = ANY (:ids::uuid[]) AND {listened};

-- name: transactions
-- The transactions that have looked whether anybody listens, and are not over.
SELECT coalesce(array_agg(DISTINCT virtualtransaction), '{}') FROM pg_locks
WHERE relation = 'rotulus_listening'::regclass AND mode = 'AccessShareLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND pid <> pg_backend_pid();
