-- How jobs and queues stand.

-- name: records
-- Some jobs by id, in the order of the ids.
SELECT record.*
FROM unnest(:ids::uuid[]) WITH ORDINALITY AS wanted (id, place)
JOIN rotulus_records AS record ON record.id = wanted.id
ORDER BY wanted.place;

-- name: history
-- The earlier attempts of one job, oldest first.
SELECT number, reason, worker, started_at, ended_at, error
FROM rotulus_attempts WHERE job = :id::uuid ORDER BY number;

-- name: find
-- Jobs that match, newest first; only among the last `window` jobs, if it is given.
SELECT * FROM (
  SELECT * FROM rotulus_records
  WHERE (:before::uuid IS NULL OR id < :before::uuid)
  ORDER BY id DESC LIMIT :window::bigint) AS record
WHERE (:states::text[] IS NULL OR state = ANY (:states::text[]))
  AND (:task::text IS NULL OR task = :task)
  AND (:queue::text IS NULL OR queue = :queue)
  AND (:key::text IS NULL OR key = :key)
  AND (:limit_key::text IS NULL OR limit_key = :limit_key)
  AND (:schedule::text IS NULL OR schedule = :schedule)
  AND (:worker::text IS NULL OR worker = :worker)
ORDER BY id DESC LIMIT :limit::integer;

-- name: find_by_index
-- The same by key, by schedule or else by state: quick when few jobs match and many do not.
WITH wanted (state) AS MATERIALIZED (
  SELECT * FROM unnest(:states::text[]) WHERE :key::text IS NULL AND :schedule::text IS NULL),
chosen (id) AS (
  SELECT id FROM rotulus_jobs WHERE key = :key
  UNION
  SELECT id FROM rotulus_jobs WHERE schedule = :schedule
  UNION
  SELECT id FROM rotulus_jobs
  WHERE state = 'queued' AND limit_key IS NULL AND losses < 2
    AND (SELECT bool_or(state = 'queued') FROM wanted)
  UNION
  SELECT id FROM rotulus_jobs
  WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
    AND (SELECT bool_or(state = 'queued') FROM wanted)
  UNION
  SELECT id FROM rotulus_jobs
  WHERE state = 'queued' AND losses >= 2 AND (SELECT bool_or(state = 'queued') FROM wanted)
  UNION
  SELECT id FROM rotulus_jobs
  WHERE state = 'delayed' AND (SELECT bool_or(state = 'delayed') FROM wanted)
  UNION
  SELECT id FROM rotulus_jobs
  WHERE state = 'running' AND lease_until IS NOT NULL
    AND (SELECT bool_or(state = 'running') FROM wanted)
  UNION
  SELECT job.id FROM wanted JOIN rotulus_jobs AS job
    ON job.state = wanted.state AND job.ended_at IS NOT NULL)
SELECT record.* FROM chosen JOIN rotulus_records AS record ON record.id = chosen.id
WHERE (:states::text[] IS NULL OR record.state = ANY (:states::text[]))
  AND (:task::text IS NULL OR task = :task)
  AND (:queue::text IS NULL OR queue = :queue)
  AND (:key::text IS NULL OR key = :key)
  AND (:limit_key::text IS NULL OR limit_key = :limit_key)
  AND (:schedule::text IS NULL OR schedule = :schedule)
  AND (:worker::text IS NULL OR worker = :worker)
  AND (:before::uuid IS NULL OR record.id < :before::uuid)
ORDER BY record.id DESC LIMIT :limit::integer;

-- name: count_by_queue
-- Jobs by queue and state.
SELECT queue, state, count(*) FROM rotulus_jobs GROUP BY queue, state ORDER BY queue, state;

-- name: count_by_task
-- Jobs by task and state.
SELECT task, state, count(*) FROM rotulus_jobs GROUP BY task, state ORDER BY task, state;

-- name: paused
-- The paused queues.
SELECT queue, paused_at FROM rotulus_pauses ORDER BY queue;

