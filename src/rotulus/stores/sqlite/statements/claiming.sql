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

-- name: has_many
-- Whether more than a few queues have jobs without a limit waiting; and whether more than a few keys have jobs waiting.
WITH RECURSIVE
  {waiting},
  {keys}
SELECT (SELECT count(queue) FROM (SELECT queue FROM waiting LIMIT :queues + 1)) > :queues,
  (SELECT count(limit_key) FROM (SELECT limit_key FROM keys LIMIT :keys + 1)) > :keys;

-- name: choose
-- The jobs to claim next, and how many of them have a rate. A key whose first job has no room is not looked into,
-- and of its jobs those are left out that have no room by their own terms.
-- Of the jobs that were lost twice a worker gets one, and only when it runs no other. Where names are given, other
-- tasks are taken after a grace, if nobody alive knows them.
WITH RECURSIVE
  {known},
  {served},
  {free},
  {suspect},
  some_limited AS (
    SELECT 1 WHERE EXISTS (
      SELECT 1 FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2)),
  {keys},
  used (limit_key, running, started) AS MATERIALIZED (
    SELECT limit_key,
      (SELECT count(*) FROM rotulus_jobs AS job
       WHERE job.state = 'running' AND job.limit_key = key.limit_key)
      + (SELECT count(*) FROM suspect WHERE suspect.limit_key = key.limit_key),
      (SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
       WHERE start.limit_key = key.limit_key AND start.counts_until > :now)
      + (SELECT count(*) FROM suspect WHERE suspect.limit_key = key.limit_key)
    FROM keys AS key WHERE limit_key IS NOT NULL),
  {open_keys},
  limited (seq, priority, rated, room, place) AS (
    SELECT job.seq, job.priority, coalesce(key.set_rate, job.rate_to) IS NOT NULL, {room_of_key},
      row_number() OVER (PARTITION BY job.limit_key ORDER BY job.priority DESC, job.seq)
    FROM open AS key CROSS JOIN rotulus_jobs AS job
    WHERE key.room > 0 AND job.seq IN (
        SELECT seq FROM rotulus_jobs
        WHERE limit_key = key.limit_key AND state = 'queued' AND losses < 2
          AND {open_queue}
          AND {known_task}
          AND {room_of_key} > 0
        ORDER BY priority DESC, seq LIMIT (SELECT max(room) FROM open)))
SELECT json_group_array(seq), sum(rated) FROM (
  SELECT seq, rated FROM (
    SELECT seq, priority, false AS rated FROM free
    UNION ALL
    SELECT seq, priority, rated FROM some_limited CROSS JOIN limited WHERE place <= room
    UNION ALL
    SELECT seq, priority, rated FROM suspect)
  ORDER BY priority DESC, seq LIMIT :limit);

-- name: choose_free
-- The jobs without a limit that are next, in order.
WITH RECURSIVE
  {known},
  {served},
  {free}
SELECT json_group_array(json_array(priority, seq)) FROM (
  SELECT priority, seq FROM free ORDER BY priority DESC, seq LIMIT :limit);

-- name: choose_free_among_many
-- The same where many queues have jobs waiting. No queue is looked into whose first
-- job has enough others before it.
WITH RECURSIVE
  {known},
  {served},
  first (queue, priority, seq) AS MATERIALIZED (
    SELECT served.queue, job.priority, job.seq FROM served CROSS JOIN rotulus_jobs AS job
    WHERE job.seq = (
      SELECT seq FROM rotulus_jobs
      WHERE queue = served.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
        AND {known_task}
      ORDER BY priority DESC, seq LIMIT 1)
    ORDER BY job.priority DESC, job.seq LIMIT :limit),
  far (priority, seq) AS MATERIALIZED (  -- as many are as near, so none behind it is among the first
    SELECT priority, seq FROM first ORDER BY priority DESC, seq LIMIT 1 OFFSET :limit - 1),
  free (seq, priority) AS (
    SELECT job.seq, job.priority
    FROM first CROSS JOIN rotulus_jobs AS job
    WHERE job.seq IN (
        SELECT seq FROM rotulus_jobs
        WHERE queue = first.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
          AND priority > coalesce((SELECT priority FROM far), -9223372036854775808)
          AND {known_task}
        ORDER BY priority DESC, seq LIMIT :limit)
      OR job.seq IN (
        SELECT seq FROM rotulus_jobs
        WHERE queue = first.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
          AND priority = (SELECT priority FROM far) AND seq <= (SELECT seq FROM far)
          AND {known_task}
        ORDER BY seq LIMIT :limit))
