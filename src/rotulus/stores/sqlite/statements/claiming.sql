-- Claims: which jobs are due, and which worker gets them.

-- name: promote
-- Jobs whose time has come are due; if there are many, those of the highest priority first, which
-- are found by skipping from one priority to the next in the index.
WITH RECURSIVE level (priority) AS (
  SELECT max(priority) FROM rotulus_jobs
  WHERE state = 'delayed'
    AND EXISTS (SELECT 1 FROM rotulus_jobs WHERE state = 'delayed' AND run_at <= :now)
  UNION ALL
  SELECT (SELECT max(priority) FROM rotulus_jobs
          WHERE state = 'delayed' AND priority < level.priority)
  FROM level WHERE level.priority IS NOT NULL)
UPDATE rotulus_jobs SET state = 'queued'
WHERE seq IN (
  SELECT job.seq FROM level CROSS JOIN rotulus_jobs AS job
  WHERE job.state = 'delayed' AND job.priority = level.priority AND job.run_at <= :now
  LIMIT :limit);

-- name: choose
-- The jobs to claim next, and how many of them have a rate. Queues, and keys with a limit, are
-- found by skipping from one to the next in their index, so it matters how many there are, not how
-- many jobs wait in them. A key whose first job has no room is not looked into. Of the jobs that
-- were lost twice a worker gets one, and only when it runs no other. Where names are given, other
-- tasks are taken after a grace, if nobody alive knows them.
WITH RECURSIVE
  {known},
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
    WHERE queue IS NOT NULL AND {open_queue}),
  free (seq, priority) AS (
    SELECT job.seq, job.priority
    FROM served CROSS JOIN rotulus_jobs AS job
    WHERE job.seq IN (
      SELECT seq FROM rotulus_jobs
      WHERE queue = served.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
        AND {known_task}
      ORDER BY priority DESC, seq LIMIT :limit)),
  suspect (seq, priority, limit_key, rated) AS (
    SELECT seq, priority, limit_key, rate_to IS NOT NULL FROM rotulus_jobs AS job
    WHERE state = 'queued' AND losses >= 2
      AND {runs_no_suspect}
      AND {room_for_one}
      AND {open_queue}
      AND {known_task}
    ORDER BY priority DESC, seq LIMIT 1),
  some_limited AS (  -- mostly there are none, and then half of this statement is not begun
    SELECT 1 WHERE EXISTS (
      SELECT 1 FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2)),
  keys (limit_key) AS (
    SELECT min(limit_key) FROM rotulus_jobs
    WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
    UNION ALL
    SELECT (SELECT min(limit_key) FROM rotulus_jobs
            WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
              AND limit_key > keys.limit_key)
    FROM keys WHERE keys.limit_key IS NOT NULL),
  used (limit_key, running, started) AS MATERIALIZED (
    SELECT limit_key,
      (SELECT count(*) FROM rotulus_jobs AS job
       WHERE job.state = 'running' AND job.limit_key = keys.limit_key)
      + (SELECT count(*) FROM suspect WHERE suspect.limit_key = keys.limit_key),
      (SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
       WHERE start.limit_key = keys.limit_key AND start.counts_until > :now)
      + (SELECT count(*) FROM suspect WHERE suspect.limit_key = keys.limit_key)
    FROM keys WHERE limit_key IS NOT NULL),
  open (limit_key, running, started) AS (
    SELECT used.limit_key, used.running, used.started
    FROM used CROSS JOIN rotulus_jobs AS job
    WHERE job.seq = (
        SELECT seq FROM rotulus_jobs
        WHERE limit_key = used.limit_key AND state = 'queued' AND losses < 2
        ORDER BY priority DESC, seq LIMIT 1)
      AND (job.limit_to IS NULL OR used.running < job.limit_to)
      AND (job.rate_to IS NULL OR used.started < job.rate_to)),
  limited (seq, priority, rated, room, place) AS (
    SELECT job.seq, job.priority, job.rate_to IS NOT NULL,
      min(coalesce(job.limit_to - open.running, :limit),
          coalesce(job.rate_to - open.started, :limit)),
      row_number() OVER (PARTITION BY job.limit_key ORDER BY job.priority DESC, job.seq)
    FROM open CROSS JOIN rotulus_jobs AS job
    WHERE job.seq IN (
        SELECT seq FROM rotulus_jobs
        WHERE limit_key = open.limit_key AND state = 'queued' AND losses < 2
          AND {open_queue}
          AND {known_task}
        ORDER BY priority DESC, seq LIMIT :limit))
