-- What attempts have logged.

-- name: add_logs
-- Lines of attempts that are the last ones of their jobs.
INSERT INTO rotulus_logs ({log_columns})
SELECT job.{job}, log.attempt, log.line, log.at, log.level, log.logger, log.text
FROM {log_rows} {join} {logging_jobs} AS job ON job.id = log.job AND job.attempt = log.attempt
WHERE true
ON CONFLICT (job, attempt, line) DO NOTHING;

-- name: read_logs
-- Lines of a job, or of one of its attempts. With a type of its own, SQLite would not look up a parameter
-- of such a comparison.
SELECT attempt, line, at, level, logger, text FROM rotulus_logs
WHERE job = (SELECT {job} FROM rotulus_jobs WHERE id = CAST(:id AS {id}))
  AND (attempt, line) > (:after_attempt, :after_line)
  AND (CAST(:attempt AS integer) IS NULL OR attempt = :attempt)
  AND level >= CAST(:level AS integer)
ORDER BY attempt, line LIMIT CAST(:limit AS integer);
