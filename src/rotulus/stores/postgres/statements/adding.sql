-- New jobs, and the keys that say which of them are new.
--
-- Parameters are text, with a cast where they stand, so that each statement has one plan; those
-- that hold many values are arrays. A wake-up goes with the commit that makes the work visible.

-- name: add
-- New jobs with nothing of their own but id and arguments, in order; an error if one of them is here
-- already. To leave it out, as the next statement does, takes a quarter to a third longer.
WITH moment AS MATERIALIZED (
  SELECT now, coalesce(:at::bigint, now + :delay::bigint) AS run_at FROM rotulus_now() AS now),
added AS (
  INSERT INTO rotulus_jobs (
    {plain_columns}, {terms_columns}, created_at, run_at, state, expires_at)
  SELECT
    {plain_columns}, {terms_values}, now, run_at,
    CASE WHEN run_at > now THEN 'delayed' ELSE 'queued' END,
    greatest(run_at, now) + :expires::bigint
  FROM moment, {plain_rows}),
counted AS (
  INSERT INTO rotulus_stats_new (at, count, task, queue, outcome)
  SELECT now, cardinality(:plain_id::uuid[]), :task, :queue, 'enqueued' FROM moment),
noted AS (
  INSERT INTO rotulus_changes_new ({change_columns})
  SELECT now, 'job', plain.id, CASE WHEN run_at > now THEN 'delayed' ELSE 'queued' END, :task, :queue
  FROM moment, {plain_rows} WHERE {listened})
SELECT now, run_at, CASE WHEN :channel::text IS NOT NULL THEN pg_notify(:channel, '') END
FROM moment;

-- name: add_keyed
-- The same with what is their own, such as a key; one that is here already, or whose key is held, is
-- left out. Also how many are new.
{keyed_added}
{keyed_told};

-- name: add_labelled
-- The same with the labels by which they are found.
{keyed_added},
labelled AS (
  INSERT INTO rotulus_labels (label, job)
  SELECT own.key || '=' || own.value, job.id FROM added AS job CROSS JOIN {own_labels})
{keyed_told};

-- piece: keyed_added
-- New jobs with what is their own.
WITH moment AS MATERIALIZED (
  SELECT now, coalesce(:at::bigint, now + :delay::bigint) AS run_at FROM rotulus_now() AS now),
added AS (
  INSERT INTO rotulus_jobs (
    {keyed_columns}, held_key, hold_until, {terms_columns}, created_at, run_at, state, expires_at)
  SELECT
    {keyed_columns}, key, now + :window::bigint, {terms_values}, now, run_at,
    CASE WHEN run_at > now THEN 'delayed' ELSE 'queued' END,
    greatest(run_at, now) + :expires::bigint
  FROM moment, {keyed_rows}
  ON CONFLICT DO NOTHING RETURNING id, labels),
counted AS (
  INSERT INTO rotulus_stats_new (at, count, task, queue, outcome)
  SELECT now, new, :task, :queue, 'enqueued'
  FROM moment, (SELECT count(*) AS new FROM added) AS whole WHERE new > 0),
noted AS (
  INSERT INTO rotulus_changes_new ({change_columns})
  SELECT now, 'job', added.id, CASE WHEN run_at > now THEN 'delayed' ELSE 'queued' END, :task, :queue
  FROM moment, added WHERE {listened})

-- piece: keyed_told
-- The moments that they have, and how many of them are new.
SELECT now, run_at, (SELECT count(*) FROM added), CASE WHEN :channel::text IS NOT NULL THEN pg_notify(:channel, '') END
FROM moment;

-- name: add_parts
-- Jobs with their parts, or the parts of a job; `blocked` while they wait for each other. Each has terms
-- of its own. Then the ids of those that were not here already, and whose key was not held.
WITH given AS MATERIALIZED (
  SELECT in_run.*, now, coalesce(at, now + delay) AS run_at FROM rotulus_now() AS now, {in_run_rows}),
added AS (
  INSERT INTO rotulus_jobs (
    {run_columns}, held_key, hold_until, paused,
    {terms_columns}, created_at, run_at, state, expires_at)
  SELECT
    {run_columns}, key, now + hold, :paused::boolean,
    {terms_columns}, now, run_at,
    CASE WHEN waits_for > 0 OR :paused::boolean THEN 'blocked'
         WHEN run_at > now THEN 'delayed'
         ELSE 'queued' END,
    greatest(run_at, now) + expires
  FROM given
  ON CONFLICT DO NOTHING RETURNING id, state, task, queue, created_at AS now),
counted AS (
  INSERT INTO rotulus_stats_new (at, count, task, queue, outcome)
  SELECT now, count(*), task, queue, 'enqueued' FROM added GROUP BY now, task, queue),
noted AS (
  INSERT INTO rotulus_changes_new ({change_columns})
  SELECT now, 'job', id, state, task, queue FROM added WHERE {listened})
SELECT id FROM added;

-- name: add_needs
-- What jobs wait for.
INSERT INTO rotulus_needs ({need_columns})
SELECT {need_columns} FROM {need_rows}
ON CONFLICT DO NOTHING;

-- name: notify
-- Wake everybody who waits for work.
SELECT pg_notify(:channel, '');
