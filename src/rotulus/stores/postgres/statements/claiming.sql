-- Claims: which jobs are due, and which worker gets them.

-- name: promote
-- Jobs whose time has come are due; if there are many, those of the highest priority first, which
-- are found by skipping from one priority to the next in the index. Then: how many.
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
  WHERE job.id = due.id AND job.state || '' = 'delayed' RETURNING job.id)
SELECT count(*) FROM promoted;

-- name: claim
-- Take the jobs that are next, where that is simple: no delayed job is due, no queued job was lost twice, or
-- has a limit and may have room soon, and few queues have jobs waiting. Where it is not, no job is taken, and a
-- row without a job says why.
WITH RECURSIVE {served},
look (refusal) AS MATERIALIZED (
  SELECT CASE {not_so_simple}
    WHEN EXISTS (SELECT FROM rotulus_limit_heads WHERE opens_at IS NOT NULL) THEN 'heads'
    WHEN {has_many} THEN 'queues' END),
{first_of_few}
{taken_or_refused};

-- name: claim_beside_limits
-- The same where jobs with a limit wait: as long as none that may have room is wanted, and no key is to be looked at
-- again. That is what a look at a thousand heads tells.
WITH RECURSIVE {served},
heads AS MATERIALIZED (
  SELECT queue, task, run_at, opens_at FROM rotulus_limit_heads
  WHERE opens_at <= (SELECT rotulus_now()) LIMIT 1001),
look (refusal) AS MATERIALIZED (
  SELECT CASE {not_so_simple}
    WHEN (SELECT count(*) FROM heads) > 1000 OR EXISTS (
      SELECT FROM heads
      WHERE queue = '' OR opens_at > 0
        OR (:queues::text[] IS NULL AND NOT starts_with(queue, '_') OR queue = ANY (:queues::text[]))
        AND (:names::text[] IS NULL OR task = ANY (:names::text[])
             OR run_at <= (SELECT rotulus_now()) - :grace::bigint)) THEN 'limits'
    WHEN {has_many} THEN 'queues' END),
{first_of_few}
{taken_or_refused};

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

-- name: choose_among_queues
-- Choose the jobs that are next where many queues have jobs waiting. None is locked.
WITH RECURSIVE {heads},
{next_of_heads}
SELECT id FROM free;

-- name: claim_chosen
-- Take the first of jobs that have been chosen, as far as they still wait, and nobody else is about to take them.
WITH chosen AS MATERIALIZED (
  SELECT job.id FROM unnest(:ids::uuid[]) AS first (id) CROSS JOIN LATERAL (
    SELECT job.id FROM rotulus_jobs AS job
    WHERE job.id = first.id AND job.state || '' = 'queued' AND job.losses < 2
      AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = job.queue)
    FOR UPDATE OF job SKIP LOCKED) AS job
  LIMIT :limit::integer),
{claimed}
SELECT {record}, job.seq FROM claimed AS job ORDER BY job.priority DESC, job.seq;

-- name: lock_limits
-- Share the lock of all limits, and lock so many keys until this transaction is over: those whose jobs are next;
-- those of which something has changed, and those of rates that are due, for which half of the locks are left if
-- the first ones are many; and the key of a job that was lost twice. One that somebody else holds is left to them.
-- Returns the keys that are locked; those that are not; whether there may be more; and the place of the
-- last one whose jobs are next, behind which no job is taken then.
WITH RECURSIVE {limited_groups},
next AS MATERIALIZED (
  SELECT head.* FROM (
    SELECT queue, task FROM limited_group AS job WHERE queue <> '' AND {open_queue} AND {known_task}) AS wanted
  CROSS JOIN LATERAL (
    SELECT limit_key, priority, seq FROM rotulus_limit_heads
    WHERE opens_at = 0 AND queue = wanted.queue AND task = wanted.task
      AND limit_key <> ALL (:seen::text[])
    ORDER BY priority DESC, seq LIMIT :keys::integer) AS head
  ORDER BY head.priority DESC, head.seq LIMIT :keys::integer),
changed AS MATERIALIZED (
  SELECT limit_key FROM rotulus_limit_heads
  WHERE opens_at = 0 AND queue = '' AND limit_key <> ALL (:seen::text[])
  LIMIT :keys::integer),
opening AS MATERIALIZED (
  SELECT limit_key FROM rotulus_limit_heads
  WHERE opens_at > 0 AND opens_at <= (SELECT rotulus_now()) AND limit_key <> ALL (:seen::text[])
  ORDER BY opens_at LIMIT :keys::integer),