SELECT json_group_array(seq), sum(rated) FROM (
  SELECT seq, rated FROM (
    SELECT seq, priority, false AS rated FROM free
    UNION ALL
    SELECT seq, priority, rated FROM some_limited CROSS JOIN limited WHERE place <= room
    UNION ALL
    SELECT seq, priority, rated FROM suspect)
  ORDER BY priority DESC, seq LIMIT :limit);

-- name: in_claim_order
-- Some jobs that could be taken if they have room, in the order in which they are claimed. A job that
-- waits for its retry is due: the caller has waited.
WITH {known}
SELECT json_group_array(seq) FROM (
  SELECT job.seq FROM rotulus_jobs AS job
  WHERE job.id IN (SELECT value FROM json_each(:ids))
    AND (+job.state = 'queued'
         OR (+job.state = 'delayed' AND (job.run_at <= :now OR job.reason = 'retry')))
    AND queue NOT IN (SELECT queue FROM rotulus_pauses)
    AND {known_task}
  ORDER BY job.priority DESC, job.seq);

-- name: choose_one
-- A job, if it has room: whether it has a rate.
SELECT rate_to IS NOT NULL FROM rotulus_jobs AS job
WHERE seq = :seq AND {room_for_one} AND (losses < 2 OR {runs_no_suspect});

-- name: claim
-- Chosen jobs are running: the only statement that raises attempt.
UPDATE rotulus_jobs
SET state = 'running', attempt = attempt + 1, reason = NULL, progress = NULL,
    worker = :worker, boot = :boot, lease_until = :lease_until, started_at = :now
WHERE seq IN (SELECT value FROM json_each(:chosen)) AND +state IN ('queued', 'delayed');

-- name: count_starts
-- Those of chosen jobs that have a rate count for it.
INSERT INTO rotulus_starts (limit_key, counts_until, starts)
SELECT job.limit_key, :now + job.rate_per, count(*)
FROM json_each(:chosen) AS chosen
CROSS JOIN rotulus_jobs AS job ON job.seq = chosen.value
WHERE job.rate_to IS NOT NULL AND job.limit_key IS NOT NULL
GROUP BY job.limit_key, job.rate_per
ON CONFLICT DO UPDATE SET starts = starts + excluded.starts;

-- name: claimed
-- The records of chosen jobs, in the order chosen.
SELECT '[' || coalesce(group_concat({record}, ','), '') || ']'
FROM json_each(:chosen) AS chosen CROSS JOIN rotulus_jobs AS job ON job.seq = chosen.value;

-- name: running
-- Which claims are still running, and whether they are asked to stop.
SELECT json_group_array(json_array(job.id, job.attempt, job.cancel_requested))
FROM (SELECT {claim_values} FROM json_each(:claims)) AS claim
CROSS JOIN rotulus_jobs AS job
  ON job.id = claim.id AND job.attempt = claim.attempt AND +job.state = 'running';

-- name: extend
-- Renew leases, and store progress.
WITH claim AS MATERIALIZED (
  SELECT {renewal_values} FROM json_each(:claims))
UPDATE rotulus_jobs AS job
SET lease_until = coalesce(:lease_until, lease_until), reason = claim.reason,
    progress = coalesce(claim.progress, job.progress)
FROM claim
WHERE job.id = claim.id AND job.attempt = claim.attempt AND +job.state = 'running';
