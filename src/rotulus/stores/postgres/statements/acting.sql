-- Operator actions on jobs and queues: cancel, retry, pause, delete.

-- name: lock_runs
-- Lock some jobs, with all jobs of their runs, until this transaction is over: which of them exist, how
-- many jobs are locked, and how many of these are in runs. In the order of ids, as everywhere.
SELECT coalesce(array_agg(id::text) FILTER (WHERE id = ANY (:ids::uuid[])), '{}'), count(*), count(run)
FROM (
  SELECT job.id, job.run FROM (
    SELECT id FROM unnest(:ids::uuid[]) AS wanted (id)
    UNION
    SELECT other.id FROM unnest(:ids::uuid[]) AS wanted (id)
    JOIN rotulus_jobs AS job ON job.id = wanted.id
    JOIN rotulus_jobs AS other ON other.run = job.run) AS wanted
  JOIN rotulus_jobs AS job ON job.id = wanted.id
  ORDER BY job.id FOR UPDATE OF job) AS locked;

-- name: with_parts
-- Jobs and their parts, and the parts of those.
SELECT id FROM unnest(:ids::uuid[]) AS wanted (id)
UNION
SELECT part.id FROM unnest(:ids::uuid[]) AS wanted (id)
JOIN rotulus_jobs AS job ON job.id = wanted.id AND job.opened
JOIN rotulus_jobs AS part ON {part_of_job};

-- name: cancel
-- Waiting jobs end; running ones are asked to. Then those of runs that have ended.
WITH cancelled AS (
  UPDATE rotulus_jobs AS job
  SET cancel_requested = job.state = 'running',
      state = CASE job.state WHEN 'running' THEN job.state ELSE 'cancelled' END,
      reason = CASE job.state WHEN 'running' THEN job.reason ELSE 'cancelled' END,
      ended_at = CASE job.state WHEN 'running' THEN NULL ELSE (SELECT rotulus_now()) END,
      waits_for = CASE job.state WHEN 'running' THEN job.waits_for ELSE 0 END
  FROM unnest(:ids::uuid[]) AS wanted (id)
  WHERE job.id = wanted.id AND job.state || '' IN ('blocked', 'delayed', 'queued', 'running')
  RETURNING job.id, job.run, job.ended_at)
SELECT id FROM cancelled WHERE ended_at IS NOT NULL AND run IS NOT NULL;

-- name: retryable
-- The jobs among some that an operator can send back, each with the head of its run (itself, if it is in
-- none) and the key of that. With `any_end`, in whatever state they ended.
SELECT job.id, head.id, head.key
FROM unnest(:ids::uuid[]) AS wanted (id)
JOIN rotulus_jobs AS job ON job.id = wanted.id
JOIN rotulus_jobs AS head ON head.id = coalesce(job.run, job.id)
WHERE job.state || '' IN ('failed', 'dead', 'cancelled')
  OR :any_end::boolean AND job.ended_at IS NOT NULL
ORDER BY job.id;

-- name: dependants
-- Some jobs with their dependants, direct or not, and whether each is running.
WITH RECURSIVE affected (id) AS (
  SELECT id FROM unnest(:ids::uuid[]) AS wanted (id)
  UNION
  SELECT need.job FROM affected JOIN rotulus_needs AS need ON need.need = affected.id)
SELECT job.id, job.state = 'running' FROM affected JOIN rotulus_jobs AS job ON job.id = affected.id;

-- name: to_rebuild
-- The opened jobs that go back and will add other parts: those of `ids` with `rebuild`, and those with a
-- need that goes back.
SELECT job.id FROM unnest(:back::uuid[]) AS wanted (id)
JOIN rotulus_jobs AS job ON job.id = wanted.id AND job.opened
WHERE :rebuild::boolean AND job.id = ANY (:ids::uuid[])
  OR EXISTS (
    SELECT FROM rotulus_needs AS need
    WHERE need.job = job.id AND NOT need.part AND need.need = ANY (:back::uuid[]));