suspect AS MATERIALIZED (
  SELECT job.limit_key FROM rotulus_jobs AS job
  WHERE job.state = 'queued' AND {lone_suspect} AND {open_queue} AND {known_task}
  ORDER BY job.priority DESC, job.seq LIMIT 1),
room AS MATERIALIZED (
  SELECT greatest(:keys::integer / 2, :keys::integer - count(*)) AS others FROM next),
other (limit_key) AS MATERIALIZED (
  SELECT limit_key FROM (
    SELECT limit_key FROM changed
    UNION
    SELECT limit_key FROM opening) AS any_of
  LIMIT (SELECT others FROM room)),
share AS MATERIALIZED (
  SELECT :keys::integer - count(*) AS nexts FROM other),
found (limit_key) AS MATERIALIZED (
  (SELECT limit_key FROM next ORDER BY priority DESC, seq LIMIT (SELECT nexts FROM share))
  UNION
  SELECT limit_key FROM other
  UNION
  SELECT limit_key FROM suspect WHERE limit_key IS NOT NULL),
shared AS MATERIALIZED (
  SELECT {shared_limits}),
locked AS MATERIALIZED (
  SELECT limit_key, pg_try_advisory_xact_lock({limit_lock}) AS ours FROM shared CROSS JOIN found)
SELECT
  (SELECT coalesce(array_agg(limit_key) FILTER (WHERE ours), '{}') FROM locked),
  (SELECT coalesce(array_agg(limit_key) FILTER (WHERE NOT ours), '{}') FROM locked),
  last.seq IS NOT NULL
    OR :keys::integer IN ((SELECT count(*) FROM changed), (SELECT count(*) FROM opening))
    OR (SELECT others FROM room) = (SELECT count(*) FROM other),
  coalesce(last.priority, -2147483648), coalesce(last.seq, 9223372036854775807)
FROM (VALUES (1)) AS one LEFT JOIN (
  SELECT priority, seq FROM next
  ORDER BY priority DESC, seq OFFSET (SELECT greatest(nexts - 1, 0) FROM share) LIMIT 1) AS last ON true;

-- name: claim_limited
-- The same where jobs with a limit wait, or jobs that were lost twice; none behind a last place. The caller
-- holds the locks of `keys`, so that their counts stay true until it commits.
WITH RECURSIVE {heads},
{next_of_heads},
suspect (id, priority, seq, limit_key) AS MATERIALIZED (
  SELECT job.id, job.priority, job.seq, job.limit_key FROM rotulus_jobs AS job
  WHERE job.state = 'queued' AND {lone_suspect}
    AND (job.limit_key IS NULL OR job.limit_key = ANY (:keys::text[]))
    AND {room_for_one}
    AND {open_queue}
    AND {known_task}
  ORDER BY job.priority DESC, job.seq LIMIT 1 FOR UPDATE OF job SKIP LOCKED),
busy AS MATERIALIZED (
  SELECT key.limit_key, terms.limit_to AS set_limit, terms.rate_to AS set_rate,
    {running_of_key}
    + (SELECT count(*) FROM suspect WHERE suspect.limit_key = key.limit_key) AS running,
    {started_of_key}
    + (SELECT count(*) FROM suspect WHERE suspect.limit_key = key.limit_key) AS started
  FROM unnest(:keys::text[]) AS key (limit_key)
  LEFT JOIN rotulus_limit_terms AS terms ON terms.limit_key = key.limit_key),
room AS MATERIALIZED (
  SELECT busy.*, (
    SELECT least(coalesce(busy.set_limit, job.limit_to) - busy.running, coalesce(busy.set_rate, job.rate_to) - busy.started)
    FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key = busy.limit_key AND job.losses < 2
    ORDER BY job.priority DESC, job.seq LIMIT 1) AS room
  FROM busy),
limited AS MATERIALIZED (
  SELECT found.id, found.priority, found.seq,
    least(coalesce(room.set_limit, found.limit_to) - room.running,
      coalesce(room.set_rate, found.rate_to) - room.started) AS room,
    row_number() OVER (PARTITION BY room.limit_key ORDER BY found.priority DESC, found.seq) AS place
  FROM room CROSS JOIN LATERAL (
    ({waits_for_room} AND job.priority > :last_priority::integer
     ORDER BY job.priority DESC, job.seq LIMIT :limit::integer)
    UNION ALL
    ({waits_for_room} AND job.priority = :last_priority::integer AND job.seq <= :last_seq::bigint
     ORDER BY job.seq LIMIT :limit::integer)) AS found
  WHERE room.room > 0),
