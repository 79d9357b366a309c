-- Jobs that are due, and who gets them.

-- name: promote
-- Jobs whose time has come are due. Then: whether jobs with a limit, or jobs that were lost twice,
-- are among those that wait.
WITH due AS MATERIALIZED (
  SELECT id FROM rotulus_jobs
  WHERE state = 'delayed' AND run_at <= (SELECT rotulus_now())
  ORDER BY run_at LIMIT :limit::integer FOR UPDATE SKIP LOCKED),
promoted AS (
  UPDATE rotulus_jobs AS job SET state = 'queued' FROM due
  WHERE job.id = due.id AND job.state || '' = 'delayed'
  RETURNING job.limit_key, job.losses)
SELECT
  EXISTS (SELECT FROM promoted WHERE limit_key IS NOT NULL OR losses >= 2)
  OR EXISTS (
    SELECT FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2)
  OR EXISTS (SELECT FROM rotulus_jobs WHERE state = 'queued' AND losses >= 2);

-- name: claim
-- Take the jobs that are next. Queues are found by skipping from one to the next in the index, so it
-- matters how many there are, not how many jobs wait in them. Unless all is calm, no job is taken,
-- and a row of NULL says so: delayed jobs are due, or jobs wait that have a limit or were lost twice.
WITH RECURSIVE weather (calm) AS MATERIALIZED (
  SELECT NOT EXISTS (
      SELECT FROM rotulus_jobs WHERE state = 'delayed' AND run_at <= (SELECT rotulus_now()))
    AND NOT EXISTS (
      SELECT FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2)
    AND NOT EXISTS (SELECT FROM rotulus_jobs WHERE state = 'queued' AND losses >= 2)),
waiting (queue) AS (
  (SELECT queue FROM rotulus_jobs
   WHERE state = 'queued' AND limit_key IS NULL AND losses < 2 AND (SELECT calm FROM weather)
   ORDER BY queue LIMIT 1)
  UNION ALL
  SELECT (SELECT job.queue FROM rotulus_jobs AS job
          WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
            AND job.queue > waiting.queue
          ORDER BY job.queue LIMIT 1)
  FROM waiting WHERE waiting.queue IS NOT NULL),
served AS (
  SELECT queue FROM waiting
  WHERE queue IS NOT NULL
    AND (:queues::text[] IS NULL OR queue = ANY (:queues::text[]))
    AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = waiting.queue)),
chosen AS MATERIALIZED (
  SELECT job.id FROM served CROSS JOIN LATERAL (
    SELECT id, priority, seq FROM rotulus_jobs
    WHERE state = 'queued' AND limit_key IS NULL AND losses < 2 AND queue = served.queue
      AND (:names::text[] IS NULL OR task = ANY (:names::text[])
           OR run_at <= (SELECT rotulus_now()) - :grace::bigint
           AND NOT EXISTS (
             SELECT FROM rotulus_workers AS other
             WHERE task = ANY (other.names) AND other.lease_until > (SELECT rotulus_now())))
    ORDER BY priority DESC, seq LIMIT :limit::integer FOR UPDATE SKIP LOCKED) AS job
  ORDER BY job.priority DESC, job.seq LIMIT :limit::integer),
claimed AS (
  UPDATE rotulus_jobs AS job
  SET state = 'running', attempt = job.attempt + 1, reason = NULL, progress = NULL,
      worker = :worker, lease_until = now + :lease::bigint, started_at = now
  FROM chosen, (SELECT rotulus_now() AS now) AS moment
  WHERE job.id = chosen.id AND job.state || '' = 'queued'
  RETURNING job.*)
SELECT
  id, arguments, key, limit_key, instant, task, queue, priority, state, created_at, run_at,
  expires_at, limit_to, rate_to, rate_per, schedule, attempt, failures, losses, releases, worker,
  started_at, ended_at, cancel_requested, reason, progress, result, error, NULL, NULL,
  seq
FROM claimed
UNION ALL
SELECT
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM weather WHERE NOT calm
ORDER BY priority DESC, seq;

-- name: claim_on
-- The same, from the places in the line where the last claim took its jobs: no other queue, and no
-- job in front, is looked at. Entries of jobs that are gone are not walked past again, though an old
-- snapshot may keep them in the index for long.
WITH mark AS MATERIALIZED (
  SELECT * FROM unnest(:marked_queues::text[], :marked_priorities::integer[], :marked_seqs::bigint[])
    AS mark (queue, priority, seq)
  WHERE NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = mark.queue)),
