-- Operator actions on jobs and queues: cancel, retry, pause, delete.

-- name: with_parts
-- Jobs and their parts, and the parts of those.
SELECT json_group_array(id) FROM (
  SELECT id FROM rotulus_jobs WHERE id IN (SELECT value FROM json_each(:ids))
  UNION
  SELECT part.id FROM json_each(:ids) AS wanted
  CROSS JOIN rotulus_jobs AS job ON job.id = wanted.value AND job.opened
  CROSS JOIN rotulus_jobs AS part ON part.run = job.run
    AND {is_part});

-- name: cancel
-- Waiting jobs end; running ones are asked to. Then the ids of those that have ended.
UPDATE rotulus_jobs
SET cancel_requested = state = 'running',
    state = CASE state WHEN 'running' THEN state ELSE 'cancelled' END,
    reason = CASE state WHEN 'running' THEN reason ELSE 'cancelled' END,
    ended_at = CASE state WHEN 'running' THEN NULL ELSE :now END,
    waits_for = CASE state WHEN 'running' THEN waits_for ELSE 0 END
WHERE id IN (SELECT value FROM json_each(:ids))
  AND state IN ('blocked', 'delayed', 'queued', 'running')
RETURNING id, ended_at IS NOT NULL;

-- name: retryable
-- The jobs among some that an operator can send back, each with the head of its run (itself, if it is in
-- none) and the key of that. With `any_end`, in whatever state they ended.
SELECT json_group_array(json_array(job.id, head.id, head.key)) FROM (
  SELECT DISTINCT value AS id FROM json_each(:ids)) AS wanted
CROSS JOIN rotulus_jobs AS job ON job.id = wanted.id
CROSS JOIN rotulus_jobs AS head ON head.id = coalesce(job.run, job.id)
WHERE +job.state IN ('failed', 'dead', 'cancelled') OR (:any_end AND job.ended_at IS NOT NULL);

-- name: dependants
-- Some jobs with their dependants, direct or not: the numbers of all, and of those that are not running.
WITH RECURSIVE affected (seq) AS (
  SELECT seq FROM rotulus_jobs WHERE id IN (SELECT value FROM json_each(:ids))
  UNION
  SELECT need.job FROM affected CROSS JOIN rotulus_needs AS need ON need.need = affected.seq)
SELECT json_group_array(seq), json_group_array(seq) FILTER (WHERE job.state <> 'running')
FROM affected CROSS JOIN rotulus_jobs AS job USING (seq);

-- name: to_rebuild
-- The opened jobs that go back and will add other parts: those of `ids` with `rebuild`, and those with a
-- need that goes back.
SELECT json_group_array(job.seq) FROM json_each(:back) AS wanted
CROSS JOIN rotulus_jobs AS job ON job.seq = wanted.value AND job.opened
WHERE (:rebuild AND job.id IN (SELECT value FROM json_each(:ids)))
   OR EXISTS (
     SELECT 1 FROM rotulus_needs AS need
     WHERE need.job = job.seq AND NOT need.part
       AND need.need IN (SELECT value FROM json_each(:back)));

-- name: parts_of
-- The parts of some jobs, and the parts of those.
SELECT json_group_array(DISTINCT part.seq) FROM json_each(:jobs) AS wanted
CROSS JOIN rotulus_jobs AS job ON job.seq = wanted.value
CROSS JOIN rotulus_jobs AS part ON part.run = job.run AND part.seq <> job.seq
  AND {is_part};

-- name: reset_opened
-- Jobs whose parts were deleted are as they were before they were opened.
UPDATE rotulus_jobs SET opened = 0 WHERE seq IN (SELECT value FROM json_each(:jobs));

-- name: archive_ended
-- Keep the attempt a job ended with.
INSERT OR IGNORE INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
SELECT seq, attempt, coalesce(reason, state), worker, started_at, ended_at, error
FROM rotulus_jobs
WHERE seq IN (SELECT value FROM json_each(:jobs)) AND ended_at IS NOT NULL AND attempt > 0;

-- name: retry
-- Jobs go back with fresh budgets, those of `ids` with other arguments, if some are given. A job with a
-- need that goes back loses its arguments, unless they only say what it needs.
UPDATE rotulus_jobs
SET state = 'blocked', reason = NULL, result = NULL, error = NULL, progress = NULL,
    failures = 0, losses = 0, run_at = :now, ended_at = NULL, expires_at = NULL, held_key = key,
    arguments = CASE WHEN :arguments IS NOT NULL AND id IN (SELECT value FROM json_each(:ids))
                       THEN :arguments
                     WHEN arguments <> '{}' AND arguments NOT LIKE '{"needs":%' AND EXISTS (
                       SELECT 1 FROM rotulus_needs AS need
                       WHERE need.job = rotulus_jobs.seq AND NOT need.part
                         AND need.need IN (SELECT value FROM json_each(:jobs)))
                       THEN '{}'
                     ELSE arguments END
WHERE seq IN (SELECT value FROM json_each(:jobs));

-- name: count_needs
-- Count the needs of jobs that have not ended. A job that goes back and waits for none is due.
UPDATE rotulus_jobs AS job
SET waits_for = wanted.needs,
    state = CASE WHEN job.state <> 'blocked' OR wanted.needs > 0 OR job.paused THEN job.state
                 ELSE 'queued' END
FROM (
  SELECT seq, {unended_needs} AS needs
  FROM (SELECT value AS seq FROM json_each(:jobs)) AS job) AS wanted
WHERE job.seq = wanted.seq;

-- name: pause
-- Queues whose jobs are not claimed.
INSERT INTO rotulus_pauses (queue, paused_at)
SELECT value, :now FROM json_each(:queues) WHERE true
ON CONFLICT (queue) DO NOTHING;

-- name: resume
-- Queues whose jobs are claimed again.
DELETE FROM rotulus_pauses WHERE queue IN (SELECT value FROM json_each(:queues));

-- name: pause_runs
-- Runs, or jobs that may become one, that wait until they are resumed.
UPDATE rotulus_jobs AS job
SET paused = 1, state = CASE WHEN state IN ('delayed', 'queued') THEN 'blocked' ELSE state END
FROM {runs}
WHERE job.seq = wanted.seq AND NOT job.paused;

-- name: resume_runs
-- They are due again, if they wait for nothing else.
UPDATE rotulus_jobs AS job
SET paused = 0,
    {becomes_due}
FROM {runs}
WHERE job.seq = wanted.seq AND job.paused
RETURNING seq;
