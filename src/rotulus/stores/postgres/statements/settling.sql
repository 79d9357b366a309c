-- Outcomes of attempts, as workers report them.

-- name: succeed
-- Attempts whose task returned, of jobs in no run. Returns the claims that were refused, and a row of NULL
-- if other jobs may have waited for one of these to end. If some are in a run, nothing is changed, and a
-- row of NULL and 0 is all that is returned.
-- One statement is enough: what has to be known of a job in no run stands in its own row, and a statement
-- that has waited for a row goes on with the row as it is then. An old snapshot tells the same about runs:
-- while a job is running, it joins no run and leaves none.
WITH outcome AS MATERIALIZED (
  SELECT * FROM {success_rows}),
whether (alone) AS MATERIALIZED (
  SELECT NOT EXISTS (
    SELECT FROM outcome JOIN rotulus_jobs AS job ON job.id = outcome.id WHERE job.run IS NOT NULL)),
settled AS (
  UPDATE rotulus_jobs AS job
  SET state = 'succeeded', reason = NULL, error = NULL, fingerprint = NULL, ended_at = now,
      result = outcome.result, progress = coalesce(outcome.progress, job.progress),
      lease_until = NULL, waits_for = 0, cancel_requested = false
  FROM outcome, (SELECT rotulus_now() AS now) AS moment
  WHERE job.id = outcome.id AND job.attempt = outcome.attempt AND job.state || '' = 'running'
    AND (SELECT alone FROM whether)
  RETURNING
    job.id, job.attempt, job.limit_key, job.task, job.queue, job.started_at, job.run_at, now,
    job.state),
ended AS (
  SELECT task, queue, 'succeeded' AS outcome, run_at AS due, started_at, now FROM settled),
{counted_attempts},
{noted_settled}
(SELECT id, attempt FROM outcome WHERE (SELECT alone FROM whether)
 EXCEPT SELECT id, attempt FROM settled)
UNION ALL
(SELECT NULL, NULL FROM settled WHERE limit_key IS NOT NULL LIMIT 1)
UNION ALL
(SELECT NULL, 0 FROM whether WHERE NOT alone);

-- piece: noted_settled
-- The changes of what has been `settled`.
noted AS (
  INSERT INTO rotulus_changes_new ({change_columns})
  SELECT now, 'job', id, state, task, queue FROM settled WHERE {listened})

-- name: settle
-- Outcomes of any kind: attempts end, or go back to their queue. Where somebody asked to cancel the job,
-- an attempt that would go back, or was lost, ends as cancelled.
-- Returns what `succeed` returns. A row of NULL also says that a job goes back, now or later: a worker
-- that is idle may mean to sleep longer than until then. Jobs in a run are settled only if they are
-- `locked`, with those that wait for them, by `lock_with_dependants`.
WITH outcome AS MATERIALIZED (
  SELECT *, state IN ('queued', 'delayed') AS back,
    state IN ('queued', 'delayed') OR lost > 0 AS yields
  FROM {outcome_rows}),
found AS MATERIALIZED (
  SELECT outcome.*, job.limit_key, job.run, job.run_at AS due, outcome.yields AND job.cancel_requested AS cancelled,
    NOT outcome.back OR job.cancel_requested AS ends
  FROM outcome JOIN rotulus_jobs AS job
    ON job.id = outcome.id AND job.attempt = outcome.attempt AND job.state || '' = 'running'
  ORDER BY job.id FOR UPDATE OF job),
whether (whole) AS MATERIALIZED (
  SELECT :locked::boolean OR NOT EXISTS (SELECT FROM found WHERE run IS NOT NULL)),
held AS MATERIALIZED (
  SELECT * FROM found WHERE (SELECT whole FROM whether)),
{unblocked},
fate AS MATERIALIZED (
  SELECT held.*, coalesce(fewer.needs, 0) AS needs, now,
    CASE WHEN NOT ends THEN coalesce(until, now + delay) END AS back_at
  FROM held LEFT JOIN fewer ON fewer.id = held.id, (SELECT rotulus_now() AS now) AS present),
