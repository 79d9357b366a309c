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
    id, arguments, task, queue, priority, created_at, run_at, state, expires_at, limit_to, rate_to,
    rate_per, schedule)
  SELECT
    job.id, job.arguments, :task, :queue, :priority::integer, now, run_at,
    CASE WHEN run_at > now THEN 'delayed' ELSE 'queued' END,
    greatest(run_at, now) + :expires::bigint, :limit_to::integer, :rate_to::integer,
    :rate_per::bigint, :schedule
  FROM moment, unnest(:ids::uuid[], :arguments::text[]) AS job (id, arguments))
SELECT now, run_at, CASE WHEN :channel::text IS NOT NULL THEN pg_notify(:channel, '') END
FROM moment;

-- name: add_keyed
-- The same with keys of their own; one that is here already, or whose key is held, is left out. Also
-- how many are new.
WITH moment AS MATERIALIZED (
  SELECT now, coalesce(:at::bigint, now + :delay::bigint) AS run_at FROM rotulus_now() AS now),
added AS (
  INSERT INTO rotulus_jobs (
    id, arguments, key, held_key, limit_key, instant, hold_until,
    task, queue, priority, created_at, run_at, state, expires_at, limit_to, rate_to, rate_per,
    schedule)
  SELECT
    job.id, job.arguments, job.key, job.key, job.limit_key, job.instant, now + :window::bigint,
    :task, :queue, :priority::integer, now, run_at,
    CASE WHEN run_at > now THEN 'delayed' ELSE 'queued' END,
    greatest(run_at, now) + :expires::bigint, :limit_to::integer, :rate_to::integer,
    :rate_per::bigint, :schedule
  FROM moment, unnest(
    :ids::uuid[], :arguments::text[], :keys::text[], :limit_keys::text[], :instants::bigint[])
    AS job (id, arguments, key, limit_key, instant)
  ON CONFLICT DO NOTHING RETURNING id)
SELECT now, run_at, (SELECT count(*) FROM added), CASE WHEN :channel::text IS NOT NULL THEN pg_notify(:channel, '') END
FROM moment;

-- name: add_parts
-- Jobs with their parts, or the parts of a job; `blocked` while they wait for each other. Then the
-- ids of those that were not here already, and whose key was not held.
WITH moment AS MATERIALIZED (
  SELECT now, coalesce(:at::bigint, now + :delay::bigint) AS run_at FROM rotulus_now() AS now)
INSERT INTO rotulus_jobs (
  id, arguments, key, held_key, limit_key, instant, hold_until, run, step, workflow, waits_for,
  opened, paused, task, queue, priority, created_at, run_at, state, expires_at, limit_to, rate_to,
  rate_per, schedule)
SELECT
  job.id, job.arguments, job.key, job.key, job.limit_key, job.instant, now + :window::bigint,
  job.run, job.step, job.workflow, job.waits_for, job.opened, :paused::boolean,
  :task, :queue, :priority::integer, now, run_at,
  CASE WHEN job.waits_for > 0 OR :paused::boolean THEN 'blocked'
       WHEN run_at > now THEN 'delayed'
       ELSE 'queued' END,
  greatest(run_at, now) + :expires::bigint, :limit_to::integer, :rate_to::integer,
  :rate_per::bigint, :schedule
FROM moment, unnest(
  :ids::uuid[], :arguments::text[], :keys::text[], :limit_keys::text[], :instants::bigint[],
  :runs::uuid[], :steps::text[], :workflows::text[], :waits::integer[], :opened::boolean[])
  AS job (id, arguments, key, limit_key, instant, run, step, workflow, waits_for, opened)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: add_needs
-- Who waits for whom.
INSERT INTO rotulus_needs (need, job, part)
SELECT * FROM unnest(:needs::uuid[], :jobs::uuid[], :parts::boolean[])
ON CONFLICT DO NOTHING;

-- name: drop_keys
-- Keys that nobody holds any more: their job has ended, and their window is over.
UPDATE rotulus_jobs SET held_key = NULL
WHERE held_key = ANY (:keys::text[])
  AND ended_at IS NOT NULL
  AND (hold_until IS NULL OR hold_until <= (SELECT rotulus_now()));

-- name: holders
-- The jobs that hold keys.
SELECT record.*
FROM rotulus_jobs AS holder JOIN rotulus_records AS record ON record.id = holder.id
WHERE holder.held_key = ANY (:keys::text[]);
