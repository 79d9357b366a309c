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

-- piece: next_task
-- A job is of a later task of the same failure group.
job.fingerprint = parts.fingerprint AND job.task > parts.task

-- piece: this_task
-- A job is of a failure group, and of one of its tasks.
job.fingerprint = parts.fingerprint AND job.task = parts.task

-- piece: known_task
-- A job is of a task that is wanted; or nobody alive knows the task, and it is due for long enough.
(:names IS NULL OR task IN (SELECT value FROM json_each(:names))
 OR (run_at <= :now - :grace AND task NOT IN (SELECT task FROM known)))

-- piece: known
-- The tasks that are known to workers which are alive.
known (task) AS (
  SELECT name.value FROM rotulus_workers AS other, json_each(other.names) AS name
  WHERE other.boot = :boot AND other.lease_until > :clock)

-- piece: limit_of_job
-- How many jobs with the key of a job may run at once: as it is set, or else as the job has it.
coalesce((SELECT terms.limit_to FROM rotulus_limit_terms AS terms WHERE terms.limit_key = job.limit_key), job.limit_to)

-- piece: rate_of_job
-- How many jobs with its key may start within a window, likewise.
coalesce((SELECT terms.rate_to FROM rotulus_limit_terms AS terms WHERE terms.limit_key = job.limit_key), job.rate_to)

-- piece: room_for_one
-- The key of a job has room for one more.
({limit_of_job} IS NULL OR {limit_of_job} > (
  SELECT count(*) FROM rotulus_jobs AS other
  WHERE other.state = 'running' AND other.limit_key = job.limit_key))
AND ({rate_of_job} IS NULL OR {rate_of_job} > (
  SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
  WHERE start.limit_key = job.limit_key AND start.counts_until > :now))

-- piece: room_of_key
-- How many jobs of a key may be started, as its first job has it and another one.
min(key.room, coalesce(coalesce(key.set_limit, limit_to) - key.running, :limit),
  coalesce(coalesce(key.set_rate, rate_to) - key.started, :limit))

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

-- piece: waiting
-- The queues in which jobs without a limit wait, found by skipping from one to the next in their index: it matters how
-- many there are, not how many jobs wait in them.
waiting (queue) AS (
    SELECT min(queue) FROM rotulus_jobs
    WHERE state = 'queued' AND limit_key IS NULL AND losses < 2
    UNION ALL
    SELECT (SELECT min(queue) FROM rotulus_jobs
            WHERE state = 'queued' AND limit_key IS NULL AND losses < 2
              AND queue > waiting.queue)
    FROM waiting WHERE waiting.queue IS NOT NULL)

-- piece: served
-- Those of them to take jobs from.
{waiting},
  served (queue) AS (
    SELECT queue FROM waiting
    WHERE queue IS NOT NULL AND {open_queue})

-- piece: free
-- The first jobs without a limit of each of these queues.
free (seq, priority) AS (
    SELECT job.seq, job.priority
    FROM served CROSS JOIN rotulus_jobs AS job
    WHERE job.seq IN (
      SELECT seq FROM rotulus_jobs
      WHERE queue = served.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
        AND {known_task}
      ORDER BY priority DESC, seq LIMIT :limit))

-- piece: suspect
-- A job that was lost twice, if the worker runs no other.
suspect (seq, priority, limit_key, rated) AS (
    SELECT seq, priority, limit_key, {rate_of_job} IS NOT NULL FROM rotulus_jobs AS job
    WHERE state = 'queued' AND losses >= 2
      AND {runs_no_suspect}
      AND {room_for_one}
      AND {open_queue}
      AND {known_task}
    ORDER BY priority DESC, seq LIMIT 1)

-- piece: keys
-- The keys of jobs with a limit that wait, found as queues are.
keys (limit_key) AS (
    SELECT min(limit_key) FROM rotulus_jobs
    WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
    UNION ALL
    SELECT (SELECT min(limit_key) FROM rotulus_jobs
            WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
              AND limit_key > keys.limit_key)
    FROM keys WHERE keys.limit_key IS NOT NULL)

-- piece: open_keys
-- The keys whose use is counted, their terms that are set, and for how many jobs there is room, as those say, or else
-- the first jobs.
open (limit_key, running, started, set_limit, set_rate, priority, room) AS MATERIALIZED (
    SELECT used.limit_key, used.running, used.started, terms.limit_to, terms.rate_to, job.priority,
      min(coalesce(coalesce(terms.limit_to, job.limit_to) - running, :limit),
        coalesce(coalesce(terms.rate_to, job.rate_to) - started, :limit))
    FROM used LEFT JOIN rotulus_limit_terms AS terms ON terms.limit_key = used.limit_key
    CROSS JOIN rotulus_jobs AS job
    WHERE job.seq = (
        SELECT seq FROM rotulus_jobs
        WHERE limit_key = used.limit_key AND state = 'queued' AND losses < 2
        ORDER BY priority DESC, seq LIMIT 1))

-- piece: open_lines
-- The queues and tasks, among those that are wanted, in which jobs of keys wait that may have room.
open_line_queue (queue) AS (
    SELECT min(queue) FROM rotulus_limit_heads WHERE opens_at = 0
    UNION ALL
    SELECT (SELECT min(queue) FROM rotulus_limit_heads
            WHERE opens_at = 0 AND queue > open_line_queue.queue)
    FROM open_line_queue WHERE open_line_queue.queue IS NOT NULL),
  open_line_task (queue, task) AS (
    SELECT queue, (SELECT min(task) FROM rotulus_limit_heads AS head
                   WHERE opens_at = 0 AND head.queue = open_line_queue.queue)
    FROM open_line_queue WHERE queue IS NOT NULL AND {open_queue}
    UNION ALL
    SELECT queue, (SELECT min(task) FROM rotulus_limit_heads AS head
                   WHERE opens_at = 0 AND head.queue = open_line_task.queue
                     AND head.task > open_line_task.task)
    FROM open_line_task WHERE task IS NOT NULL),
  line (queue, task) AS (
    SELECT queue, task FROM open_line_task
    WHERE task IS NOT NULL
      AND (:names IS NULL OR task IN (SELECT value FROM json_each(:names))
           OR :grace IS NOT NULL AND task NOT IN (SELECT task FROM known)))

-- piece: wall_clock
-- The present moment, as triggers know it.
CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)

-- piece: below
-- What the jobs of the next page are below: all, if there was no page before.
CASE WHEN :before IS NULL THEN 9223372036854775807 ELSE {before} END

-- piece: lower_error
-- The error of a job, its letters from A to Z as small ones.
lower(job.error)

-- piece: running_order
-- The order in which the index of running jobs has them.
worker

-- piece: of_key
-- A job of the next page has a key.
job.key = :key AND {page}

-- piece: of_run
-- A job of the next page is a part of a run.
job.run = :run AND {page}

-- piece: of_schedule
-- A job of the next page was fired for a schedule.
job.schedule = :schedule AND {page}

-- piece: of_verb
-- Entries of the audit of one verb, with numbers in a span.
verb = :verb AND id > :first AND id < :before

-- piece: of_actor
-- Entries of the audit of one actor, with numbers in a span.
actor = :actor AND id > :first AND id < :before