-- name: opens_at
-- When the rate of a key has room again: so many starts after it do not fill it.
SELECT max(counts_until) FROM (
  SELECT counts_until, sum(starts) OVER (ORDER BY counts_until DESC) AS later
  FROM rotulus_starts WHERE limit_key = :limit_key AND counts_until > (SELECT rotulus_now())) AS start
WHERE later >= :rate_to::integer;

-- name: state_of
-- The state of one job.
SELECT state FROM rotulus_jobs WHERE id = :id::uuid;

-- name: outlook
-- Whether a job that is wanted can be claimed, and in how many microseconds that may change by
-- itself: a delayed job is due, or a start counts no more. (A grace that
-- ends, or the lease of a worker that knew a name, is found by looking.)
WITH RECURSIVE limit_keys (limit_key) AS (
  (SELECT limit_key FROM rotulus_jobs
   WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2 ORDER BY limit_key LIMIT 1)
  UNION ALL
  SELECT (SELECT job.limit_key FROM rotulus_jobs AS job
          WHERE job.state = 'queued' AND job.limit_key IS NOT NULL AND job.losses < 2
            AND job.limit_key > limit_keys.limit_key
          ORDER BY job.limit_key LIMIT 1)
  FROM limit_keys WHERE limit_keys.limit_key IS NOT NULL),
room AS (
  SELECT first.* FROM limit_keys CROSS JOIN LATERAL (
    SELECT limit_key, limit_to, rate_to FROM rotulus_jobs AS job
    WHERE state = 'queued' AND limit_key = limit_keys.limit_key AND losses < 2
      AND (:queues::text[] IS NULL OR queue = ANY (:queues::text[]))
      AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = job.queue)
      AND (:names::text[] IS NULL OR task = ANY (:names::text[])
           OR run_at <= (SELECT rotulus_now()) - :grace::bigint
           AND NOT EXISTS (
             SELECT FROM rotulus_workers AS other
             WHERE task = ANY (other.names) AND other.lease_until > (SELECT rotulus_now())))
    ORDER BY priority DESC, seq LIMIT 1) AS first
  UNION ALL
  SELECT limit_key, limit_to, rate_to FROM rotulus_jobs AS job
  WHERE state = 'queued' AND losses >= 2
    AND NOT EXISTS (
      SELECT FROM rotulus_jobs AS other
      WHERE other.state = 'running' AND other.lease_until IS NOT NULL
        AND other.worker = :worker AND other.losses >= 2)
    AND (:queues::text[] IS NULL OR queue = ANY (:queues::text[]))
    AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = job.queue)
    AND (:names::text[] IS NULL OR task = ANY (:names::text[])
         OR run_at <= (SELECT rotulus_now()) - :grace::bigint
         AND NOT EXISTS (
           SELECT FROM rotulus_workers AS other
           WHERE task = ANY (other.names) AND other.lease_until > (SELECT rotulus_now()))))
SELECT
  EXISTS (
    SELECT FROM rotulus_jobs AS job
    WHERE state = 'queued' AND limit_key IS NULL AND losses < 2
      AND (:queues::text[] IS NULL OR queue = ANY (:queues::text[]))
      AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = job.queue)
      AND (:names::text[] IS NULL OR task = ANY (:names::text[])
           OR run_at <= (SELECT rotulus_now()) - :grace::bigint
           AND NOT EXISTS (
             SELECT FROM rotulus_workers AS other
             WHERE task = ANY (other.names) AND other.lease_until > (SELECT rotulus_now()))))
  OR EXISTS (
    SELECT FROM room
    WHERE (limit_to IS NULL OR limit_to > (
        SELECT count(*) FROM rotulus_jobs AS other
        WHERE other.state = 'running' AND other.limit_key = room.limit_key))
      AND (rate_to IS NULL OR rate_to > (
        SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
        WHERE start.limit_key = room.limit_key
          AND start.counts_until > (SELECT rotulus_now())))),
  least(
    (SELECT min(run_at) FROM rotulus_jobs WHERE state = 'delayed'),
    (SELECT min(counts_until) FROM room JOIN rotulus_starts AS start USING (limit_key)
     WHERE counts_until > (SELECT rotulus_now())))
  - (SELECT rotulus_now());
