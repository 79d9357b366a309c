-- Statistics: attempts and new jobs are counted.

-- name: ended_attempts
-- Attempts that are about to be settled: the task, the queue and the outcome of each, how long it has
-- waited and how long it has run. One without an outcome is lost.
SELECT json_group_array(json_array(
  job.task, job.queue,
  coalesce(ended.outcome, CASE WHEN job.cancel_requested THEN 'cancelled'
                               WHEN job.losses + 1 >= :max_losses THEN 'dead'
                               ELSE 'lost' END),
  max(0, job.started_at - job.run_at), max(0, :now - job.started_at)))
FROM (
  SELECT value ->> 0 AS id, value ->> 1 AS attempt, value ->> 2 AS outcome
  FROM json_each(:attempts)) AS ended
CROSS JOIN rotulus_jobs AS job
  ON job.id = ended.id AND job.attempt = ended.attempt AND +job.state = 'running';

-- name: count_attempts
-- Attempts of one task, queue and outcome are counted.
INSERT INTO rotulus_stats AS known (span, {stat_columns})
VALUES (60, :now - :now % 60000000, :task, :queue, :outcome, {stat_values})
ON CONFLICT (span, {stat_key}) DO UPDATE SET {stat_merged};

-- name: count_new
-- New jobs are counted.
INSERT INTO rotulus_stats AS known (span, at, task, queue, outcome, count)
VALUES (60, :now - :now % 60000000, :task, :queue, 'enqueued', :count)
ON CONFLICT (span, {stat_key}) DO UPDATE SET count = known.count + excluded.count;

-- piece: all_stats
-- What has been counted.
(SELECT * FROM rotulus_stats WHERE span IN (60, 3600) AND at >= :since AND at < :until) AS known
