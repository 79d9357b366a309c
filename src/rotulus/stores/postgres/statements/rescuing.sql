-- The rescue of jobs whose workers were lost.

-- name: expired
-- Running jobs whose lease is over, for `rescue`. Rows that another transaction has locked are left.
SELECT id FROM rotulus_jobs
WHERE state = 'running' AND lease_until <= (SELECT rotulus_now())
ORDER BY id LIMIT :limit::integer FOR UPDATE SKIP LOCKED;

-- name: held_by
-- Running jobs of one worker, for `rescue`.
SELECT id FROM rotulus_jobs
WHERE state = 'running' AND lease_until IS NOT NULL AND worker = :worker
ORDER BY id FOR UPDATE;

-- name: rescue
-- Attempts that were lost: back to the queue, or given up. `lock_with_dependants` has locked their rows, and those
-- that wait for them. Then those of runs that have ended.
WITH lost AS MATERIALIZED (
  SELECT job.id, job.losses + 1 AS losses, job.run_at AS due, now,
    CASE WHEN job.cancel_requested THEN 'cancelled'
         WHEN job.losses + 1 >= :max_losses::integer THEN 'dead'
         WHEN job.losses = 0 THEN 'queued'
         ELSE 'delayed' END AS state
  FROM unnest(:ids::uuid[]) AS wanted (id)
  JOIN rotulus_jobs AS job ON job.id = wanted.id AND job.state || '' = 'running',
  (SELECT rotulus_now() AS now) AS moment),
rescued AS (
  UPDATE rotulus_jobs AS job
  SET state = CASE WHEN lost.state IN ('queued', 'delayed') AND (job.paused OR job.waits_for > 0)
                     THEN 'blocked'
                   ELSE lost.state END,
      losses = lost.losses,
      reason = CASE lost.state WHEN 'cancelled' THEN 'cancelled' WHEN 'dead' THEN 'crash_loop'
                               ELSE 'lost' END,
      error = :error, fingerprint = :fingerprint,
      run_at = CASE lost.state WHEN 'delayed' THEN now + (1000000::bigint << lost.losses)
                               ELSE job.run_at END,
      ended_at = CASE WHEN lost.state IN ('cancelled', 'dead') THEN now END,
      waits_for = CASE WHEN lost.state IN ('cancelled', 'dead') THEN 0 ELSE job.waits_for END,
      lease_until = NULL, cancel_requested = false
  FROM lost
  WHERE job.id = lost.id AND job.state || '' = 'running'
  RETURNING
    job.*, lost.due, lost.now, CASE WHEN job.ended_at IS NULL THEN 'lost' ELSE job.state END AS outcome),
kept AS (
  INSERT INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
  SELECT id, attempt, reason, worker, started_at, now, error
  FROM rescued WHERE ended_at IS NULL
  ON CONFLICT DO NOTHING),
ended AS (
  SELECT task, queue, outcome, due, started_at, now FROM rescued),
{counted_attempts},
noted AS (
  INSERT INTO rotulus_changes_new ({change_columns})
  SELECT now, 'job', id, state, task, queue FROM rescued WHERE {listened})
SELECT id FROM rescued WHERE ended_at IS NOT NULL AND run IS NOT NULL;