settled AS (
  UPDATE rotulus_jobs AS job
  SET state = CASE WHEN fate.cancelled THEN 'cancelled'
                   WHEN fate.ends THEN fate.state
                   WHEN job.paused OR job.waits_for > fate.needs THEN 'blocked'
                   WHEN fate.back_at > now THEN 'delayed'
                   ELSE fate.state END,
      reason = CASE WHEN fate.cancelled THEN 'cancelled' ELSE fate.reason END,
      error = CASE WHEN fate.cancelled THEN NULL ELSE fate.error END,
      fingerprint = CASE WHEN fate.cancelled THEN NULL ELSE fate.fingerprint END,
      result = fate.result,
      run_at = coalesce(fate.back_at, job.run_at),
      ended_at = CASE WHEN fate.ends THEN now END,
      waits_for = CASE WHEN fate.ends THEN 0 ELSE job.waits_for - fate.needs END,
      failures = job.failures + CASE WHEN fate.cancelled THEN 0 ELSE fate.failed END,
      losses = job.losses + fate.lost,
      releases = job.releases + CASE WHEN fate.cancelled THEN 0 ELSE fate.released END,
      progress = coalesce(fate.progress, job.progress),
      lease_until = NULL, cancel_requested = false
  FROM fate
  WHERE job.id = fate.id
  RETURNING
    job.id, job.attempt, job.limit_key, job.reason, job.worker, job.started_at, job.error, ends,
    now, job.task, job.queue, job.state, fate.due,
    CASE WHEN ends THEN job.state WHEN fate.failed > 0 THEN 'retried' WHEN fate.lost > 0 THEN 'lost'
         WHEN job.reason = 'snooze' THEN 'snoozed' ELSE 'released' END AS outcome),
kept AS (
  INSERT INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
  SELECT id, attempt, reason, worker, started_at, now, error
  FROM settled WHERE NOT ends
  ON CONFLICT DO NOTHING),
ended AS (
  SELECT task, queue, outcome, due, started_at, now FROM settled WHERE reason IS DISTINCT FROM 'unstarted'),
{counted_attempts},
{noted_settled}
(SELECT id, attempt FROM outcome WHERE (SELECT whole FROM whether)
 EXCEPT SELECT id, attempt FROM settled)
UNION ALL
(SELECT NULL, NULL FROM settled WHERE limit_key IS NOT NULL OR NOT ends LIMIT 1)
UNION ALL
(SELECT NULL, NULL FROM unblocked WHERE due LIMIT 1)
UNION ALL
(SELECT NULL, 0 FROM whether WHERE NOT whole);

-- name: open
-- An attempt whose job is made of parts, which are added now; `lock_with_dependants` has locked its row. Then its
-- run, and whether that is paused.
WITH before AS (
  SELECT run_at AS due FROM rotulus_jobs WHERE id = :id::uuid),
opened AS (
  UPDATE rotulus_jobs AS job
  SET state = CASE WHEN job.paused OR job.waits_for + :waits_for::integer > 0 THEN 'blocked'
                   ELSE 'queued' END,
      reason = :reason, run = coalesce(job.run, job.id), step = coalesce(job.step, ''),
      waits_for = job.waits_for + :waits_for::integer, opened = true, run_at = now,
      expires_at = NULL,
      limit_key = NULL, limit_to = NULL, rate_to = NULL, rate_per = NULL,
      progress = coalesce(:progress, job.progress), lease_until = NULL
  FROM rotulus_now() AS now, before
  WHERE job.id = :id::uuid
  RETURNING job.*, before.due, now),
kept AS (
  INSERT INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
  SELECT id, attempt, reason, worker, started_at, now, error FROM opened
  ON CONFLICT DO NOTHING),
ended AS (
  SELECT task, queue, 'opened' AS outcome, due, started_at, now FROM opened),
{counted_attempts},
noted AS (
  INSERT INTO rotulus_changes_new ({change_columns})
  SELECT now, 'job', id, state, task, queue FROM opened WHERE {listened})
SELECT run, paused FROM opened;

-- name: unblock
-- Jobs that waited for some that have ended, all of them locked; a row of NULL if that brings work.
WITH held AS MATERIALIZED (
  SELECT job.id, job.run, true AS ends
  FROM unnest(:ids::uuid[]) AS wanted (id) JOIN rotulus_jobs AS job ON job.id = wanted.id),
{unblocked}
SELECT NULL FROM unblocked WHERE due LIMIT 1;

-- name: some_left
-- Whether any jobs are due, or will be. With a parameter its plan is kept.
SELECT
  EXISTS (SELECT FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NULL AND losses < 2)
  OR EXISTS (
    SELECT FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2)
  OR EXISTS (SELECT FROM rotulus_jobs WHERE state = 'queued' AND losses >= 2)
  OR (:delayed::boolean AND EXISTS (SELECT FROM rotulus_jobs WHERE state = 'delayed'));
