-- What people do to jobs and queues.

-- name: cancel
-- Waiting jobs end; running ones are asked to.
UPDATE rotulus_jobs
SET cancel_requested = state = 'running',
    state = CASE state WHEN 'running' THEN state ELSE 'cancelled' END,
    reason = CASE state WHEN 'running' THEN reason ELSE 'cancelled' END,
    ended_at = CASE state WHEN 'running' THEN NULL ELSE :now END
WHERE id IN (SELECT value FROM json_each(:ids))
  AND state IN ('blocked', 'delayed', 'queued', 'running');

-- name: retryable
-- Those of some jobs that an operator can send back, and their keys.
SELECT json_group_array(json_array(id, key)) FROM rotulus_jobs
WHERE id IN (SELECT value FROM json_each(:ids)) AND +state IN ('failed', 'dead', 'cancelled');

-- name: archive_ended
-- Keep the attempt a job ended with.
INSERT OR IGNORE INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
SELECT seq, attempt, coalesce(reason, state), worker, started_at, ended_at, error
FROM rotulus_jobs
WHERE id IN (SELECT value FROM json_each(:ids)) AND attempt > 0;

-- name: retry
-- Ended jobs are queued again with fresh budgets, unless another one holds their key by now.
UPDATE OR IGNORE rotulus_jobs
SET state = 'queued', reason = NULL, result = NULL, error = NULL, progress = NULL,
    failures = 0, losses = 0, run_at = :now, ended_at = NULL, expires_at = NULL, held_key = key
WHERE id IN (SELECT value FROM json_each(:ids)) AND +state IN ('failed', 'dead', 'cancelled');

-- name: pause
-- Queues whose jobs are not claimed.
INSERT INTO rotulus_pauses (queue, paused_at)
SELECT value, :now FROM json_each(:queues) WHERE true
ON CONFLICT (queue) DO NOTHING;

-- name: resume
-- Queues whose jobs are claimed again.
DELETE FROM rotulus_pauses WHERE queue IN (SELECT value FROM json_each(:queues));
