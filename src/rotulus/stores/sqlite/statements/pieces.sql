-- What several statements have in common.

-- piece: own_labels
-- The labels of a job: `key` and `value` of each.
json_each(job.labels) AS own

-- piece: open_queue
-- A row with a queue is in one that is wanted, and not paused. A private queue has to be named.
(:queues IS NULL AND substr(queue, 1, 1) <> '_' OR queue IN (SELECT value FROM json_each(:queues)))
AND queue NOT IN (SELECT queue FROM rotulus_pauses)

-- piece: logging_jobs
-- Jobs that have logged something.
rotulus_jobs

-- piece: known_task
-- A job is of a task that is wanted; or nobody alive knows the task, and it is due for long enough.
(:names IS NULL OR task IN (SELECT value FROM json_each(:names))
 OR (run_at <= :now - :grace AND task NOT IN (SELECT task FROM known)))

-- piece: known
-- The tasks that are known to workers which are alive.
known (task) AS (
  SELECT name.value FROM rotulus_workers AS other, json_each(other.names) AS name
  WHERE other.boot = :boot AND other.lease_until > :clock)

-- piece: room_for_one
-- The key of a job has room for one more.
(limit_to IS NULL OR limit_to > (
  SELECT count(*) FROM rotulus_jobs AS other
  WHERE other.state = 'running' AND other.limit_key = job.limit_key))
AND (rate_to IS NULL OR rate_to > (
  SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
  WHERE start.limit_key = job.limit_key AND start.counts_until > :now))

-- piece: runs_no_suspect
-- The worker runs no job that was lost twice.
NOT EXISTS (
  SELECT 1 FROM rotulus_jobs AS other
  WHERE other.state = 'running' AND other.worker = :worker AND other.losses >= 2)

-- piece: before
-- The place of the job `before`. Of one that has gone, that is after all that were made before it:
-- ids grow, but for what several connections add at the same time.
coalesce((SELECT seq FROM rotulus_jobs WHERE id = :before), 1 + (
  SELECT max(seq) FROM (
    SELECT seq FROM rotulus_jobs WHERE id < :before ORDER BY id DESC LIMIT 1000)))
