-- What attempts came to: by their workers, or because those are lost.

-- name: succeed
-- Attempts whose task returned. Then the claims that are not theirs any more; and a row of NULL if
-- others may have waited for one of these to end.
WITH outcome AS MATERIALIZED (
  SELECT * FROM unnest(:ids::uuid[], :attempts::integer[], :results::text[], :progresses::text[])
    AS outcome (id, attempt, result, progress)),
settled AS (
  UPDATE rotulus_jobs AS job
  SET state = 'succeeded', reason = NULL, error = NULL, ended_at = now,
      result = outcome.result, progress = coalesce(outcome.progress, job.progress),
      lease_until = NULL, cancel_requested = false
  FROM outcome, (SELECT rotulus_now() AS now) AS moment
  WHERE job.id = outcome.id AND job.attempt = outcome.attempt AND job.state || '' = 'running'
  RETURNING job.id, job.attempt, job.limit_key)
(SELECT id, attempt FROM outcome EXCEPT SELECT id, attempt FROM settled)
UNION ALL
(SELECT NULL, NULL FROM settled WHERE limit_key IS NOT NULL LIMIT 1);

-- name: settle
-- Attempts that came to anything: they end, or go back to their queue unless they are cancelled. Of
-- one that was lost it does not matter what would have become of it.
-- Then the same: it is for others, too, if it goes back to its queue, now or later: who is idle may
-- mean to sleep longer than until it is due.
WITH outcome AS MATERIALIZED (
  SELECT *, state IN ('queued', 'delayed') AS back,
    state IN ('queued', 'delayed') OR loss > 0 AS yields
  FROM unnest(
    :ids::uuid[], :attempts::integer[], :states::text[], :reasons::text[], :results::text[],
    :errors::text[], :delays::bigint[], :moments::bigint[], :failures::integer[],
    :losses::integer[], :releases::integer[], :progresses::text[])
    AS outcome (id, attempt, state, reason, result, error, delay, moment, failure, loss, release,
                progress)),
settled AS (
  UPDATE rotulus_jobs AS job
  SET state = CASE WHEN outcome.yields AND job.cancel_requested THEN 'cancelled'
                   WHEN outcome.back AND coalesce(outcome.moment, now + outcome.delay) > now
                     THEN 'delayed'
                   ELSE outcome.state END,
      reason = CASE WHEN outcome.yields AND job.cancel_requested THEN 'cancelled'
                    ELSE outcome.reason END,
      error = CASE WHEN outcome.yields AND job.cancel_requested THEN NULL ELSE outcome.error END,
      result = outcome.result,
      run_at = CASE WHEN outcome.back AND NOT job.cancel_requested
                      THEN coalesce(outcome.moment, now + outcome.delay)
                    ELSE job.run_at END,
      ended_at = CASE WHEN outcome.back AND NOT job.cancel_requested THEN NULL ELSE now END,
      failures = job.failures
        + CASE WHEN outcome.yields AND job.cancel_requested THEN 0 ELSE outcome.failure END,
      losses = job.losses + outcome.loss,
      releases = job.releases
        + CASE WHEN outcome.yields AND job.cancel_requested THEN 0 ELSE outcome.release END,
      progress = coalesce(outcome.progress, job.progress),
      lease_until = NULL, cancel_requested = false
  FROM outcome, (SELECT rotulus_now() AS now) AS moment
  WHERE job.id = outcome.id AND job.attempt = outcome.attempt AND job.state || '' = 'running'
  RETURNING
    job.id, job.attempt, job.limit_key, job.state, job.reason, job.worker, job.started_at,
    job.error, now),
kept AS (
  INSERT INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
  SELECT id, attempt, reason, worker, started_at, now, error
  FROM settled WHERE state IN ('queued', 'delayed')
  ON CONFLICT DO NOTHING)
(SELECT id, attempt FROM outcome EXCEPT SELECT id, attempt FROM settled)
UNION ALL
(SELECT NULL, NULL FROM settled
 WHERE limit_key IS NOT NULL OR state IN ('queued', 'delayed') LIMIT 1);

-- name: expired
-- Running jobs whose lease is over, for `reclaim`. Whoever has one in hand just now is left to it.
SELECT id FROM rotulus_jobs
WHERE state = 'running' AND lease_until <= (SELECT rotulus_now())
ORDER BY id LIMIT :limit::integer FOR UPDATE SKIP LOCKED;

-- name: held_by
-- Running jobs of one worker, for `reclaim`.
SELECT id FROM rotulus_jobs
WHERE state = 'running' AND lease_until IS NOT NULL AND worker = :worker
ORDER BY id FOR UPDATE;

-- name: reclaim
-- Attempts that were lost: back to the queue, or given up. Their rows are locked.
WITH lost AS MATERIALIZED (
  SELECT job.id, job.losses + 1 AS losses, now,
    CASE WHEN job.cancel_requested THEN 'cancelled'
         WHEN job.losses + 1 >= :max_losses::integer THEN 'dead'
         WHEN job.losses = 0 THEN 'queued'
         ELSE 'delayed' END AS state
  FROM unnest(:ids::uuid[]) AS wanted (id)
  JOIN rotulus_jobs AS job ON job.id = wanted.id AND job.state || '' = 'running',
  (SELECT rotulus_now() AS now) AS moment),
reclaimed AS (
  UPDATE rotulus_jobs AS job
  SET state = lost.state, losses = lost.losses,
      reason = CASE lost.state WHEN 'cancelled' THEN 'cancelled' WHEN 'dead' THEN 'crash_loop'
                               ELSE 'lost' END,
      error = :error,
      run_at = CASE lost.state WHEN 'delayed' THEN now + (1000000::bigint << lost.losses)
                               ELSE job.run_at END,
      ended_at = CASE WHEN lost.state IN ('cancelled', 'dead') THEN now END,
      lease_until = NULL, cancel_requested = false
  FROM lost
  WHERE job.id = lost.id AND job.state || '' = 'running'
  RETURNING job.*, lost.now),
kept AS (
  INSERT INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
  SELECT id, attempt, reason, worker, started_at, now, error
  FROM reclaimed WHERE state IN ('queued', 'delayed')
  ON CONFLICT DO NOTHING)
SELECT id FROM reclaimed;
