-- Operator actions on jobs and queues: cancel, edit, retry, skip, pause, delete.

-- name: with_parts
-- Jobs and their parts, and the parts of those.
SELECT job.id FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value
UNION
SELECT part.id FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value AND job.opened
{join} rotulus_jobs AS part ON {part_of_job};

-- name: cancel
-- Waiting jobs end; running ones are asked to. Then each of them, and whether it has ended in a run: others
-- may have waited for it.
UPDATE rotulus_jobs AS job
SET cancel_requested = job.state = 'running',
    state = CASE job.state WHEN 'running' THEN job.state ELSE 'cancelled' END,
    reason = CASE job.state WHEN 'running' THEN job.reason ELSE 'cancelled' END,
    ended_at = CASE job.state WHEN 'running' THEN NULL ELSE {now} END,
    waits_for = CASE job.state WHEN 'running' THEN job.waits_for ELSE 0 END
WHERE job.id {in_ids} AND job.state || '' IN ('blocked', 'delayed', 'queued', 'running')
RETURNING id, ended_at IS NOT NULL AND run IS NOT NULL;

-- piece: is_moved
-- An edit says when a job is due.
(CAST(:at AS bigint) IS NOT NULL OR CAST(:delay AS bigint) IS NOT NULL)

-- piece: moved_to
-- When it is due then: never before now.
CASE WHEN CAST(:at AS bigint) IS NOT NULL THEN {greatest}(CAST(:at AS bigint), now)
     WHEN CAST(:delay AS bigint) IS NOT NULL THEN now + CAST(:delay AS bigint)
     ELSE job.run_at END

-- name: edit
-- A job that waits is changed, if it is as somebody has seen it.
UPDATE rotulus_jobs AS job
SET arguments = coalesce(CAST(:arguments AS text), job.arguments),
    priority = coalesce(CAST(:priority AS integer), job.priority),
    run_at = {moved_to},
    expires_at = CASE WHEN {is_moved} THEN {moved_to} + job.expires_at - job.run_at ELSE job.expires_at END,
    state = CASE WHEN job.state = 'blocked' OR NOT {is_moved} THEN job.state
                 WHEN {moved_to} > now THEN 'delayed'
                 ELSE 'queued' END
FROM {moment}
WHERE job.id = CAST(:id AS {id}) AND job.state || '' IN ('blocked', 'delayed', 'queued') AND NOT job.opened
  AND job.arguments = CAST(:seen_arguments AS text) AND job.priority = CAST(:seen_priority AS integer)
  AND job.run_at = CAST(:seen_run_at AS bigint);

-- name: reprioritise
-- Waiting jobs get another priority.
UPDATE rotulus_jobs AS job SET priority = CAST(:priority AS integer)
WHERE job.id {in_ids} AND job.state || '' IN ('blocked', 'delayed', 'queued')
RETURNING id;

-- name: retryable
-- The jobs among some that an operator can send back, each with the head of its run (itself, if it is in
-- none) and the key of that. With `any_end`, in whatever state they ended.
SELECT DISTINCT job.id, head.id, head.key
FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value
{join} rotulus_jobs AS head ON head.id = coalesce(job.run, job.id)
WHERE job.state || '' IN ('failed', 'dead', 'cancelled')
  OR CAST(:any_end AS boolean) AND job.ended_at IS NOT NULL
ORDER BY job.id;

-- name: dependants
-- Some jobs with their dependants, direct or not, whether each is running, whether it has ended, and whether an
-- operator has skipped it.
WITH RECURSIVE affected (job) AS (
  SELECT job.{job} FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value
  UNION
  SELECT need.job FROM affected {join} rotulus_needs AS need ON need.need = affected.job)
SELECT job.{job}, job.state = 'running', job.id, job.ended_at IS NOT NULL,
  job.state = 'skipped' AND coalesce(job.reason, '') = 'operator'
