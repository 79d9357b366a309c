-- Every statement the SQLite store runs, by name. Parameters that hold many values are JSON
-- arrays, and many rows come back as one JSON array: Python's sqlite3 gives up and takes back the
-- interpreter lock at every step of a statement, so a batch is one step, not one per job.

-- name: add
-- New jobs with nothing of their own but id and arguments, in order; one that is here already is
-- left out.
INSERT INTO rotulus_jobs (
  id, arguments, task, queue, priority, created_at, run_at, state, expires_at, limit_to, schedule)
SELECT key, value, :task, :queue, :priority, :now, :run_at, :state, :expires_at, :limit_to, :schedule
FROM json_each(:jobs) WHERE true
ON CONFLICT DO NOTHING;

-- name: add_keyed
-- The same with keys of their own; one whose key is held is left out.
INSERT INTO rotulus_jobs (
  id, arguments, key, held_key, limit_key, instant, hold_until,
  task, queue, priority, created_at, run_at, state, expires_at, limit_to, schedule)
SELECT
  value ->> 0, value ->> 1, value ->> 2, value ->> 2, value ->> 3, value ->> 4, :hold_until,
  :task, :queue, :priority, :now, :run_at, :state, :expires_at, :limit_to, :schedule
FROM json_each(:jobs) WHERE true
ON CONFLICT DO NOTHING;

-- name: drop_keys
-- Keys that nobody holds any more: their job has ended, and their window is over.
UPDATE rotulus_jobs SET held_key = NULL
WHERE held_key IN (SELECT value FROM json_each(:keys))
  AND ended_at IS NOT NULL
  AND (hold_until IS NULL OR hold_until <= :now);

-- name: holders
-- The jobs that hold keys.
SELECT '[' || coalesce(group_concat(record, ','), '') || ']'
FROM json_each(:keys) AS wanted
JOIN rotulus_jobs AS holder ON holder.held_key = wanted.value
JOIN rotulus_records AS r ON r.seq = holder.seq;

-- name: promote
-- Jobs whose time has come are due.
UPDATE rotulus_jobs SET state = 'queued'
WHERE seq IN (
  SELECT seq FROM rotulus_jobs
  WHERE state = 'delayed' AND run_at <= :now
  ORDER BY run_at LIMIT :limit);

-- name: choose
-- The jobs to claim next. Queues, and keys with a limit, are found by skipping from one to the
-- next in their index, so it matters how many there are, not how many jobs wait in them. Of the
-- jobs that were lost twice a worker gets one, and only when it runs no other.
WITH RECURSIVE
  waiting (queue) AS (
    SELECT min(queue) FROM rotulus_jobs
    WHERE state = 'queued' AND limit_key IS NULL AND losses < 2
    UNION ALL
    SELECT (SELECT min(queue) FROM rotulus_jobs
            WHERE state = 'queued' AND limit_key IS NULL AND losses < 2
              AND queue > waiting.queue)
    FROM waiting WHERE waiting.queue IS NOT NULL),
  served (queue) AS (
    SELECT queue FROM waiting
    WHERE queue IS NOT NULL
      AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
      AND queue NOT IN (SELECT queue FROM rotulus_pauses)),
  free (seq, priority) AS (
    SELECT job.seq, job.priority
    FROM served CROSS JOIN rotulus_jobs AS job
    WHERE job.seq IN (
      SELECT seq FROM rotulus_jobs
      WHERE queue = served.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
        AND (:names IS NULL OR task IN (SELECT value FROM json_each(:names)))
      ORDER BY priority DESC, seq LIMIT :limit)),
  suspect (seq, priority, limit_key) AS (
    SELECT seq, priority, limit_key FROM rotulus_jobs AS job
    WHERE state = 'queued' AND losses >= 2
      AND NOT EXISTS (
        SELECT 1 FROM rotulus_jobs AS other
        WHERE other.state = 'running' AND other.worker = :worker AND other.losses >= 2)
      AND (limit_key IS NULL OR limit_to > (
        SELECT count(*) FROM rotulus_jobs AS other
        WHERE other.state = 'running' AND other.limit_key = job.limit_key))
      AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
      AND queue NOT IN (SELECT queue FROM rotulus_pauses)
      AND (:names IS NULL OR task IN (SELECT value FROM json_each(:names)))
    ORDER BY priority DESC, seq LIMIT 1),
  keys (limit_key) AS (
    SELECT min(limit_key) FROM rotulus_jobs
    WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
    UNION ALL
    SELECT (SELECT min(limit_key) FROM rotulus_jobs
            WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
              AND limit_key > keys.limit_key)
    FROM keys WHERE keys.limit_key IS NOT NULL),
  busy (limit_key, running, limit_to) AS (
    SELECT limit_key,
      (SELECT count(*) FROM rotulus_jobs AS job
       WHERE job.state = 'running' AND job.limit_key = keys.limit_key)
      + (SELECT count(*) FROM suspect WHERE suspect.limit_key = keys.limit_key),
      (SELECT limit_to FROM rotulus_jobs AS job
       WHERE job.state = 'queued' AND job.limit_key = keys.limit_key AND job.losses < 2
       ORDER BY job.priority DESC, job.seq LIMIT 1)
    FROM keys WHERE limit_key IS NOT NULL),
  limited (seq, priority, room, place) AS (
    SELECT job.seq, job.priority, job.limit_to - busy.running,
      row_number() OVER (PARTITION BY job.limit_key ORDER BY job.priority DESC, job.seq)
    FROM busy CROSS JOIN rotulus_jobs AS job
    WHERE busy.running < busy.limit_to
      AND job.seq IN (
        SELECT seq FROM rotulus_jobs
        WHERE limit_key = busy.limit_key AND state = 'queued' AND losses < 2
          AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
          AND queue NOT IN (SELECT queue FROM rotulus_pauses)
          AND (:names IS NULL OR task IN (SELECT value FROM json_each(:names)))
        ORDER BY priority DESC, seq LIMIT :limit))
