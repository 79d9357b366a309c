-- What people do to jobs and queues.

-- name: cancel
-- Waiting jobs end; running ones are asked to.
UPDATE rotulus_jobs AS job
SET cancel_requested = job.state = 'running',
    state = CASE job.state WHEN 'running' THEN job.state ELSE 'cancelled' END,
    reason = CASE job.state WHEN 'running' THEN job.reason ELSE 'cancelled' END,
    ended_at = CASE job.state WHEN 'running' THEN NULL ELSE (SELECT rotulus_now()) END
FROM unnest(:ids::uuid[]) AS wanted (id)
WHERE job.id = wanted.id AND job.state || '' IN ('blocked', 'delayed', 'queued', 'running');

-- name: retryable
-- Those of some jobs that an operator can send back, and their keys.
SELECT job.id, job.key FROM unnest(:ids::uuid[]) AS wanted (id)
JOIN rotulus_jobs AS job ON job.id = wanted.id AND job.state || '' IN ('failed', 'dead', 'cancelled')
ORDER BY job.id FOR UPDATE OF job;

-- name: archive_ended
-- Keep the attempt a job ended with.
INSERT INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
SELECT id, attempt, coalesce(reason, state), worker, started_at, ended_at, error
FROM rotulus_jobs WHERE id = ANY (:ids::uuid[]) AND attempt > 0
ON CONFLICT DO NOTHING;

-- name: retry
-- Ended jobs are queued again with fresh budgets, unless another one holds their key by now.
UPDATE rotulus_jobs AS job
SET state = 'queued', reason = NULL, result = NULL, error = NULL, progress = NULL,
    failures = 0, losses = 0, run_at = (SELECT rotulus_now()), ended_at = NULL, expires_at = NULL,
    held_key = key
WHERE id = ANY (:ids::uuid[]) AND state || '' IN ('failed', 'dead', 'cancelled')
  AND NOT EXISTS (
    SELECT FROM rotulus_jobs AS other WHERE other.held_key = job.key AND other.id <> job.id)
RETURNING id;

-- name: pause
-- Queues whose jobs are not claimed.
INSERT INTO rotulus_pauses (queue, paused_at)
SELECT queue, (SELECT rotulus_now()) FROM unnest(:queues::text[]) AS queue ORDER BY queue
ON CONFLICT (queue) DO NOTHING;

-- name: resume
-- Queues whose jobs are claimed again.
DELETE FROM rotulus_pauses WHERE queue = ANY (:queues::text[]);

-- name: ring
-- Wake whoever waits for work.
SELECT pg_notify(:channel, '');
