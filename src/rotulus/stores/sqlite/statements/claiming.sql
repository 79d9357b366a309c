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
-- Whether more than a few queues, or keys with a limit, have jobs waiting.
WITH RECURSIVE
  {waiting},
  {keys}
SELECT (SELECT count(queue) FROM (SELECT queue FROM waiting LIMIT :few + 1)) > :few
  OR (SELECT count(limit_key) FROM (SELECT limit_key FROM keys LIMIT :few + 1)) > :few;

-- name: choose
-- The jobs to claim next, and how many of them have a rate. A key whose first job has no room is not looked into.
-- Of the jobs that were lost twice a worker gets one, and only when it runs no other. Where names are given, other
-- tasks are taken after a grace, if nobody alive knows them.
WITH RECURSIVE
  {known},
  {served},
  free (seq, priority) AS (
    SELECT job.seq, job.priority
    FROM served CROSS JOIN rotulus_jobs AS job
    WHERE job.seq IN (
      SELECT seq FROM rotulus_jobs
      WHERE queue = served.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
        AND {known_task}
      ORDER BY priority DESC, seq LIMIT :limit)),
  {suspect},
  {some_limited},
  {keys},
  {limited}
SELECT json_group_array(seq), sum(rated) FROM (
  SELECT seq, rated FROM (
    SELECT seq, priority, false AS rated FROM free
    UNION ALL
    SELECT seq, priority, rated FROM some_limited CROSS JOIN limited WHERE place <= room
    UNION ALL
    SELECT seq, priority, rated FROM suspect)
  ORDER BY priority DESC, seq LIMIT :limit);

-- name: choose_among_many
-- The same where many queues or keys have jobs waiting. No queue is looked into whose first job has
-- enough others before it. Of jobs with a limit the next `:near` are looked at, whatever their keys; where these do
-- not do, all keys are.
WITH RECURSIVE
  {known},
  {served},
  head (queue, priority, seq) AS MATERIALIZED (
    SELECT served.queue, job.priority, job.seq FROM served CROSS JOIN rotulus_jobs AS job
    WHERE job.seq = (
      SELECT seq FROM rotulus_jobs
      WHERE queue = served.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
        AND {known_task}
      ORDER BY priority DESC, seq LIMIT 1)
    ORDER BY job.priority DESC, job.seq LIMIT :limit),
  far (priority, seq) AS MATERIALIZED (  -- as many are as near, so none behind it is among the first
    SELECT priority, seq FROM head ORDER BY priority DESC, seq LIMIT 1 OFFSET :limit - 1),
  free (seq, priority) AS (
    SELECT job.seq, job.priority
    FROM head CROSS JOIN rotulus_jobs AS job
    WHERE job.seq IN (
        SELECT seq FROM rotulus_jobs
        WHERE queue = head.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
          AND priority > coalesce((SELECT priority FROM far), -9223372036854775808)
          AND {known_task}
        ORDER BY priority DESC, seq LIMIT :limit)
      OR job.seq IN (
        SELECT seq FROM rotulus_jobs
        WHERE queue = head.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
          AND priority = (SELECT priority FROM far) AND seq <= (SELECT seq FROM far)
          AND {known_task}
        ORDER BY seq LIMIT :limit)),
  {suspect},
  {some_limited},
  near (seq, priority, limit_key, limit_to, rate_to, wanted) AS MATERIALIZED (
    SELECT seq, priority, limit_key, limit_to, rate_to, {open_queue} AND {known_task}
    FROM some_limited CROSS JOIN rotulus_jobs AS job INDEXED BY rotulus_jobs_queued_limited_next
    WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
    ORDER BY priority DESC, seq LIMIT :near),
  near_keys (limit_key, running, started) AS MATERIALIZED (
    SELECT limit_key, {running_of_key}, {started_of_key}
    FROM (SELECT DISTINCT limit_key FROM near) AS key),
  near_open (seq, priority, rated) AS MATERIALIZED (
    SELECT seq, priority, rate_to IS NOT NULL FROM (
      SELECT *, first_value(room) OVER own AS room_of_first,
        sum(wanted) OVER own AS place
      FROM (
        SELECT near.*, {room_of_key}
        FROM near JOIN near_keys AS key USING (limit_key))
      WINDOW own AS (PARTITION BY limit_key ORDER BY priority DESC, seq))
    WHERE wanted AND room_of_first > 0 AND place <= room),
  edge (priority, seq) AS MATERIALIZED (  -- nothing is known of jobs with a limit behind it
    SELECT priority, seq FROM near ORDER BY priority DESC, seq LIMIT 1 OFFSET :near - 1),
  before_edge (seq, priority, rated) AS MATERIALIZED (
    SELECT seq, priority, rated FROM (
      SELECT seq, priority, false AS rated FROM free
      UNION ALL
      SELECT seq, priority, rated FROM near_open
      UNION ALL
      SELECT seq, priority, rated FROM suspect) AS any_of
    WHERE NOT EXISTS (
      SELECT 1 FROM edge
      WHERE any_of.priority < edge.priority OR any_of.priority = edge.priority AND any_of.seq > edge.seq)
    ORDER BY priority DESC, seq LIMIT :limit),
  too_few AS MATERIALIZED (
    SELECT 1 FROM edge WHERE (SELECT count(*) FROM before_edge) < :limit),
  {keys},
  {limited}
SELECT json_group_array(seq), sum(rated) FROM (
  SELECT seq, rated FROM before_edge WHERE NOT EXISTS (SELECT 1 FROM too_few)
  UNION ALL
  SELECT seq, rated FROM (
    SELECT seq, priority, false AS rated FROM too_few CROSS JOIN free
    UNION ALL
    SELECT seq, priority, rated FROM too_few CROSS JOIN limited WHERE place <= room
    UNION ALL
    SELECT seq, priority, rated FROM too_few CROSS JOIN suspect
    ORDER BY priority DESC, seq LIMIT :limit));

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
