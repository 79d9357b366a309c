-- Statistics: attempts and new jobs that have been counted.

-- piece: by_minute_of
-- The begin of a table of statistics by the minute, made of what has been counted: behind it stand the name of the
-- table that holds that, and `in_minutes`. What falls into the same two buckets is summed up first.
(SELECT minute AS at, task, queue, outcome, {stat_counts}
 FROM (
   SELECT at - at % 60000000 AS minute, task, queue, outcome,
     {wait_bucket} AS wait_bucket, {run_bucket} AS run_bucket, {stat_bucketed}
   FROM

-- piece: in_minutes
-- The end of such a table.
   GROUP BY minute, task, queue, outcome, wait_bucket, run_bucket) AS in_buckets
 GROUP BY minute, task, queue, outcome) AS newer

-- piece: of_each_level
-- Rows of a span of time, each part of it at the coarsest level that fits: minutes and quarters of an hour at both
-- ends, hours between.
FROM (
  SELECT 60 AS span, CAST(:since AS bigint) AS first, CAST(:quarters AS bigint) AS last
  UNION ALL SELECT 900, CAST(:quarters AS bigint), CAST(:hours AS bigint)
  UNION ALL SELECT 3600, CAST(:hours AS bigint), CAST(:hours_end AS bigint)
  UNION ALL SELECT 900, CAST(:hours_end AS bigint), CAST(:quarters_end AS bigint)
  UNION ALL SELECT 60, CAST(:quarters_end AS bigint), CAST(:until AS bigint)) AS level
JOIN rotulus_stats AS stat ON stat.span = level.span AND stat.at >= level.first AND stat.at < level.last

-- piece: of_old_hours
-- Hours in place of minutes and quarters that are gone.
FROM rotulus_stats
WHERE span = 3600 AND at >= CAST(:since AS bigint) AND at < CAST(:until AS bigint)
  AND (at < CAST(:hours AS bigint) OR at >= CAST(:hours_end AS bigint))
  AND at < coalesce((SELECT min(at) - min(at) % 3600000000 FROM rotulus_stats WHERE span = 60), CAST(:until AS bigint))

-- piece: all_stats
-- What has been counted, in its place or not yet.
(SELECT {stat_columns} {of_each_level}
 UNION ALL
 SELECT {stat_columns} {of_old_hours}
 UNION ALL
 SELECT {stat_columns} FROM {by_minute_of} rotulus_stats_new {in_minutes}
 WHERE at >= CAST(:since AS bigint) AND at < CAST(:until AS bigint)) AS known

-- piece: in_levels
-- Statistics by the minute are part of each level: of their minute, their quarter of an hour, and their hour.
SELECT level.span, at - at % (level.span * 1000000) AS at, task, queue, outcome, {stat_sums}
FROM (SELECT CAST(60 AS bigint) AS span UNION ALL SELECT 900 UNION ALL SELECT 3600) AS level CROSS JOIN

-- piece: each_level
-- The end of that.
GROUP BY 1, 2, task, queue, outcome ORDER BY 1, 2, task, queue, outcome
ON CONFLICT (span, {stat_key}) DO UPDATE SET {stat_merged}

-- name: drop_minutes
-- Minutes and quarters of hours that began long ago: the hours have them, too.
DELETE FROM rotulus_stats
WHERE span IN (60, 900)
  AND at < CAST(:minutes_before AS bigint) - CAST(:minutes_before AS bigint) % 3600000000;

-- name: fold_hours
-- Hours of long ago become part of their week, which is kept for counters that must never go back;
-- `drop_hours` comes next.
INSERT INTO rotulus_stats AS known (span, {stat_columns})
SELECT 604800, at - at % 604800000000 AS week, task, queue, outcome, {stat_sums}
FROM rotulus_stats WHERE span = 3600 AND at < CAST(:hours_before AS bigint)
GROUP BY week, task, queue, outcome ORDER BY week, task, queue, outcome
ON CONFLICT (span, {stat_key}) DO UPDATE SET {stat_merged};

-- name: drop_hours
-- Hours of long ago.
DELETE FROM rotulus_stats WHERE span = 3600 AND at < CAST(:hours_before AS bigint);

-- name: moment
-- The present moment.
SELECT {now};

-- name: read_totals
-- The sums of each task, queue and outcome, those that are only known by the week among them.
SELECT task, queue, outcome, {stat_sums} FROM (
  SELECT {stat_columns} FROM {all_stats}
  UNION ALL
  SELECT {stat_columns} FROM rotulus_stats
  WHERE span = 604800 AND at >= CAST(:since AS bigint) AND at < CAST(:until AS bigint)) AS whole
GROUP BY task, queue, outcome ORDER BY task, queue, outcome;

-- name: read_counts
-- How many there are in each step, without their times.
SELECT at - at % CAST(:step AS bigint) AS step,
  CASE CAST(:by AS text) WHEN 'task' THEN task WHEN 'queue' THEN queue ELSE '' END AS name,
  outcome, sum(count)
FROM (
  SELECT {stat_key}, count {of_each_level}
  UNION ALL
  SELECT {stat_key}, count {of_old_hours}
  UNION ALL
  SELECT {stat_key}, CAST(count AS bigint) FROM rotulus_stats_new
  WHERE at >= CAST(:since AS bigint) AND at - at % 60000000 < CAST(:until AS bigint)) AS known
WHERE (CAST(:task AS text) IS NULL OR task = :task) AND (CAST(:queue AS text) IS NULL OR queue = :queue)
GROUP BY step, name, outcome ORDER BY step, name, outcome;

-- name: read_stats
-- The sums of each step.
SELECT at - at % CAST(:step AS bigint) AS step,
  CASE CAST(:by AS text) WHEN 'task' THEN task WHEN 'queue' THEN queue ELSE '' END AS name,
  outcome, {stat_sums}
FROM {all_stats}
WHERE (CAST(:task AS text) IS NULL OR task = :task) AND (CAST(:queue AS text) IS NULL OR queue = :queue)
GROUP BY step, name, outcome ORDER BY step, name, outcome;
