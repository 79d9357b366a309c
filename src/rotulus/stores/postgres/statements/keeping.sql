-- Workers, schedules, migrations applied, and the pruning of old jobs.

-- name: announce
-- A worker says that it is alive.
INSERT INTO rotulus_workers AS worker
  (name, host, pid, queues, slots, started_at, seen_at, lease_until, names)
SELECT :name, :host, :pid::integer, :queues::text[], :slots::integer, :started_at::bigint, now,
  now + :lease::bigint, :names::text[]
FROM rotulus_now() AS now
ON CONFLICT (name) DO UPDATE
SET seen_at = excluded.seen_at, slots = excluded.slots, lease_until = excluded.lease_until,
  names = excluded.names;

-- name: workers
-- The workers whose lease is not over.
SELECT {worker_columns} FROM rotulus_workers
WHERE lease_until > (SELECT rotulus_now())
ORDER BY started_at, name;

-- name: remember_schedules
-- Scheduled tasks; what is new or changed stands since now.
INSERT INTO rotulus_schedules AS known ({entry_columns}, since)
SELECT {entry_columns}, (SELECT rotulus_now()) FROM {entry_rows} ORDER BY name
ON CONFLICT (name) DO UPDATE
SET cron = excluded.cron, timezone = excluded.timezone, since = excluded.since
WHERE known.cron <> excluded.cron OR known.timezone <> excluded.timezone;

-- name: schedules
-- Since when some scheduled tasks stand as they do.
SELECT name, since FROM rotulus_schedules WHERE name = ANY (:names::text[]);

-- name: has_table
-- Whether there is a table of that name.
SELECT to_regclass(:name) IS NOT NULL;

-- name: applied_migrations
-- The steps that made the tables what they are.
SELECT number, checksum FROM rotulus_migrations;

-- name: remember_migration
-- A step that has been applied.
INSERT INTO rotulus_migrations (number, name, checksum)
VALUES (:number::integer, :name, :checksum);

-- name: miscounted
-- Of so many blocked jobs, in the order of ids: those that wait for more or fewer than have not ended,
-- or for nothing, though they are not paused; how many were looked at; and the last of them.
WITH looked AS MATERIALIZED (
  SELECT id, waits_for, paused FROM rotulus_jobs
  WHERE state = 'blocked' AND (:after::uuid IS NULL OR id > :after::uuid)
  ORDER BY id LIMIT :limit::integer),
counted AS MATERIALIZED (
  SELECT job.*, {unended_needs} AS needs FROM looked AS job)
SELECT
  array(SELECT id::text FROM counted WHERE waits_for <> needs OR needs = 0 AND NOT paused),
  (SELECT count(*) FROM looked),
  (SELECT id::text FROM looked ORDER BY id DESC LIMIT 1);

-- name: recount
-- Blocked jobs wait for what has not ended; all are locked, with those that wait for them.
UPDATE rotulus_jobs AS job
SET waits_for = wanted.needs,
    {becomes_due}
FROM (
  SELECT job.id, job.needs, job.needs = 0 AND NOT job.paused AS due, now
  FROM (
    SELECT job.id, job.paused, {unended_needs} AS needs
    FROM unnest(:ids::uuid[]) AS wrong (id)
    JOIN rotulus_jobs AS job ON job.id = wrong.id AND job.state || '' = 'blocked') AS job,
    rotulus_now() AS now) AS wanted
WHERE job.id = wanted.id
RETURNING job.id;

-- name: prune
-- Ended jobs that nobody needs, the oldest of each state first, with their parts and all that is
-- known of them; workers whose lease is over, and starts that count no more. Then how many jobs.
-- They are looked for one after the other, until they have so many rows: the last run goes whole.
WITH silent AS (DELETE FROM rotulus_workers WHERE lease_until <= (SELECT rotulus_now())),
uncounted AS (DELETE FROM rotulus_starts WHERE counts_until <= (SELECT rotulus_now())),
outdated AS MATERIALIZED (
  SELECT job.id, job.run FROM unnest(:states::text[]) AS ended (state) CROSS JOIN LATERAL (
    SELECT id, run FROM rotulus_jobs AS job
    WHERE state = ended.state AND ended_at IS NOT NULL AND ended_at < :before::bigint
      AND (held_key IS NULL OR hold_until IS NULL OR hold_until <= (SELECT rotulus_now()))
      AND (run IS NULL OR run = id AND 0 = (
        SELECT count(*) FROM rotulus_jobs AS part WHERE part.run = job.id AND part.ended_at IS NULL))
    ORDER BY ended_at LIMIT :limit::integer FOR UPDATE OF job SKIP LOCKED) AS job),
chosen AS MATERIALIZED (
  SELECT outdated.id, outdated.run FROM outdated
  LEFT JOIN rotulus_jobs AS part ON part.run = outdated.run LIMIT :limit::integer),
gone AS MATERIALIZED (
  SELECT id FROM chosen
  UNION
  SELECT part.id FROM (SELECT DISTINCT run FROM chosen) AS chosen
  JOIN rotulus_jobs AS part ON part.run = chosen.run),
forgotten AS (DELETE FROM rotulus_attempts AS attempt USING gone WHERE attempt.job = gone.id),
unneeded AS (DELETE FROM rotulus_needs AS need USING gone WHERE need.need = gone.id),
unpublished AS (DELETE FROM rotulus_outbox AS entry USING gone WHERE entry.job = gone.id),
deleted AS (DELETE FROM rotulus_jobs AS job USING gone WHERE job.id = gone.id)
SELECT count(*) FROM gone;
