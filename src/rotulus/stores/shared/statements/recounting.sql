-- Counts again what blocked jobs wait for.

-- name: miscounted
-- So many blocked jobs, in the order of ids, and whether each is wrong: it waits for more or fewer than have not
-- ended, or for nothing, though it is not paused.
WITH looked AS MATERIALIZED (
  SELECT {job}, id AS job_id, waits_for, paused FROM rotulus_jobs
  WHERE state = 'blocked' AND (CAST(:after AS {id}) IS NULL OR id > CAST(:after AS {id}))
  ORDER BY id LIMIT CAST(:limit AS integer))
SELECT job_id, waits_for <> needs OR needs = 0 AND NOT paused
FROM (SELECT job.*, {unended_needs} AS needs FROM looked AS job) AS counted
ORDER BY job_id;

-- name: recount
-- Blocked jobs wait for what has not ended; all are locked, with those that wait for them.
WITH counted (job, paused, needs) AS MATERIALIZED (
  SELECT job.{job}, job.paused, {unended_needs}
  FROM {each_ids} {join} rotulus_jobs AS job
    ON job.id = wanted.value AND job.state || '' = 'blocked'),
blocked AS MATERIALIZED (
  SELECT job, needs, needs = 0 AND NOT paused AS due FROM counted)
UPDATE rotulus_jobs AS job
SET waits_for = blocked.needs,
    {becomes_due}
FROM blocked, {moment}
WHERE job.{job} = blocked.job
RETURNING id;
