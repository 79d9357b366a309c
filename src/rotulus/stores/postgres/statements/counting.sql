-- Statistics: attempts and new jobs are counted, and brought to their place.

-- piece: counted_attempts
-- Attempts that have just been settled are counted. They are in `ended`, with their outcome in one word.
counted AS (
  INSERT INTO rotulus_stats_new (at, wait, run, count, task, queue, outcome)
  SELECT now, greatest(0, started_at - due), greatest(0, now - started_at), 1, task, queue, outcome
  FROM ended)

-- name: lock_stats
-- One process at a time brings counts to their place; the others have nothing to do meanwhile.
SELECT pg_try_advisory_xact_lock(hashtext('rotulus_stats'));

-- name: fold_new
-- Some of what has been counted becomes part of its minute, its quarter of an hour, and its hour; then how many.
WITH taken AS (
  DELETE FROM rotulus_stats_new
  WHERE ctid = ANY (ARRAY(SELECT ctid FROM rotulus_stats_new LIMIT :most::integer)) RETURNING *),
folded AS (
  INSERT INTO rotulus_stats AS known (span, {stat_columns})
  {in_levels} {by_minute_of} taken {in_minutes} {each_level})
SELECT count(*) FROM taken;
