-- Workers, schedules, and the pruning of old jobs.

-- name: announce
-- A worker says that it is alive.
INSERT INTO rotulus_workers
  (name, host, pid, queues, slots, started_at, seen_at, names, boot, lease_until)
VALUES (:name, :host, :pid, :queues, :slots, :started_at, :now, :names, :boot, :lease_until)
ON CONFLICT (name) DO UPDATE
SET seen_at = :now, slots = :slots, names = :names, boot = :boot, lease_until = :lease_until;

-- name: workers
-- The workers whose lease is not over.
SELECT json_group_array(json_array({worker_columns}))
FROM (
  SELECT * FROM rotulus_workers WHERE boot = :boot AND lease_until > :clock
  ORDER BY started_at, name);

-- name: forget_workers
-- Workers whose lease is over.
DELETE FROM rotulus_workers WHERE boot <> :boot OR lease_until <= :clock;

-- name: forget_starts
-- Starts that count no longer.
DELETE FROM rotulus_starts WHERE counts_until <= :now;

-- name: remember_schedules
-- Scheduled tasks; what is new or changed stands since now.
INSERT INTO rotulus_schedules ({entry_columns}, since)
SELECT {entry_columns}, :now FROM (SELECT {entry_values} FROM json_each(:entries)) WHERE true
ON CONFLICT (name) DO UPDATE
SET cron = excluded.cron, timezone = excluded.timezone, since = excluded.since
WHERE cron <> excluded.cron OR timezone <> excluded.timezone;

-- name: schedules
-- Since when some scheduled tasks stand as they do.
SELECT json_group_array(json_array(name, since)) FROM rotulus_schedules
WHERE name IN (SELECT value FROM json_each(:names));

-- name: miscounted
-- Of so many blocked jobs, in the order of ids: those that wait for more or fewer than have not ended,
-- or for nothing, though they are not paused; how many were looked at; and the last of them.
WITH looked AS MATERIALIZED (
  SELECT seq, id, waits_for, paused FROM rotulus_jobs
  WHERE state = 'blocked' AND (:after IS NULL OR id > :after)
  ORDER BY id LIMIT :limit),
counted AS MATERIALIZED (
  SELECT job.*, {unended_needs} AS needs FROM looked AS job)
SELECT
  (SELECT json_group_array(id) FROM counted
   WHERE waits_for <> needs OR (needs = 0 AND NOT paused)),
  (SELECT count(*) FROM looked),
  (SELECT max(id) FROM looked);

-- name: recount
-- Blocked jobs wait for what has not ended.
UPDATE rotulus_jobs AS job
SET waits_for = wanted.needs,
    {becomes_due}
FROM (
  SELECT seq, needs, needs = 0 AND NOT paused AS due FROM (
    SELECT job.seq, job.paused, {unended_needs} AS needs
    FROM json_each(:ids) AS wrong
    CROSS JOIN rotulus_jobs AS job ON job.id = wrong.value AND +job.state = 'blocked')) AS wanted,
  {moment}
WHERE job.seq = wanted.seq
RETURNING id;

-- name: outdated
-- Ended jobs that nobody needs, the oldest of a state first, until they have so many rows with their
-- parts: the last run goes whole.
SELECT json_group_array(DISTINCT seq) FROM (
  SELECT job.seq FROM rotulus_jobs AS job
  LEFT JOIN rotulus_jobs AS part ON part.run = job.run
  WHERE job.state = :state AND job.ended_at IS NOT NULL AND job.ended_at < :before
    AND (job.held_key IS NULL OR job.hold_until IS NULL OR job.hold_until <= :now)
    AND (job.run IS NULL OR job.run = job.id AND NOT EXISTS (
      SELECT 1 FROM rotulus_jobs AS other
      WHERE other.run = job.id AND other.ended_at IS NULL))
  ORDER BY job.ended_at LIMIT :limit);