chosen AS MATERIALIZED (
  SELECT job.id FROM mark CROSS JOIN LATERAL (
    SELECT id, priority, seq FROM rotulus_jobs
    WHERE state = 'queued' AND limit_key IS NULL AND losses < 2
      AND queue = mark.queue AND priority = mark.priority AND seq >= mark.seq
      AND (:names::text[] IS NULL OR task = ANY (:names::text[])
           OR run_at <= (SELECT rotulus_now()) - :grace::bigint
           AND NOT EXISTS (
             SELECT FROM rotulus_workers AS other
             WHERE task = ANY (other.names) AND other.lease_until > (SELECT rotulus_now())))
    ORDER BY seq LIMIT :limit::integer FOR UPDATE SKIP LOCKED) AS job
  ORDER BY job.priority DESC, job.seq LIMIT :limit::integer),
claimed AS (
  UPDATE rotulus_jobs AS job
  SET state = 'running', attempt = job.attempt + 1, reason = NULL, progress = NULL,
      worker = :worker, lease_until = now + :lease::bigint, started_at = now
  FROM chosen, (SELECT rotulus_now() AS now) AS moment
  WHERE job.id = chosen.id AND job.state || '' = 'queued'
  RETURNING job.*)
SELECT
  id, arguments, key, limit_key, instant, task, queue, priority, state, created_at, run_at,
  expires_at, limit_to, rate_to, rate_per, schedule, attempt, failures, losses, releases, worker,
  started_at, ended_at, cancel_requested, reason, progress, result, error, NULL, NULL,
  seq
FROM claimed ORDER BY priority DESC, seq;

-- name: claim_limited
-- The same, where jobs with a limit wait, or jobs that were lost twice. Whoever runs this holds the
-- lock of limits, so that what it counts stays true until it commits.
WITH RECURSIVE waiting (queue) AS (
  (SELECT queue FROM rotulus_jobs
   WHERE state = 'queued' AND limit_key IS NULL AND losses < 2 ORDER BY queue LIMIT 1)
  UNION ALL
  SELECT (SELECT job.queue FROM rotulus_jobs AS job
          WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
            AND job.queue > waiting.queue
          ORDER BY job.queue LIMIT 1)
  FROM waiting WHERE waiting.queue IS NOT NULL),
free (id, priority, seq) AS MATERIALIZED (
  SELECT found.* FROM waiting CROSS JOIN LATERAL (
    SELECT id, priority, seq FROM rotulus_jobs AS job
    WHERE state = 'queued' AND limit_key IS NULL AND losses < 2 AND job.queue = waiting.queue
      AND (:queues::text[] IS NULL OR job.queue = ANY (:queues::text[]))
      AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = job.queue)
      AND (:names::text[] IS NULL OR task = ANY (:names::text[])
           OR run_at <= (SELECT rotulus_now()) - :grace::bigint
           AND NOT EXISTS (
             SELECT FROM rotulus_workers AS other
             WHERE task = ANY (other.names) AND other.lease_until > (SELECT rotulus_now())))
    ORDER BY priority DESC, seq LIMIT :limit::integer FOR UPDATE OF job SKIP LOCKED) AS found),
suspect (id, priority, seq, limit_key) AS MATERIALIZED (
  SELECT id, priority, seq, limit_key FROM rotulus_jobs AS job
  WHERE state = 'queued' AND losses >= 2
    AND NOT EXISTS (
      SELECT FROM rotulus_jobs AS other
      WHERE other.state = 'running' AND other.lease_until IS NOT NULL
        AND other.worker = :worker AND other.losses >= 2)
    AND (limit_to IS NULL OR limit_to > (
      SELECT count(*) FROM rotulus_jobs AS other
      WHERE other.state = 'running' AND other.limit_key = job.limit_key))
    AND (rate_to IS NULL OR rate_to > (
      SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
      WHERE start.limit_key = job.limit_key AND start.counts_until > (SELECT rotulus_now())))
    AND (:queues::text[] IS NULL OR queue = ANY (:queues::text[]))
    AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = job.queue)
    AND (:names::text[] IS NULL OR task = ANY (:names::text[])
         OR run_at <= (SELECT rotulus_now()) - :grace::bigint
         AND NOT EXISTS (
           SELECT FROM rotulus_workers AS other
           WHERE task = ANY (other.names) AND other.lease_until > (SELECT rotulus_now())))
  ORDER BY priority DESC, seq LIMIT 1 FOR UPDATE OF job SKIP LOCKED),
limit_keys (limit_key) AS (
  (SELECT limit_key FROM rotulus_jobs
   WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2 ORDER BY limit_key LIMIT 1)
  UNION ALL
  SELECT (SELECT job.limit_key FROM rotulus_jobs AS job
          WHERE job.state = 'queued' AND job.limit_key IS NOT NULL AND job.losses < 2
            AND job.limit_key > limit_keys.limit_key
          ORDER BY job.limit_key LIMIT 1)
  FROM limit_keys WHERE limit_keys.limit_key IS NOT NULL),
