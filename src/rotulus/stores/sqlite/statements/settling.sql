-- Outcomes of attempts, as workers report them.

-- name: succeed
-- Attempts whose task returned.
WITH outcome AS MATERIALIZED (
  SELECT {success_values} FROM json_each(:outcomes))
UPDATE rotulus_jobs AS job
SET state = 'succeeded', reason = NULL, error = NULL, fingerprint = NULL, ended_at = :now,
    result = outcome.result, progress = coalesce(outcome.progress, job.progress),
    boot = NULL, lease_until = NULL, waits_for = 0, cancel_requested = 0
FROM outcome
WHERE job.id = outcome.id AND job.attempt = outcome.attempt AND +job.state = 'running';

-- name: settle
-- Outcomes of other kinds: attempts end, or are `queued` again.
WITH outcome AS MATERIALIZED (
  SELECT {outcome_values} FROM json_each(:outcomes))
UPDATE rotulus_jobs AS job
SET state = CASE WHEN outcome.state NOT IN ('queued', 'delayed') THEN outcome.state
                 WHEN job.paused OR job.waits_for > 0 THEN 'blocked'
                 WHEN coalesce(outcome.until, :now + outcome.delay) > :now THEN 'delayed'
                 ELSE 'queued' END,
    waits_for = CASE WHEN outcome.state IN ('queued', 'delayed') THEN job.waits_for ELSE 0 END,
    reason = outcome.reason, error = outcome.error, fingerprint = outcome.fingerprint,
    result = outcome.result,
    run_at = coalesce(outcome.until, :now + outcome.delay, job.run_at),
    ended_at = CASE WHEN outcome.state NOT IN ('queued', 'delayed') THEN :now END,
    failures = job.failures + outcome.failed, releases = job.releases + outcome.released,
    losses = job.losses + outcome.lost,
    progress = coalesce(outcome.progress, job.progress),
    boot = NULL, lease_until = NULL, cancel_requested = 0
FROM outcome
WHERE job.id = outcome.id AND job.attempt = outcome.attempt AND +job.state = 'running';

-- name: open
-- An attempt whose job is made of parts, which are added now. Then its run, and whether that is
-- paused.
UPDATE rotulus_jobs
SET state = CASE WHEN paused OR waits_for + :waits_for > 0 THEN 'blocked' ELSE 'queued' END,
    reason = :reason, run = coalesce(run, id), step = coalesce(step, ''),
    waits_for = waits_for + :waits_for, opened = 1, run_at = :now, expires_at = NULL,
    limit_key = NULL, limit_to = NULL, rate_to = NULL, rate_per = NULL,
    progress = coalesce(:progress, progress), boot = NULL, lease_until = NULL
WHERE id = :id AND attempt = :attempt AND state = 'running'
RETURNING run || '', paused + 0;

-- name: any_needs
-- Whether anybody waits, or waited, for a job: where there are no parts, their absence costs nothing.
SELECT EXISTS (SELECT 1 FROM rotulus_needs);

-- name: unblock
-- What waits for jobs that have ended waits for fewer, and may be due.
WITH fewer AS MATERIALIZED (
  SELECT need.job AS seq, count(*) AS needs
  FROM json_each(:ids) AS ended
  CROSS JOIN rotulus_jobs AS job ON job.id = ended.value
  CROSS JOIN rotulus_needs AS need ON need.need = job.seq
  GROUP BY need.job),
waiting AS MATERIALIZED (
  SELECT job.seq, fewer.needs,
    job.state = 'blocked' AND job.waits_for = fewer.needs AND NOT job.paused AS due
  FROM fewer CROSS JOIN rotulus_jobs AS job ON job.seq = fewer.seq
  WHERE job.ended_at IS NULL)
UPDATE rotulus_jobs AS job
SET waits_for = job.waits_for - waiting.needs,
    {becomes_due}
FROM waiting, {moment} WHERE job.seq = waiting.seq;

-- name: limited_wait
-- Whether there are jobs that may have waited for others of their key to end.
SELECT EXISTS (
  SELECT 1 FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2);

-- name: some_left
-- Whether any jobs are due, or will be.
SELECT
  EXISTS (SELECT 1 FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NULL AND losses < 2)
  OR EXISTS (
    SELECT 1 FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2)
  OR EXISTS (SELECT 1 FROM rotulus_jobs WHERE state = 'queued' AND losses >= 2)
  OR EXISTS (SELECT 1 FROM rotulus_jobs WHERE state = 'delayed');

-- name: archive
-- Keep the attempts of jobs that have just been sent back.
INSERT OR IGNORE INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
SELECT job.seq, job.attempt, job.reason, job.worker, job.started_at, :now, job.error
FROM (SELECT {claim_values} FROM json_each(:claims)) AS claim
CROSS JOIN rotulus_jobs AS job
  ON job.id = claim.id AND job.attempt = claim.attempt
  AND +job.state IN ('queued', 'delayed', 'blocked');