SELECT json_group_array(json_array(priority, seq)) FROM (
  SELECT priority, seq FROM free ORDER BY priority DESC, seq LIMIT :limit);

-- name: still_free
-- Those of some chosen jobs without a limit that can still be taken: the first ones, in the order given.
WITH {known}
SELECT json_group_array(json_array(priority, seq)) FROM (
  SELECT job.priority, job.seq
  FROM json_each(:ahead) AS ahead CROSS JOIN rotulus_jobs AS job ON job.seq = ahead.value
  WHERE +job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
    AND {open_queue} AND {known_task}
  LIMIT :limit);

-- name: choose_suspect
-- The job that was lost twice to take next, if the worker runs no other.
WITH {known}, {suspect}
SELECT priority, seq, rated, limit_key FROM suspect;

-- name: limit_keys
-- The keys that have jobs waiting. They are few, where heads are not kept.
WITH RECURSIVE {keys}
SELECT json_group_array(limit_key) FROM keys WHERE limit_key IS NOT NULL;

-- name: choose_limited
-- Of some keys whose first jobs have room, the first jobs that are wanted: priority, number, whether it has a rate, key, and
-- for how many jobs of the key there is room; none that stands behind a place.
WITH {known},
  used (limit_key, running, started) AS MATERIALIZED (
    SELECT value,
      (value IS :suspect_key) + (
        SELECT count(*) FROM rotulus_jobs WHERE state = 'running' AND limit_key = key.value),
      (value IS :suspect_key) + (
        SELECT coalesce(sum(starts), 0) FROM rotulus_starts
        WHERE limit_key = key.value AND counts_until > :now)
    FROM json_each(:keys) AS key),
  {open_keys},
  limited (priority, seq, rated, limit_key, room) AS (
    SELECT job.priority, job.seq, coalesce(key.set_rate, job.rate_to) IS NOT NULL, job.limit_key, {room_of_key}
    FROM open AS key CROSS JOIN rotulus_jobs AS job
    WHERE key.room > 0 AND key.priority > :last_priority AND job.seq IN (
      SELECT seq FROM rotulus_jobs
      WHERE limit_key = key.limit_key AND state = 'queued' AND losses < 2
        AND priority > :last_priority
        AND {open_queue}
        AND {known_task}
        AND {room_of_key} > 0
      ORDER BY priority DESC, seq LIMIT (SELECT max(room) FROM open))
    UNION ALL
    SELECT job.priority, job.seq, coalesce(key.set_rate, job.rate_to) IS NOT NULL, job.limit_key, {room_of_key}
    FROM open AS key CROSS JOIN rotulus_jobs AS job
    WHERE key.room > 0 AND job.seq IN (
      SELECT seq FROM rotulus_jobs
      WHERE limit_key = key.limit_key AND state = 'queued' AND losses < 2
        AND priority = :last_priority AND seq <= :last_seq
        AND {open_queue}
        AND {known_task}
        AND {room_of_key} > 0
      ORDER BY seq LIMIT (SELECT max(room) FROM open)))
SELECT json_group_array(json_array(priority, seq, rated, limit_key, room)) FROM limited;

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
SELECT {rate_of_job} IS NOT NULL FROM rotulus_jobs AS job
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
SELECT job.limit_key, :now + coalesce(terms.rate_per, job.rate_per), count(*)
FROM json_each(:chosen) AS chosen
CROSS JOIN rotulus_jobs AS job ON job.seq = chosen.value
LEFT JOIN rotulus_limit_terms AS terms ON terms.limit_key = job.limit_key
WHERE coalesce(terms.rate_to, job.rate_to) IS NOT NULL AND job.limit_key IS NOT NULL
GROUP BY job.limit_key, coalesce(terms.rate_per, job.rate_per)
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