busy AS MATERIALIZED (
  SELECT limit_key,
    (SELECT count(*) FROM rotulus_jobs AS job
     WHERE job.state = 'running' AND job.limit_key = limit_keys.limit_key)
    + (SELECT count(*) FROM suspect WHERE suspect.limit_key = limit_keys.limit_key) AS running,
    (SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
     WHERE start.limit_key = limit_keys.limit_key
       AND start.counts_until > (SELECT rotulus_now()))
    + (SELECT count(*) FROM suspect WHERE suspect.limit_key = limit_keys.limit_key) AS started
  FROM limit_keys WHERE limit_key IS NOT NULL),
room AS MATERIALIZED (
  SELECT busy.*, (
    SELECT least(job.limit_to - busy.running, job.rate_to - busy.started) FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key = busy.limit_key AND job.losses < 2
    ORDER BY job.priority DESC, job.seq LIMIT 1) AS room
  FROM busy),
limited AS MATERIALIZED (
  SELECT found.id, found.priority, found.seq,
    least(found.limit_to - room.running, found.rate_to - room.started) AS room,
    row_number() OVER (PARTITION BY room.limit_key ORDER BY found.priority DESC, found.seq) AS place
  FROM room CROSS JOIN LATERAL (
    SELECT id, priority, seq, limit_to, rate_to FROM rotulus_jobs AS job
    WHERE state = 'queued' AND limit_key = room.limit_key AND losses < 2
      AND (:queues::text[] IS NULL OR queue = ANY (:queues::text[]))
      AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = job.queue)
      AND (:names::text[] IS NULL OR task = ANY (:names::text[])
           OR run_at <= (SELECT rotulus_now()) - :grace::bigint
           AND NOT EXISTS (
             SELECT FROM rotulus_workers AS other
             WHERE task = ANY (other.names) AND other.lease_until > (SELECT rotulus_now())))
    ORDER BY priority DESC, seq LIMIT :limit::integer FOR UPDATE OF job SKIP LOCKED) AS found
  WHERE room.room > 0),
chosen AS MATERIALIZED (
  SELECT id FROM (
    SELECT id, priority, seq FROM free
    UNION ALL
    SELECT id, priority, seq FROM limited WHERE place <= room
    UNION ALL
    SELECT id, priority, seq FROM suspect) AS candidate
  ORDER BY priority DESC, seq LIMIT :limit::integer),
claimed AS (
  UPDATE rotulus_jobs AS job
  SET state = 'running', attempt = job.attempt + 1, reason = NULL, progress = NULL,
      worker = :worker, lease_until = now + :lease::bigint, started_at = now
  FROM chosen, (SELECT rotulus_now() AS now) AS moment
  WHERE job.id = chosen.id AND job.state || '' = 'queued'
  RETURNING job.*),
started AS (
  INSERT INTO rotulus_starts AS known (limit_key, counts_until, starts)
  SELECT limit_key, started_at + rate_per, count(*) FROM claimed
  WHERE rate_to IS NOT NULL AND limit_key IS NOT NULL
  GROUP BY limit_key, started_at + rate_per
  ON CONFLICT (limit_key, counts_until) DO UPDATE SET starts = known.starts + excluded.starts)
SELECT
  id, arguments, key, limit_key, instant, task, queue, priority, state, created_at, run_at,
  expires_at, limit_to, rate_to, rate_per, schedule, attempt, failures, losses, releases, worker,
  started_at, ended_at, cancel_requested, reason, progress, result, error, NULL, NULL,
  seq
FROM claimed ORDER BY priority DESC, seq;

-- name: lock_limits
-- Let nobody else claim jobs with a limit until this transaction is over.
SELECT pg_advisory_xact_lock(hashtext('rotulus limits'), :place::integer);

-- name: running
-- Which claims are still running, and whether they are asked to stop.
SELECT job.id, job.attempt, job.cancel_requested
FROM unnest(:ids::uuid[], :attempts::integer[]) AS claim (id, attempt)
JOIN rotulus_jobs AS job
  ON job.id = claim.id AND job.attempt = claim.attempt AND job.state || '' = 'running';

-- name: renew
-- Renew leases, and store progress; then the same.
UPDATE rotulus_jobs AS job
SET lease_until = coalesce((SELECT rotulus_now()) + :lease::bigint, job.lease_until),
    progress = coalesce(claim.progress, job.progress)
FROM unnest(:ids::uuid[], :attempts::integer[], :progresses::text[])
  AS claim (id, attempt, progress)
WHERE job.id = claim.id AND job.attempt = claim.attempt AND job.state || '' = 'running'
RETURNING job.id, job.attempt, job.cancel_requested;
