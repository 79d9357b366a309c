-- The rescue of jobs whose workers were lost.

-- name: expired
-- Running jobs whose lease is over, or was given before the machine was started again.
SELECT json_group_array(json_array({claim_columns})) FROM (
  SELECT {claim_columns} FROM rotulus_jobs
  WHERE state = 'running' AND (boot <> :boot OR lease_until <= :clock)
  LIMIT :limit);

-- name: held_by
-- Running jobs of one worker.
SELECT json_group_array(json_array({claim_columns})) FROM rotulus_jobs
WHERE state = 'running' AND worker = :worker;

-- name: rescue
-- Attempts that were lost: back to the queue, or given up.
WITH lost AS MATERIALIZED (
  SELECT {claim_values} FROM json_each(:claims)),
fate AS MATERIALIZED (
  SELECT job.seq, job.losses + 1 AS losses,
    CASE WHEN job.cancel_requested THEN 'cancelled'
         WHEN job.losses + 1 >= :max_losses THEN 'dead'
         WHEN job.losses = 0 THEN 'queued'
         ELSE 'delayed' END AS state
  FROM lost CROSS JOIN rotulus_jobs AS job
    ON job.id = lost.id AND job.attempt = lost.attempt AND +job.state = 'running')
UPDATE rotulus_jobs AS job
SET state = CASE WHEN fate.state IN ('queued', 'delayed') AND (job.paused OR job.waits_for > 0)
                   THEN 'blocked'
                 ELSE fate.state END,
    waits_for = CASE WHEN fate.state IN ('queued', 'delayed') THEN job.waits_for ELSE 0 END,
    losses = fate.losses,
    reason = CASE fate.state WHEN 'cancelled' THEN 'cancelled' WHEN 'dead' THEN 'crash_loop'
                             ELSE 'lost' END,
    error = :error, fingerprint = :fingerprint,
    run_at = CASE fate.state WHEN 'delayed' THEN :now + (1000000 << fate.losses)
                             ELSE job.run_at END,
    ended_at = CASE WHEN fate.state IN ('cancelled', 'dead') THEN :now END,
    boot = NULL, lease_until = NULL, cancel_requested = 0
FROM fate
WHERE job.seq = fate.seq;
