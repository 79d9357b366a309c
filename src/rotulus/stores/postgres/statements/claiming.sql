-- Claims: which jobs are due, and which worker gets them.

-- name: promote
-- Jobs whose time has come are due; if there are many, those of the highest priority first, which
-- are found by skipping from one priority to the next in the index. Then: whether jobs with a limit,
-- or jobs that were lost twice, are among those that wait.
WITH RECURSIVE level (priority) AS (
  (SELECT priority FROM rotulus_jobs WHERE state = 'delayed' ORDER BY priority DESC LIMIT 1)
  UNION ALL
  SELECT (SELECT job.priority FROM rotulus_jobs AS job
          WHERE job.state = 'delayed' AND job.priority < level.priority
          ORDER BY job.priority DESC LIMIT 1)
  FROM level WHERE level.priority IS NOT NULL),
due AS MATERIALIZED (
  SELECT job.id FROM level CROSS JOIN LATERAL (
    SELECT id FROM rotulus_jobs AS delayed
    WHERE delayed.state = 'delayed' AND delayed.priority = level.priority
      AND delayed.run_at <= (SELECT rotulus_now())
    ORDER BY delayed.run_at LIMIT :limit::integer FOR UPDATE SKIP LOCKED) AS job
  LIMIT :limit::integer),
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
-- Take the jobs that are next, where that is simple: no delayed job is due, and no queued job has a limit
-- or was lost twice. Where it is not, no job is taken, and a row of NULL says so.
WITH RECURSIVE look (is_simple) AS MATERIALIZED (
  SELECT NOT EXISTS (
      SELECT FROM rotulus_jobs WHERE state = 'delayed' AND run_at <= (SELECT rotulus_now()))
    AND NOT EXISTS (
      SELECT FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2)
    AND NOT EXISTS (SELECT FROM rotulus_jobs WHERE state = 'queued' AND losses >= 2)),
{served},
chosen AS MATERIALIZED (
  SELECT free.id FROM {free}
  WHERE (SELECT is_simple FROM look)
  ORDER BY free.priority DESC, free.seq LIMIT :limit::integer),
{claimed}
SELECT {record}, job.seq FROM look LEFT JOIN claimed AS job ON true
WHERE job.id IS NOT NULL OR NOT is_simple ORDER BY job.priority DESC, job.seq;

-- name: claim_after
-- The same, from a cursor: the first job that the last claim took of each queue and priority. No other
-- queue, and no job in front, is looked at. Entries of jobs that are gone are not walked past again,
-- though an old snapshot may keep them in the index for long.
WITH cursor AS MATERIALIZED (
  SELECT * FROM unnest(:cursor_queues::text[], :cursor_priorities::integer[], :cursor_seqs::bigint[])
    AS first (queue, priority, seq)
  WHERE NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = first.queue)),
chosen AS MATERIALIZED (
  SELECT free.id FROM cursor CROSS JOIN LATERAL (
    SELECT job.id, job.priority, job.seq FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
      AND job.queue = cursor.queue AND job.priority = cursor.priority AND job.seq >= cursor.seq
      AND {known_task}
    ORDER BY job.seq LIMIT :limit::integer FOR UPDATE OF job SKIP LOCKED) AS free
  ORDER BY free.priority DESC, free.seq LIMIT :limit::integer),
{claimed}
SELECT {record}, job.seq FROM claimed AS job ORDER BY job.priority DESC, job.seq;

-- name: claim_limited
-- The same, where jobs with a limit wait, or jobs that were lost twice. The caller holds the lock of
-- limits, so that the counts stay true until it commits.
WITH RECURSIVE {served},
unlimited AS MATERIALIZED (
  SELECT free.* FROM {free}),
suspect (id, priority, seq, limit_key) AS MATERIALIZED (
  SELECT job.id, job.priority, job.seq, job.limit_key FROM rotulus_jobs AS job
  WHERE job.state = 'queued' AND {lone_suspect}
    AND {room_for_one}
    AND {open_queue}
    AND {known_task}
  ORDER BY job.priority DESC, job.seq LIMIT 1 FOR UPDATE OF job SKIP LOCKED),
{limit_keys},
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
    SELECT job.id, job.priority, job.seq, job.limit_to, job.rate_to FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key = room.limit_key AND job.losses < 2
      AND {open_queue}
      AND {known_task}
    ORDER BY job.priority DESC, job.seq LIMIT :limit::integer FOR UPDATE OF job SKIP LOCKED) AS found
  WHERE room.room > 0),