SELECT json_group_array(seq) FROM (
  SELECT seq FROM (
    SELECT seq, priority FROM free
    UNION ALL
    SELECT seq, priority FROM limited WHERE place <= room
    UNION ALL
    SELECT seq, priority FROM suspect)
  ORDER BY priority DESC, seq LIMIT :limit);

-- name: claim
-- Chosen jobs are running: the only statement that raises attempt.
UPDATE rotulus_jobs
SET state = 'running', attempt = attempt + 1, reason = NULL, progress = NULL,
    worker = :worker, boot = :boot, lease_until = :lease_until, started_at = :now
WHERE seq IN (SELECT value FROM json_each(:chosen)) AND +state = 'queued';

-- name: claimed
-- The records of chosen jobs, in the order chosen.
SELECT '[' || coalesce(group_concat(record, ','), '') || ']'
FROM json_each(:chosen) AS chosen
CROSS JOIN rotulus_records AS r ON r.seq = chosen.value;

-- name: running
-- Which claims are still running, and whether they are asked to stop.
SELECT json_group_array(json_array(job.id, job.attempt, job.cancel_requested))
FROM json_each(:claims) AS claim
CROSS JOIN rotulus_jobs AS job
  ON job.id = claim.value ->> 0 AND job.attempt = claim.value ->> 1 AND +job.state = 'running';

-- name: renew
-- Renew leases, and store progress.
WITH claim AS MATERIALIZED (
  SELECT value ->> 0 AS id, value ->> 1 AS attempt, value ->> 2 AS progress
  FROM json_each(:claims))
UPDATE rotulus_jobs AS job
SET lease_until = coalesce(:lease_until, lease_until),
    progress = coalesce(claim.progress, job.progress)
FROM claim
WHERE job.id = claim.id AND job.attempt = claim.attempt AND +job.state = 'running';

-- name: succeed
-- Attempts whose task returned.
WITH outcome AS MATERIALIZED (
  SELECT value ->> 0 AS id, value ->> 1 AS attempt, value ->> 2 AS result, value ->> 3 AS progress
  FROM json_each(:outcomes))
UPDATE rotulus_jobs AS job
SET state = 'succeeded', reason = NULL, error = NULL, ended_at = :now,
    result = outcome.result, progress = coalesce(outcome.progress, job.progress),
    boot = NULL, lease_until = NULL, cancel_requested = 0
FROM outcome
WHERE job.id = outcome.id AND job.attempt = outcome.attempt AND +job.state = 'running';

