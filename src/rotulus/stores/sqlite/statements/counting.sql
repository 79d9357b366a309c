-- Statistics: attempts and new jobs are counted, and brought to their place.

-- name: count_attempts
-- Attempts that are about to be settled otherwise than by a success are counted. One without an outcome is
-- lost. Successes are many: a trigger counts them, which has the row at hand.
INSERT INTO rotulus_stats_new (at, wait, run, count, task, queue, outcome)
SELECT :now, max(0, job.started_at - job.run_at), max(0, :now - job.started_at), 1, job.task, job.queue,
  coalesce(ended.outcome, CASE WHEN job.cancel_requested THEN 'cancelled'
                               WHEN job.losses + 1 >= :max_losses THEN 'dead'
                               ELSE 'lost' END)
FROM (
  SELECT value ->> 0 AS id, value ->> 1 AS attempt, value ->> 2 AS outcome
  FROM json_each(:attempts)) AS ended
CROSS JOIN rotulus_jobs AS job
  ON job.id = ended.id AND job.attempt = ended.attempt AND +job.state = 'running';

-- name: count_new
-- New jobs are counted.
INSERT INTO rotulus_stats_new (at, count, task, queue, outcome)
VALUES (:now, :count, :task, :queue, 'enqueued');

-- name: fold_new
-- The first of what has been counted becomes part of its minute, its quarter of an hour, and its hour; `drop_new`
-- comes next.
INSERT INTO rotulus_stats AS known (span, {stat_columns})
{in_levels} {by_minute_of} (SELECT * FROM rotulus_stats_new ORDER BY rowid LIMIT :most) AS taken {in_minutes}
{each_level};

-- name: drop_new
-- What has come to its place.
DELETE FROM rotulus_stats_new
WHERE rowid IN (SELECT rowid FROM rotulus_stats_new ORDER BY rowid LIMIT :most);
