-- Where the first jobs of keys with a limit stand, where many keys have jobs waiting.

-- name: limits_kept
-- Whether heads are kept: a row, with the place up to which jobs that waited before have been looked at; and whether
-- the rate of a key has room again.
SELECT limit_key, priority, seq,
  EXISTS (SELECT 1 FROM rotulus_limit_heads WHERE opens_at > 0 AND opens_at <= :now)
FROM rotulus_limits_kept;

-- name: keep_limits
-- Heads are kept from now on.
INSERT INTO rotulus_limits_kept (only_one, limit_key, priority, seq)
VALUES (1, '', 0, 0) ON CONFLICT DO NOTHING;

-- name: fill_heads
-- Look at the next jobs that waited before.
INSERT INTO rotulus_limit_heads (limit_key, queue, task, priority, seq, run_at)
SELECT limit_key, queue, task, priority, seq, run_at FROM rotulus_jobs
WHERE state = 'queued' AND losses < 2 AND limit_key >= :limit_key
  AND (limit_key > :limit_key OR priority < :priority OR priority = :priority AND seq > :seq)
ORDER BY limit_key, priority DESC, seq LIMIT :most
ON CONFLICT (limit_key, queue, task) DO UPDATE
SET priority = excluded.priority, seq = excluded.seq, run_at = excluded.run_at, opens_at = 0
WHERE excluded.priority > priority OR excluded.priority = priority AND excluded.seq < seq;

-- name: note_filled
-- Up to which of them they have been looked at.
UPDATE rotulus_limits_kept SET (limit_key, priority, seq) = (
  SELECT limit_key, priority, seq FROM rotulus_jobs
  WHERE state = 'queued' AND losses < 2 AND limit_key >= :limit_key
    AND (limit_key > :limit_key OR priority < :priority OR priority = :priority AND seq > :seq)
  ORDER BY limit_key, priority DESC, seq LIMIT 1 OFFSET :most - 1);

-- name: forget_heads
-- Heads are kept no more.
DELETE FROM rotulus_limit_heads;

-- name: forget_limits
-- The same.
DELETE FROM rotulus_limits_kept;

-- name: reopen_heads
-- Keys whose rate has room again.
UPDATE rotulus_limit_heads SET opens_at = 0 WHERE id IN (
  SELECT id FROM rotulus_limit_heads WHERE opens_at > 0 AND opens_at <= :now
  ORDER BY opens_at LIMIT :most);

-- name: tell_limit_changed
-- A key may have room.
UPDATE rotulus_limit_heads SET opens_at = 0 WHERE limit_key = :key AND opens_at IS NOT 0;

-- name: next_heads
-- The heads that are next among those that may have room, in order: key, priority and number of each.
WITH RECURSIVE
  {known},
  {open_lines},
  first (queue, task) AS MATERIALIZED (
    SELECT line.queue, line.task FROM line CROSS JOIN rotulus_limit_heads AS head
    WHERE head.id = (
      SELECT id FROM rotulus_limit_heads
      WHERE opens_at = 0 AND queue = line.queue AND task = line.task AND {known_task}
      ORDER BY priority DESC, seq LIMIT 1)
    ORDER BY head.priority DESC, head.seq LIMIT :heads)
SELECT json_group_array(json_array(limit_key, priority, seq)) FROM (
  SELECT head.limit_key, head.priority, head.seq
  FROM first CROSS JOIN rotulus_limit_heads AS head
  WHERE head.id IN (
    SELECT id FROM rotulus_limit_heads
    WHERE opens_at = 0 AND queue = first.queue AND task = first.task AND {known_task}
    ORDER BY priority DESC, seq LIMIT :heads)
  ORDER BY head.priority DESC, head.seq LIMIT :heads);