FROM affected {join} rotulus_jobs AS job ON job.{job} = affected.job;

-- name: to_rebuild
-- The opened jobs that go back and will add other parts: those of `ids` with `rebuild`, and those with a
-- need that goes back.
SELECT job.{job} FROM {each_back} {join} rotulus_jobs AS job ON job.{job} = wanted.value AND job.opened
WHERE CAST(:rebuild AS boolean) AND job.id {in_ids}
  OR EXISTS (
    SELECT 1 FROM rotulus_needs AS need
    WHERE need.job = job.{job} AND NOT need.part AND need.need {in_back});

-- name: parts_of
-- The parts of some jobs, and the parts of those.
SELECT DISTINCT part.{job} FROM {each_jobs} {join} rotulus_jobs AS job ON job.{job} = wanted.value
{join} rotulus_jobs AS part ON {part_of_job};

-- name: reset_opened
-- Jobs whose parts were deleted are as they were before they were opened.
UPDATE rotulus_jobs SET opened = false WHERE {job} {in_jobs};

-- name: archive_ended
-- Keep the attempt a job ended with. One that was cancelled in words of its own is kept with a beginning before them,
-- `saying`, so that they are not taken for a reason of ours.
INSERT INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
SELECT {job}, attempt,
  CASE WHEN state = 'cancelled' AND reason <> 'cancelled' THEN CAST(:saying AS text) || reason
       ELSE coalesce(reason, state) END,
  worker, started_at, ended_at, error
FROM rotulus_jobs WHERE {job} {in_back} AND ended_at IS NOT NULL AND attempt > 0
ON CONFLICT DO NOTHING;

-- name: retry
-- Jobs go back with fresh budgets, those of `ids` with other arguments, if some are given. A job with a
-- need that goes back loses its arguments, unless they only say what it needs, or that it is to be skipped. A step
-- that had its turn is not to be skipped again; one with a need that failed has not had it.
UPDATE rotulus_jobs AS job
SET state = 'blocked', reason = NULL, result = NULL, error = NULL, fingerprint = NULL,
    progress = NULL,
    failures = 0, losses = 0, run_at = {now}, ended_at = NULL, expires_at = NULL,
    held_key = key,
    arguments = CASE WHEN CAST(:arguments AS text) IS NOT NULL AND job.id {in_ids}
                       THEN CAST(:arguments AS text)
                     WHEN job.arguments <> '{}' AND job.arguments NOT LIKE '{"needs":%'
                       AND job.arguments NOT LIKE '{"skip"_true}' AND EXISTS (
                       SELECT 1 FROM rotulus_needs AS need
                       WHERE need.job = job.{job} AND NOT need.part AND need.need {in_back})
                       THEN '{}'
                     WHEN job.ended_at IS NULL OR job.workflow IS NULL OR coalesce(job.reason, '') = 'need_failed'
                       THEN job.arguments
                     WHEN job.arguments LIKE '{"skip"_true}' THEN '{}'
                     WHEN job.arguments LIKE '{"needs":%,"skip"_true}'
                       THEN substr(job.arguments, 1, length(job.arguments) - length(',"skip"_true}')) || '}'
                     ELSE job.arguments END
WHERE job.{job} {in_back};

-- name: count_needs
-- Count the needs of jobs that have not ended, once for each. A job that goes back and waits for none
-- is due.
WITH wanted AS MATERIALIZED (
  SELECT job.{job}, {unended_needs} AS needs
  FROM (SELECT value AS {job} FROM {each_jobs}) AS job)
UPDATE rotulus_jobs AS job
SET waits_for = wanted.needs,
    state = CASE WHEN job.state <> 'blocked' OR wanted.needs > 0 OR job.paused THEN job.state
                 ELSE 'queued' END
FROM wanted
WHERE job.{job} = wanted.{job};