-- name: settle
-- Attempts that came to something else: they end, or go back to their queue.
WITH outcome AS MATERIALIZED (
  SELECT value ->> 0 AS id, value ->> 1 AS attempt, value ->> 2 AS state, value ->> 3 AS reason,
    value ->> 4 AS error, value ->> 5 AS run_at, value ->> 6 AS ended_at,
    value ->> 7 AS failed, value ->> 8 AS released, value ->> 9 AS progress
  FROM json_each(:outcomes))
UPDATE rotulus_jobs AS job
SET state = outcome.state, reason = outcome.reason, error = outcome.error,
    run_at = coalesce(outcome.run_at, job.run_at), ended_at = outcome.ended_at,
    failures = job.failures + outcome.failed, releases = job.releases + outcome.released,
    progress = coalesce(outcome.progress, job.progress),
    boot = NULL, lease_until = NULL, cancel_requested = 0
FROM outcome
WHERE job.id = outcome.id AND job.attempt = outcome.attempt AND +job.state = 'running';

-- name: expired
-- Running jobs whose lease is over, or was given before the machine was started again.
SELECT json_group_array(json_array(id, attempt)) FROM (
  SELECT id, attempt FROM rotulus_jobs
  WHERE state = 'running' AND (boot <> :boot OR lease_until <= :clock)
  LIMIT :limit);

-- name: held_by
-- Running jobs of one worker.
SELECT json_group_array(json_array(id, attempt)) FROM rotulus_jobs
WHERE state = 'running' AND worker = :worker;

-- name: reclaim
-- Attempts that were lost: back to the queue, or given up.
WITH lost AS MATERIALIZED (
  SELECT value ->> 0 AS id, value ->> 1 AS attempt FROM json_each(:claims)),
fate AS MATERIALIZED (
  SELECT job.seq, job.losses + 1 AS losses,
    CASE WHEN job.cancel_requested THEN 'cancelled'
         WHEN job.losses + 1 >= :max_losses THEN 'dead'
         WHEN job.losses = 0 THEN 'queued'
         ELSE 'delayed' END AS state
  FROM lost CROSS JOIN rotulus_jobs AS job
    ON job.id = lost.id AND job.attempt = lost.attempt AND +job.state = 'running')
UPDATE rotulus_jobs AS job
SET state = fate.state, losses = fate.losses,
    reason = CASE fate.state WHEN 'cancelled' THEN 'cancelled' WHEN 'dead' THEN 'crash_loop'
                             ELSE 'lost' END,
    error = :error,
    run_at = CASE fate.state WHEN 'delayed' THEN :now + (1000000 << fate.losses)
                             ELSE job.run_at END,
    ended_at = CASE WHEN fate.state IN ('cancelled', 'dead') THEN :now END,
    boot = NULL, lease_until = NULL, cancel_requested = 0
FROM fate
WHERE job.seq = fate.seq;

-- name: archive
-- Keep the attempts of jobs that have just been sent back.
INSERT OR IGNORE INTO rotulus_attempts (job, number, reason, worker, started_at, ended_at, error)
SELECT job.seq, job.attempt, job.reason, job.worker, job.started_at, :now, job.error
FROM json_each(:claims) AS claim
CROSS JOIN rotulus_jobs AS job
  ON job.id = claim.value ->> 0 AND job.attempt = claim.value ->> 1
  AND +job.state IN ('queued', 'delayed');

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

-- name: records
-- Some jobs by id, in the order of the ids.
SELECT '[' || coalesce(group_concat(record, ','), '') || ']'
FROM json_each(:ids) AS wanted
CROSS JOIN rotulus_records AS r ON r.id = wanted.value;

-- name: history
-- The earlier attempts of one job, oldest first.
SELECT json_group_array(json_array(number, reason, worker, started_at, ended_at, error)) FROM (
  SELECT attempt.* FROM rotulus_attempts AS attempt
  JOIN rotulus_jobs AS job ON job.seq = attempt.job
  WHERE job.id = :id ORDER BY attempt.number);

