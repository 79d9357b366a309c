-- How many jobs wait and run in each queue, and since when; and how many run in each worker.

-- name: running_by_worker
-- Of the running jobs, `most` are counted.
SELECT worker, count(*) FROM (
  SELECT worker FROM rotulus_jobs WHERE state = 'running' AND lease_until IS NOT NULL
  ORDER BY {running_order} LIMIT CAST(:most AS integer)) AS running
GROUP BY worker;

-- name: backlog
-- Of each queue what waits without a limit, counted to `most`: queues and their priorities are found by
-- skipping from one to the next in the index, and the one that waits longest is among the first of each
-- priority. All others are counted together, to `most` of each kind. Of delayed jobs, those whose moment has come
-- are told apart, and those whose moment comes within a minute.
WITH RECURSIVE present (now) AS (SELECT {now}),
waiting (queue) AS (
  SELECT min(queue) FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NULL AND losses < 2
  UNION ALL
  SELECT (SELECT min(job.queue) FROM rotulus_jobs AS job
          WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
            AND job.queue > waiting.queue)
  FROM waiting WHERE waiting.queue IS NOT NULL),
level (queue, priority) AS (
  SELECT queue, (
    SELECT max(job.priority) FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2 AND job.queue = waiting.queue)
  FROM waiting WHERE queue IS NOT NULL
  UNION ALL
  SELECT queue, (
    SELECT max(job.priority) FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2 AND job.queue = level.queue
      AND job.priority < level.priority)
  FROM level WHERE level.priority IS NOT NULL),
oldest (queue, at) AS (
  SELECT queue, min((
    SELECT min(run_at) FROM (
      SELECT job.run_at FROM rotulus_jobs AS job
      WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
        AND job.queue = level.queue AND job.priority = level.priority
      ORDER BY job.seq LIMIT 10) AS first))
  FROM level WHERE priority IS NOT NULL GROUP BY queue)
SELECT 'queue' AS kind, queue, 'queued' AS state, (
  SELECT count(*) FROM (
    SELECT 1 FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2 AND job.queue = oldest.queue
    LIMIT CAST(:most AS integer)) AS counted), at, 0, 0
FROM oldest
UNION ALL
SELECT 'limited', queue, 'queued', count(*), min(run_at), 0, 0 FROM (
  SELECT queue, run_at FROM rotulus_jobs
  WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
  ORDER BY limit_key, priority DESC, seq LIMIT CAST(:most AS integer)) AS limited
GROUP BY queue
UNION ALL
SELECT 'suspect', queue, 'queued', count(*), min(run_at), 0, 0 FROM (
  SELECT queue, run_at FROM rotulus_jobs WHERE state = 'queued' AND losses >= 2
  ORDER BY priority DESC, seq LIMIT CAST(:most AS integer)) AS suspect
GROUP BY queue
UNION ALL
SELECT 'delayed', queue, 'delayed', count(*), min(run_at) FILTER (WHERE run_at <= now),
  count(*) FILTER (WHERE run_at <= now), count(*) FILTER (WHERE run_at <= now + 60000000)
FROM (
  SELECT queue, run_at FROM rotulus_jobs WHERE state = 'delayed' ORDER BY run_at LIMIT CAST(:most AS integer)) AS delayed
CROSS JOIN present
GROUP BY queue
UNION ALL
SELECT 'blocked', queue, 'blocked', count(*), NULL, 0, 0 FROM (
  SELECT queue FROM rotulus_jobs WHERE state = 'blocked' ORDER BY id LIMIT CAST(:most AS integer)) AS blocked
GROUP BY queue
UNION ALL
SELECT 'running', queue, 'running', count(*), NULL, 0, 0 FROM (
  SELECT queue FROM rotulus_jobs WHERE state = 'running' AND lease_until IS NOT NULL
  ORDER BY {running_order} LIMIT CAST(:most AS integer)) AS running
GROUP BY queue;

-- name: limit_holders
-- The running jobs whose key has a limit, by key: `most` of them at most.
SELECT limit_key, id, queue, task, limit_to, rate_to, rate_per FROM rotulus_jobs
WHERE state = 'running' AND limit_key IS NOT NULL
ORDER BY limit_key LIMIT CAST(:most AS integer);

-- name: limit_waiters
-- How many jobs wait for each key with a limit, and in which queue; of all of them, `most` are counted.
SELECT limit_key, queue, task, count(*), max(limit_to), max(rate_to), max(rate_per) FROM (
  SELECT limit_key, queue, task, limit_to, rate_to, rate_per FROM rotulus_jobs
  WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
  ORDER BY limit_key, priority DESC, seq LIMIT CAST(:most AS integer)) AS waiting
GROUP BY limit_key, queue, task ORDER BY limit_key;

-- name: holders_of_limit
-- The running jobs of one key with a limit.
SELECT limit_key, id, queue, task, limit_to, rate_to, rate_per FROM rotulus_jobs
WHERE state = 'running' AND limit_key = CAST(:key AS text) LIMIT CAST(:most AS integer);

-- name: waiters_of_limit
-- How many jobs wait for one key with a limit, and in which queue; of all of them, `most` are counted.
SELECT limit_key, queue, task, count(*), max(limit_to), max(rate_to), max(rate_per) FROM (
  SELECT limit_key, queue, task, limit_to, rate_to, rate_per FROM rotulus_jobs
  WHERE state = 'queued' AND limit_key = CAST(:key AS text) AND losses < 2
  ORDER BY priority DESC, seq LIMIT CAST(:most AS integer)) AS waiting
GROUP BY limit_key, queue, task;