-- piece: can_be_skipped
-- A part of a run that waits for nothing that it needs, or went wrong.
job.run <> job.id AND job.state || '' NOT IN ('running', 'succeeded', 'skipped')
AND (job.state || '' <> 'blocked' OR job.waits_for = 0 OR job.opened)

-- name: skippable
-- A part of a run that can be skipped, and its own parts that are skipped with it, and whether each has ended;
-- nothing if one of them is running.
WITH one (number, id, state) AS MATERIALIZED (
  SELECT job.{job}, job.id, job.state
  FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value AND {can_be_skipped}
  UNION ALL
  SELECT part.{job}, part.id, part.state
  FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value AND job.opened AND {can_be_skipped}
  {join} rotulus_jobs AS part ON {part_of_job})
SELECT one.number, one.id, one.state IN ('failed', 'dead', 'cancelled') FROM one
WHERE one.state NOT IN ('running', 'succeeded', 'skipped')
  AND NOT EXISTS (SELECT 1 FROM one AS other WHERE other.state = 'running');

-- name: skip
-- Jobs that wait or went wrong are skipped.
UPDATE rotulus_jobs AS job
SET state = 'skipped', reason = 'operator', result = NULL, error = NULL, fingerprint = NULL,
    progress = NULL, waits_for = 0, ended_at = {now}
WHERE job.{job} {in_jobs}
  AND job.state || '' IN ('blocked', 'delayed', 'queued', 'failed', 'dead', 'cancelled');

-- name: pause
-- Queues whose jobs are not claimed.
INSERT INTO rotulus_pauses (queue, paused_at)
SELECT value, {now} FROM {each_queues} WHERE true ORDER BY value
ON CONFLICT (queue) DO NOTHING;

-- name: resume
-- Queues whose jobs are claimed again.
DELETE FROM rotulus_pauses WHERE queue {in_queues};

-- name: drain_workers
-- Workers that take no more jobs, and end; one that was told before was told then.
UPDATE rotulus_workers SET draining_at = coalesce(draining_at, {now}) WHERE name {in_names} AND {alive};

-- name: pause_runs
-- Runs, or jobs that may become one, that wait until they are resumed. Then each of their jobs, and whether it waits.
UPDATE rotulus_jobs AS job
SET paused = true,
    state = CASE WHEN job.state IN ('delayed', 'queued') THEN 'blocked' ELSE job.state END
FROM {runs}
WHERE job.{job} = wanted.job AND NOT job.paused
RETURNING {job}, state = 'blocked';

-- name: resume_runs
-- They are due again, if they wait for nothing else. Then each of their jobs, and whether it is.
UPDATE rotulus_jobs AS job
SET paused = false,
    {becomes_due}
FROM {runs}, {moment}
WHERE job.{job} = wanted.job AND job.paused
RETURNING {job}, state IN ('delayed', 'queued');

-- name: deletable
-- Those of some jobs that have ended and that nobody needs.
SELECT job.{job}, job.id FROM rotulus_jobs AS job
WHERE job.id {in_ids} AND job.ended_at IS NOT NULL
  AND (job.held_key IS NULL OR job.hold_until IS NULL OR job.hold_until <= {now})
  AND (job.run IS NULL OR job.run = job.id AND 0 = (
    SELECT count(*) FROM rotulus_jobs AS part WHERE part.run = job.id AND part.ended_at IS NULL));

-- name: delete_attempts
-- Earlier attempts go with their job.
DELETE FROM rotulus_attempts WHERE job {in_jobs};

-- name: delete_needs
-- And so does what a job waited for, and what waited for it.
DELETE FROM rotulus_needs WHERE need {in_jobs} OR job {in_jobs};

-- name: delete_entries
-- What is to be published goes with its job.
DELETE FROM rotulus_outbox WHERE job {in_jobs};

-- name: delete_jobs
-- Jobs that nobody needs. By a trigger, their labels and what they have logged go with them.
DELETE FROM rotulus_jobs WHERE {job} {in_jobs};