-- name: find
-- Jobs that match, the last added first.
SELECT '[' || coalesce(group_concat(record, ','), '') || ']' FROM (
  SELECT record FROM rotulus_records
  WHERE (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
    AND (:task IS NULL OR task = :task)
    AND (:queue IS NULL OR queue = :queue)
    AND (:key IS NULL OR key = :key)
    AND (:limit_key IS NULL OR limit_key = :limit_key)
    AND (:schedule IS NULL OR schedule = :schedule)
    AND (:before IS NULL OR seq < (SELECT seq FROM rotulus_jobs WHERE id = :before))
  ORDER BY seq DESC LIMIT :limit);

-- name: count_by_queue
-- Jobs by queue and state.
SELECT json_group_array(json_array(queue, state, jobs)) FROM (
  SELECT queue, state, count(*) AS jobs FROM rotulus_jobs GROUP BY queue, state
  ORDER BY queue, state);

-- name: count_by_task
-- Jobs by task and state.
SELECT json_group_array(json_array(task, state, jobs)) FROM (
  SELECT task, state, count(*) AS jobs FROM rotulus_jobs GROUP BY task, state
  ORDER BY task, state);

-- name: pause
-- Queues whose jobs are not claimed.
INSERT INTO rotulus_pauses (queue, paused_at)
SELECT value, :now FROM json_each(:queues) WHERE true
ON CONFLICT (queue) DO NOTHING;

-- name: resume
-- Queues whose jobs are claimed again.
DELETE FROM rotulus_pauses WHERE queue IN (SELECT value FROM json_each(:queues));

-- name: paused
-- The paused queues.
SELECT json_group_array(json_array(queue, paused_at)) FROM rotulus_pauses;

-- name: announce
-- A worker says that it is alive.
INSERT INTO rotulus_workers
  (name, host, pid, queues, slots, started_at, seen_at, boot, lease_until)
VALUES (:name, :host, :pid, :queues, :slots, :started_at, :now, :boot, :lease_until)
ON CONFLICT (name) DO UPDATE SET seen_at = :now, boot = :boot, lease_until = :lease_until;

-- name: workers
-- The workers whose lease is not over.
SELECT json_group_array(json_array(name, host, pid, queues, slots, started_at, seen_at)) FROM (
  SELECT * FROM rotulus_workers WHERE boot = :boot AND lease_until > :clock
  ORDER BY started_at, name);

-- name: forget_workers
-- Workers whose lease is over.
DELETE FROM rotulus_workers WHERE boot <> :boot OR lease_until <= :clock;

-- name: remember_schedules
-- Scheduled tasks; what is new or changed stands since now.
INSERT INTO rotulus_schedules (name, cron, timezone, since)
SELECT value ->> 0, value ->> 1, value ->> 2, :now FROM json_each(:entries) WHERE true
ON CONFLICT (name) DO UPDATE
SET cron = excluded.cron, timezone = excluded.timezone, since = excluded.since
WHERE cron <> excluded.cron OR timezone <> excluded.timezone;

-- name: schedules
-- Since when some scheduled tasks stand as they do.
SELECT json_group_array(json_array(name, since)) FROM rotulus_schedules
WHERE name IN (SELECT value ->> 0 FROM json_each(:entries));

-- name: outdated
-- Ended jobs that nobody needs, the oldest of each state first.
SELECT json_group_array(seq) FROM (
  SELECT job.seq FROM json_each(:states) AS ended CROSS JOIN rotulus_jobs AS job
  WHERE job.seq IN (
    SELECT seq FROM rotulus_jobs
    WHERE state = ended.value AND ended_at IS NOT NULL AND ended_at < :before
      AND (held_key IS NULL OR hold_until IS NULL OR hold_until <= :now)
    ORDER BY ended_at LIMIT :limit)
  LIMIT :limit);

-- name: prune_attempts
-- Earlier attempts go with their job.
DELETE FROM rotulus_attempts WHERE job IN (SELECT value FROM json_each(:outdated));

-- name: prune
-- Ended jobs that nobody needs.
DELETE FROM rotulus_jobs WHERE seq IN (SELECT value FROM json_each(:outdated));

-- name: next_due
-- When the next delayed job is due.
SELECT min(run_at) FROM rotulus_jobs WHERE state = 'delayed';

-- name: state_of
-- The state of one job.
SELECT state FROM rotulus_jobs WHERE id = :id;