-- name: delete_parts
-- The parts of some jobs, the parts of those, and all that is known of them. The jobs are as they
-- were before they opened.
WITH gone AS MATERIALIZED (
  SELECT DISTINCT part.id FROM unnest(:ids::uuid[]) AS wanted (id)
  JOIN rotulus_jobs AS job ON job.id = wanted.id
  JOIN rotulus_jobs AS part ON {part_of_job}),
forgotten AS (DELETE FROM rotulus_attempts AS attempt USING gone WHERE attempt.job = gone.id),
unneeded AS (DELETE FROM rotulus_needs AS need USING gone WHERE need.need = gone.id),
deleted AS (DELETE FROM rotulus_jobs AS job USING gone WHERE job.id = gone.id)
UPDATE rotulus_jobs AS job SET opened = false FROM unnest(:ids::uuid[]) AS wanted (id)
WHERE job.id = wanted.id AND NOT EXISTS (SELECT FROM gone WHERE gone.id = job.id);

-- name: archive_ended
-- Keep the attempt a job ended with.
INSERT INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
SELECT id, attempt, coalesce(reason, state), worker, started_at, ended_at, error
FROM rotulus_jobs WHERE id = ANY (:ids::uuid[]) AND ended_at IS NOT NULL AND attempt > 0
ON CONFLICT DO NOTHING;

-- name: retry
-- Jobs go back with fresh budgets, those of `ids` with other arguments, if some are given. A job with a
-- need that goes back loses its arguments, unless they only say what it needs.
UPDATE rotulus_jobs AS job
SET state = 'blocked', reason = NULL, result = NULL, error = NULL, progress = NULL,
    failures = 0, losses = 0, run_at = (SELECT rotulus_now()), ended_at = NULL, expires_at = NULL,
    held_key = key,
    arguments = CASE WHEN :arguments::text IS NOT NULL AND job.id = ANY (:ids::uuid[])
                       THEN :arguments::text
                     WHEN job.arguments <> '{}' AND job.arguments NOT LIKE '{"needs":%' AND EXISTS (
                       SELECT FROM rotulus_needs AS need
                       WHERE need.job = job.id AND NOT need.part
                         AND need.need = ANY (:back::uuid[]))
                       THEN '{}'
                     ELSE job.arguments END
FROM unnest(:back::uuid[]) AS wanted (id)
WHERE job.id = wanted.id;

-- name: count_needs
-- Count the needs of jobs that have not ended. A job that goes back and waits for none is due.
UPDATE rotulus_jobs AS job
SET waits_for = wanted.needs,
    state = CASE WHEN job.state <> 'blocked' OR wanted.needs > 0 OR job.paused THEN job.state
                 ELSE 'queued' END
FROM (
  SELECT id, {unended_needs} AS needs
  FROM unnest(:ids::uuid[]) AS job (id)) AS wanted
WHERE job.id = wanted.id;

-- name: pause
-- Queues whose jobs are not claimed.
INSERT INTO rotulus_pauses (queue, paused_at)
SELECT queue, (SELECT rotulus_now()) FROM unnest(:queues::text[]) AS queue ORDER BY queue
ON CONFLICT (queue) DO NOTHING;

-- name: resume
-- Queues whose jobs are claimed again.
DELETE FROM rotulus_pauses WHERE queue = ANY (:queues::text[]);

-- name: pause_runs
-- Runs, or jobs that may become one, that wait until they are resumed.
UPDATE rotulus_jobs AS job
SET paused = true,
    state = CASE WHEN state IN ('delayed', 'queued') THEN 'blocked' ELSE state END
FROM {runs}
WHERE job.id = wanted.id AND NOT job.paused;

-- name: resume_runs
-- They are due again, if they wait for nothing else.
UPDATE rotulus_jobs AS job
SET paused = false,
    {becomes_due}
FROM {runs}
WHERE job.id = wanted.id AND job.paused
RETURNING job.id;

-- name: notify
-- Wake everybody who waits for work.
SELECT pg_notify(:channel, '');
