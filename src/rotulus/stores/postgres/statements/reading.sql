-- How jobs and queues stand.

-- name: find
-- Jobs that match, newest first; only among the last `window` jobs, if it is given.
SELECT {record} FROM (
  SELECT * FROM rotulus_jobs AS job
  WHERE {page}
  ORDER BY id DESC LIMIT :window::bigint) AS job
WHERE {matching}
ORDER BY job.id DESC LIMIT :limit::integer;

-- name: find_by_index
-- The same by key, schedule, run, the jobs that need them, or else state: quick when few jobs match and many
-- do not. OFFSET 0 keeps the planner from reading all jobs first, because so many conditions seem to
-- leave few of them.
WITH wanted (state) AS MATERIALIZED (
  SELECT * FROM unnest(:states::text[])
  WHERE coalesce(:key::text, :schedule::text, :run::text, :needed_by::text) IS NULL),
chosen (id) AS (
  SELECT id FROM rotulus_jobs WHERE key = :key AND :needed_by::uuid[] IS NULL
  UNION
  SELECT id FROM rotulus_jobs WHERE schedule = :schedule AND :needed_by::uuid[] IS NULL
  UNION
  SELECT id FROM rotulus_jobs WHERE run = :run::uuid AND :step::text IS NULL AND :needed_by::uuid[] IS NULL
  UNION
  SELECT id FROM rotulus_jobs WHERE run = :run::uuid AND step = :step AND :needed_by::uuid[] IS NULL
  UNION
  SELECT need FROM rotulus_needs WHERE job = ANY (:needed_by::uuid[])
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
  WHERE state = 'blocked' AND (SELECT bool_or(state = 'blocked') FROM wanted)
  UNION
  SELECT id FROM rotulus_jobs
  WHERE state = 'running' AND lease_until IS NOT NULL
    AND (SELECT bool_or(state = 'running') FROM wanted)
  UNION
  SELECT job.id FROM wanted JOIN rotulus_jobs AS job
    ON job.state = wanted.state AND job.ended_at IS NOT NULL)
SELECT {record} FROM chosen CROSS JOIN LATERAL (
  SELECT * FROM rotulus_jobs AS whole WHERE whole.id = chosen.id OFFSET 0) AS job
WHERE {matching} AND {page}
ORDER BY job.id DESC LIMIT :limit::integer;

-- name: claimable
-- Whether a job that is wanted can be claimed, and in how many microseconds that may change by
-- itself: a delayed job is due, or a start counts no more. (A grace that
-- ends, or the lease of a worker that knew a name, is found by looking.)
-- Where very many keys have changed, or may open, it says yes: a claim looks at all of them, some at a time, and
-- after that nobody has to. Where the first job of a key has no room by its own terms, one of the next may have.
WITH RECURSIVE {limited_groups},
told AS MATERIALIZED (
  (SELECT limit_key FROM rotulus_limit_heads WHERE opens_at = 0 AND queue = '' LIMIT 101)
  UNION ALL
  (SELECT limit_key FROM rotulus_limit_heads
   WHERE opens_at > 0 AND opens_at <= (SELECT rotulus_now()) ORDER BY opens_at LIMIT 101)),
key (limit_key) AS (
  SELECT head.limit_key FROM (
    SELECT queue, task FROM limited_group AS job WHERE queue <> '' AND {open_queue} AND {known_task}) AS wanted
  CROSS JOIN LATERAL (
    SELECT limit_key FROM rotulus_limit_heads
    WHERE opens_at = 0 AND queue = wanted.queue AND task = wanted.task) AS head
  UNION ALL
  SELECT limit_key FROM told WHERE (SELECT count(*) FROM told) <= 100),
room AS (
  SELECT first.* FROM key CROSS JOIN LATERAL (
    SELECT job.limit_key, job.limit_to, job.rate_to FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key = key.limit_key AND job.losses < 2
      AND {open_queue}
      AND {known_task}
    ORDER BY job.priority DESC, job.seq LIMIT 20) AS first
  UNION ALL
  SELECT job.limit_key, job.limit_to, job.rate_to FROM rotulus_jobs AS job
  WHERE job.state = 'queued' AND {lone_suspect}
    AND {open_queue}
    AND {known_task})
SELECT
  EXISTS (
    SELECT FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
      AND {open_queue}
      AND {known_task})
  OR (SELECT count(*) FROM told) > 100
  OR EXISTS (SELECT FROM room AS job WHERE {room_for_one}),
  least(
    (SELECT min(run_at) FROM rotulus_jobs WHERE state = 'delayed'),
    (SELECT min(opens_at) FROM rotulus_limit_heads WHERE opens_at > 0))
  - (SELECT rotulus_now());
