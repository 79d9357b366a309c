-- What people do to jobs and queues.

-- name: lock
-- Let nobody else change some jobs, nor any that is in a run with them: which are there, how many are
-- locked, and how many of these are in runs. In the order of ids, as `hold` has it.
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
-- Those of some jobs that an operator can send back; the job that their run is the run of, or they
-- themselves; and its key. `anew`: in whatever state they ended.
SELECT job.id, head.id, head.key
FROM unnest(:ids::uuid[]) AS wanted (id)
JOIN rotulus_jobs AS job ON job.id = wanted.id
JOIN rotulus_jobs AS head ON head.id = coalesce(job.run, job.id)
WHERE job.state || '' IN ('failed', 'dead', 'cancelled')
  OR :anew::boolean AND job.ended_at IS NOT NULL
ORDER BY job.id;

-- name: after
-- Some jobs, and what waits for them directly or in the end; and whether each runs.
WITH RECURSIVE later (id) AS (
  SELECT id FROM unnest(:ids::uuid[]) AS wanted (id)
  UNION
  SELECT need.job FROM later JOIN rotulus_needs AS need ON need.need = later.id)
SELECT job.id, job.state = 'running' FROM later JOIN rotulus_jobs AS job ON job.id = later.id;

-- name: made_anew
-- Those of some jobs whose parts will be made anew: asked for, or waiting for more than their parts.
SELECT job.id FROM unnest(:after::uuid[]) AS wanted (id)
JOIN rotulus_jobs AS job ON job.id = wanted.id AND job.opened
WHERE :anew::boolean AND job.id = ANY (:ids::uuid[])
  OR EXISTS (
    SELECT FROM rotulus_needs AS need
    WHERE need.job = job.id AND NOT need.part AND need.need = ANY (:after::uuid[]));

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
-- Jobs begin again with fresh budgets, those of `ids` with other arguments, if there are any. Steps
-- that need one of the others take theirs from it again; arguments that only say what is needed stay.
UPDATE rotulus_jobs AS job
SET state = 'blocked', reason = NULL, result = NULL, error = NULL, progress = NULL,
    failures = 0, losses = 0, run_at = (SELECT rotulus_now()), ended_at = NULL, expires_at = NULL,
    held_key = key,
    arguments = CASE WHEN :arguments::text IS NOT NULL AND job.id = ANY (:ids::uuid[])
                       THEN :arguments::text
                     WHEN job.arguments <> '{}' AND job.arguments NOT LIKE '{"needs":%' AND EXISTS (
                       SELECT FROM rotulus_needs AS need
                       WHERE need.job = job.id AND NOT need.part
                         AND need.need = ANY (:after::uuid[]))
                       THEN '{}'
                     ELSE job.arguments END
FROM unnest(:after::uuid[]) AS wanted (id)
WHERE job.id = wanted.id;

-- name: count_needs
-- Jobs wait for those of their needs that have not ended. Who begins again and waits for none is due.
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

-- name: ring
-- Wake whoever waits for work.
SELECT pg_notify(:channel, '');
