-- Statistics: attempts and new jobs are counted, and brought to their place.

-- piece: counted_attempts
-- Attempts that have just been settled are counted. They are in `ended`, with their outcome in one word.
timed AS MATERIALIZED (
  SELECT now - now % 60000000 AS at, task, queue, outcome,
    greatest(0, started_at - due) AS wait, greatest(0, now - started_at) AS run
  FROM ended),
in_buckets AS MATERIALIZED (
  SELECT {stat_key}, {wait_bucket} AS wait_bucket, {run_bucket} AS run_bucket, {stat_bucketed}
  FROM timed GROUP BY {stat_key}, wait_bucket, run_bucket),
counted AS (
  INSERT INTO rotulus_stats_new ({stat_columns})
  SELECT {stat_key}, {stat_counts} FROM in_buckets GROUP BY {stat_key})

-- piece: counted_new
-- The jobs that have been `added` are counted.
counted AS (
  INSERT INTO rotulus_stats_added (at, task, queue, count)
  SELECT now - now % 60000000, :task, :queue, new
  FROM moment, (SELECT count(*) AS new FROM added) AS whole WHERE new > 0)

-- piece: all_stats
-- What has been counted, in its place or not yet.
(SELECT {stat_columns} FROM rotulus_stats
 WHERE span IN (60, 3600) AND at >= :since::bigint AND at < :until::bigint
 UNION ALL
 SELECT {stat_columns} FROM rotulus_stats_new
 WHERE at >= :since::bigint AND at < :until::bigint
 UNION ALL
 SELECT at, task, queue, 'enqueued', count, {stat_zeros} FROM rotulus_stats_added
 WHERE at >= :since::bigint AND at < :until::bigint) AS known

-- name: lock_stats
-- One process at a time brings counts to their place; the others have nothing to do meanwhile.
SELECT pg_try_advisory_xact_lock(hashtext('rotulus_stats'));

-- name: fold_ended
-- Attempts that have been counted become part of their minute.
WITH taken AS (
  DELETE FROM rotulus_stats_new RETURNING *)
INSERT INTO rotulus_stats AS known (span, {stat_columns})
SELECT 60, {stat_key}, {stat_sums} FROM taken GROUP BY {stat_key} ORDER BY {stat_key}
ON CONFLICT (span, {stat_key}) DO UPDATE SET {stat_merged};

-- name: fold_added
-- And so do new jobs.
WITH taken AS (
  DELETE FROM rotulus_stats_added RETURNING *)
INSERT INTO rotulus_stats AS known (span, {stat_key}, count)
SELECT 60, at, task, queue, 'enqueued', sum(count) FROM taken
GROUP BY at, task, queue ORDER BY at, task, queue
ON CONFLICT (span, {stat_key}) DO UPDATE SET count = known.count + excluded.count;
