-- How jobs stand.

-- name: find
-- Jobs that match, the last added first; only among the last `window` jobs, if it is given.
SELECT {record} FROM rotulus_jobs AS job
WHERE {matching} AND {page}
  AND job.seq > coalesce(
    coalesce({before}, (SELECT max(seq) FROM rotulus_jobs)) - :window, 0)
ORDER BY job.seq DESC LIMIT :limit;

-- name: find_by_index
-- The same by key, schedule, run, the jobs that need them, or else state (and worker): quick when few jobs
-- match and many do not. What waits is joined to the states, so that it is not read where nobody
-- asks for it.
WITH wanted (state) AS (
  SELECT value FROM json_each(:states)
  WHERE coalesce(:key, :schedule, :run, :needed_by) IS NULL),
chosen (seq) AS (
  SELECT seq FROM rotulus_jobs WHERE key = :key AND :needed_by IS NULL
  UNION ALL
  SELECT seq FROM rotulus_jobs WHERE schedule = :schedule AND :needed_by IS NULL
  UNION ALL
  SELECT seq FROM rotulus_jobs WHERE run = :run AND :step IS NULL AND :needed_by IS NULL
  UNION ALL
  SELECT seq FROM rotulus_jobs WHERE run = :run AND step = :step AND :needed_by IS NULL
  UNION ALL
  SELECT need.need FROM json_each(:needed_by) AS wanted
  CROSS JOIN rotulus_jobs AS job ON job.id = wanted.value
  CROSS JOIN rotulus_needs AS need ON need.job = job.seq
  UNION ALL
  SELECT seq FROM wanted
  CROSS JOIN rotulus_jobs AS job INDEXED BY rotulus_jobs_queued
  WHERE wanted.state = 'queued' AND job.state = 'queued' AND limit_key IS NULL AND losses < 2
  UNION ALL
  SELECT seq FROM wanted
  CROSS JOIN rotulus_jobs AS job INDEXED BY rotulus_jobs_queued_limited
  WHERE wanted.state = 'queued' AND job.state = 'queued' AND limit_key IS NOT NULL AND losses < 2
  UNION ALL
  SELECT seq FROM wanted
  CROSS JOIN rotulus_jobs AS job INDEXED BY rotulus_jobs_queued_suspect
  WHERE wanted.state = 'queued' AND job.state = 'queued' AND losses >= 2
  UNION ALL
  SELECT seq FROM wanted
  CROSS JOIN rotulus_jobs AS job INDEXED BY rotulus_jobs_delayed
  WHERE wanted.state = 'delayed' AND job.state = 'delayed'
  UNION ALL
  SELECT seq FROM wanted
  CROSS JOIN rotulus_jobs AS job INDEXED BY rotulus_jobs_blocked
  WHERE wanted.state = 'blocked' AND job.state = 'blocked'
  UNION ALL
  SELECT seq FROM rotulus_jobs
  WHERE state = 'running' AND 'running' IN wanted AND (:worker IS NULL OR worker = :worker)
  UNION ALL
  SELECT seq FROM rotulus_jobs WHERE ended_at IS NOT NULL AND state IN wanted)
SELECT {record} FROM rotulus_jobs AS job
WHERE job.seq IN chosen AND {matching} AND +job.seq < {below}
ORDER BY job.seq DESC LIMIT :limit;

-- name: next_due
-- The next moment that brings something to claim: a delayed job is due, or a start counts no
-- longer for the rate of a key that has jobs waiting.
WITH RECURSIVE rated (limit_key) AS (
  SELECT min(limit_key) FROM rotulus_starts
  UNION ALL
  SELECT (SELECT min(limit_key) FROM rotulus_starts WHERE limit_key > rated.limit_key)
  FROM rated WHERE rated.limit_key IS NOT NULL)
SELECT min(at) FROM (
  SELECT min(run_at) AS at FROM rotulus_jobs WHERE state = 'delayed'
  UNION ALL
  SELECT (SELECT min(counts_until) FROM rotulus_starts AS start
          WHERE start.limit_key = rated.limit_key AND start.counts_until > :now)
  FROM rated
  WHERE EXISTS (SELECT 1 FROM rotulus_jobs
                WHERE state = 'queued' AND limit_key = rated.limit_key AND losses < 2)
     OR EXISTS (SELECT 1 FROM rotulus_jobs
                WHERE state = 'queued' AND limit_key = rated.limit_key AND losses >= 2));