chosen AS MATERIALIZED (
  SELECT id FROM (
    SELECT id, priority, seq FROM unlimited
    UNION ALL
    SELECT id, priority, seq FROM limited WHERE place <= room
    UNION ALL
    SELECT id, priority, seq FROM suspect) AS candidate
  ORDER BY priority DESC, seq LIMIT :limit::integer),
{claimed},
{started}
SELECT {record}, job.seq FROM claimed AS job ORDER BY job.priority DESC, job.seq;

-- name: claim_ids
-- Take some jobs by their ids, in whatever queue they are. A job that waits for its retry is due:
-- the caller has waited. Unless the caller has `locked` the limits, no job is taken if one of them has a
-- limit or was lost twice, and a row of NULL says so. With the lock, it gives one id at a time.
WITH candidate AS MATERIALIZED (
  SELECT job.id, job.priority, job.seq, job.limit_key IS NOT NULL OR job.losses >= 2 AS special
  FROM unnest(:ids::uuid[]) AS wanted (id) JOIN rotulus_jobs AS job ON job.id = wanted.id
  WHERE (job.state || '' = 'queued' OR job.state || '' = 'delayed'
         AND (job.run_at <= (SELECT rotulus_now()) OR job.reason = 'retry'))
    AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = job.queue)
    AND {known_task}
    AND (NOT :locked::boolean OR {room_for_one} AND (job.losses < 2 OR {lone_suspect}))
  ORDER BY job.id FOR UPDATE OF job SKIP LOCKED),
look (is_simple) AS MATERIALIZED (
  SELECT :locked::boolean OR NOT EXISTS (SELECT FROM candidate WHERE special)),
chosen AS MATERIALIZED (
  SELECT id FROM candidate WHERE (SELECT is_simple FROM look)
  ORDER BY priority DESC, seq LIMIT :limit::integer),
claimed AS (
  UPDATE rotulus_jobs AS job
  SET {taken}
  FROM chosen, (SELECT rotulus_now() AS now) AS moment
  WHERE job.id = chosen.id AND job.state || '' IN ('queued', 'delayed')
  RETURNING job.*),
{started}
SELECT {record}, job.seq FROM look LEFT JOIN claimed AS job ON true
WHERE job.id IS NOT NULL OR NOT is_simple ORDER BY job.priority DESC, job.seq;

-- name: in_claim_order
-- Some jobs, in the order in which they are claimed.
SELECT job.id FROM unnest(:ids::uuid[]) AS wanted (id) JOIN rotulus_jobs AS job ON job.id = wanted.id
ORDER BY job.priority DESC, job.seq;

-- name: lock_limits
-- Let nobody else claim jobs with a limit from these tables until this transaction is over.
SELECT pg_advisory_xact_lock(hashtext('rotulus limits'), 'rotulus_jobs'::regclass::oid::integer);

-- name: running
-- Which claims are still running, and whether they are asked to stop.
SELECT job.id, job.attempt, job.cancel_requested
FROM {claim_rows}
JOIN rotulus_jobs AS job
  ON job.id = claim.id AND job.attempt = claim.attempt AND job.state || '' = 'running';

-- name: extend
-- Renew leases, store progress, and why an attempt runs without a slot; then the same. Rows that
-- another transaction has locked are passed over: a job that ends in a transaction which stays open must
-- not cost its neighbours their leases.
WITH held AS MATERIALIZED (
  SELECT job.id, renewal.progress, renewal.reason
  FROM {renewal_rows}
  JOIN rotulus_jobs AS job
    ON job.id = renewal.id AND job.attempt = renewal.attempt AND job.state || '' = 'running'
  ORDER BY job.id FOR UPDATE OF job SKIP LOCKED)
UPDATE rotulus_jobs AS job
SET lease_until = coalesce((SELECT rotulus_now()) + :lease::bigint, job.lease_until),
    reason = held.reason, progress = coalesce(held.progress, job.progress)
FROM held
WHERE job.id = held.id
RETURNING job.id, job.attempt, job.cancel_requested;