candidate AS MATERIALIZED (
  SELECT id FROM (
    SELECT id, priority, seq FROM free
    UNION ALL
    SELECT id, priority, seq FROM limited WHERE place <= room
    UNION ALL
    SELECT id, priority, seq FROM suspect) AS any_of
  WHERE priority > :last_priority::integer
    OR priority = :last_priority::integer AND seq <= :last_seq::bigint
  ORDER BY priority DESC, seq LIMIT :ahead::integer),
chosen AS MATERIALIZED (
  SELECT job.id FROM candidate CROSS JOIN LATERAL (
    SELECT job.id FROM rotulus_jobs AS job
    WHERE job.id = candidate.id AND job.state || '' = 'queued' FOR UPDATE OF job SKIP LOCKED) AS job
  LIMIT :limit::integer),
{claimed},
{started}
SELECT {record}, job.seq FROM claimed AS job ORDER BY job.priority DESC, job.seq;

-- name: move_limit_heads
-- Say anew where the first jobs of keys stand, whose locks the caller holds, and whether they have room.
-- What somebody adds meanwhile stays. Returns the keys of which jobs wait that have room.
WITH gone AS (
  DELETE FROM rotulus_limit_heads WHERE limit_key = ANY (:keys::text[])
  RETURNING limit_key, queue, task),
room AS MATERIALIZED (
  SELECT key.limit_key, CASE
    WHEN first.limit_to <= {running_of_key} THEN NULL
    WHEN first.rate_to <= {started_of_key} THEN (
      SELECT max(counts_until) FROM (
        SELECT counts_until, sum(starts) OVER (ORDER BY counts_until DESC) AS later
        FROM rotulus_starts AS start
        WHERE start.limit_key = key.limit_key AND counts_until > (SELECT rotulus_now())) AS start
      WHERE later >= first.rate_to)
    ELSE 0 END AS opens_at
  FROM unnest(:keys::text[]) AS key (limit_key) CROSS JOIN LATERAL (
    SELECT {limit_of_job} AS limit_to, {rate_of_job} AS rate_to FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key = key.limit_key AND job.losses < 2
    ORDER BY job.priority DESC, job.seq LIMIT 1) AS first),
moved AS (
  INSERT INTO rotulus_limit_heads (limit_key, queue, task, priority, seq, run_at, opens_at)
  SELECT line.*, head.priority, head.seq, head.run_at, room.opens_at
  FROM (SELECT DISTINCT limit_key, queue, task FROM gone) AS line
  CROSS JOIN LATERAL (
    SELECT job.priority, job.seq, job.run_at FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key = line.limit_key AND job.losses < 2
      AND job.queue = line.queue AND job.task = line.task
    ORDER BY job.priority DESC, job.seq LIMIT 1) AS head
  JOIN room ON room.limit_key = line.limit_key
  RETURNING limit_key, opens_at)
SELECT DISTINCT limit_key FROM moved WHERE opens_at = 0;

-- name: tell_limit_changed
-- A key may have room: it is looked at again.
INSERT INTO rotulus_limit_heads (limit_key, queue, task, priority, seq, run_at)
VALUES (:key, '', '', 0, -(pg_current_xact_id()::text::bigint), 0);

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
{noted_claimed},
{started}
SELECT {record}, job.seq FROM look LEFT JOIN claimed AS job ON true
WHERE job.id IS NOT NULL OR NOT is_simple ORDER BY job.priority DESC, job.seq;

-- name: in_claim_order
-- Some jobs, in the order in which they are claimed.
SELECT job.id FROM unnest(:ids::uuid[]) AS wanted (id) JOIN rotulus_jobs AS job ON job.id = wanted.id
ORDER BY job.priority DESC, job.seq;

-- name: share_limits
-- Share the lock of all limits, before keys are locked.
SELECT {shared_limits};

-- name: wait_for_limits
-- Lock keys, however long others hold them: one after the other, in the same order as everybody who waits.
SELECT pg_advisory_xact_lock(key) FROM (
  SELECT DISTINCT {limit_lock} AS key FROM unnest(:keys::text[]) AS wanted (limit_key) ORDER BY 1) AS keys;

-- name: wait_for_limits_of
-- The same of the keys of some jobs.
SELECT pg_advisory_xact_lock(key) FROM (
  SELECT DISTINCT {limit_lock} AS key
  FROM unnest(:ids::uuid[]) AS wanted (id) JOIN rotulus_jobs AS job ON job.id = wanted.id
  WHERE limit_key IS NOT NULL ORDER BY 1) AS keys;

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