-- name: drop_heads
-- Of some keys, the heads without jobs go.
DELETE FROM rotulus_limit_heads AS head
WHERE limit_key IN (SELECT value FROM json_each(:keys)) AND NOT EXISTS (
  SELECT 1 FROM rotulus_jobs AS job
  WHERE job.limit_key = head.limit_key AND job.state = 'queued' AND job.losses < 2
    AND job.queue = head.queue AND job.task = head.task);

-- name: move_heads
-- Say anew where the first jobs of some keys stand, and whether these have room.
WITH room (limit_key, opens_at) AS MATERIALIZED (
  SELECT key.value, CASE
    WHEN {limit_of_job} <= (
      SELECT count(*) FROM rotulus_jobs AS other
      WHERE other.state = 'running' AND other.limit_key = key.value) THEN NULL
    WHEN {rate_of_job} <= (
      SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
      WHERE start.limit_key = key.value AND start.counts_until > :now) THEN (
      SELECT max(counts_until) FROM (
        SELECT counts_until, sum(starts) OVER (ORDER BY counts_until DESC) AS later
        FROM rotulus_starts AS start
        WHERE start.limit_key = key.value AND start.counts_until > :now)
      WHERE later >= {rate_of_job})
    ELSE 0 END
  FROM json_each(:keys) AS key CROSS JOIN rotulus_jobs AS job
  WHERE job.seq = (
    SELECT seq FROM rotulus_jobs
    WHERE limit_key = key.value AND state = 'queued' AND losses < 2
    ORDER BY priority DESC, seq LIMIT 1)),
moved (id, opens_at, first) AS MATERIALIZED (
  SELECT head.id, room.opens_at, (
    SELECT seq FROM rotulus_jobs
    WHERE limit_key = head.limit_key AND state = 'queued' AND losses < 2
      AND queue = head.queue AND task = head.task
    ORDER BY priority DESC, seq LIMIT 1)
  FROM room CROSS JOIN rotulus_limit_heads AS head ON head.limit_key = room.limit_key)
UPDATE rotulus_limit_heads AS head
SET priority = job.priority, seq = job.seq, run_at = job.run_at, opens_at = moved.opens_at
FROM moved CROSS JOIN rotulus_jobs AS job ON job.seq = moved.first
WHERE head.id = moved.id;

-- name: claimable
-- Whether a job that is wanted may be claimed; NULL where no heads are kept. A head whose job does not wait any more,
-- or not in that place, is to be moved by a claim. Where the first job has no room by its own terms, one of the next
-- may have.
WITH RECURSIVE
  {known},
  {served},
  {suspect},
  {open_lines}
SELECT EXISTS (
    SELECT 1 FROM served WHERE EXISTS (
      SELECT 1 FROM rotulus_jobs
      WHERE queue = served.queue AND state = 'queued' AND limit_key IS NULL AND losses < 2
        AND {known_task}))
  OR EXISTS (SELECT 1 FROM suspect)
  OR EXISTS (SELECT 1 FROM rotulus_limit_heads WHERE opens_at > 0 AND opens_at <= :now)
  OR EXISTS (
    SELECT 1 FROM line WHERE EXISTS (
      SELECT 1 FROM rotulus_limit_heads AS head
      WHERE opens_at = 0 AND queue = line.queue AND task = line.task AND {known_task}
        AND NOT EXISTS (
          SELECT 1 FROM rotulus_jobs AS job
          WHERE job.seq = head.seq AND +job.state = 'queued' AND job.priority = head.priority
            AND NOT ({room_for_one})
            AND NOT EXISTS (
              SELECT 1 FROM rotulus_jobs AS job
              WHERE job.seq IN (
                SELECT seq FROM rotulus_jobs
                WHERE limit_key = head.limit_key AND state = 'queued' AND losses < 2
                  AND queue = head.queue AND task = head.task
                ORDER BY priority DESC, seq LIMIT 20)
                AND {room_for_one}))))
  OR limit_key IS NOT NULL
FROM rotulus_limits_kept;
