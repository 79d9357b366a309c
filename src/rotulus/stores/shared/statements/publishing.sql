-- Jobs that are carried to an endpoint outside, and what is still to be published of them.

-- name: carry
-- Jobs are to be published when they are due, whether they have been before or not.
INSERT INTO rotulus_outbox (job, queue, due_at)
SELECT job.{job}, job.queue, job.run_at
FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value
WHERE job.ended_at IS NULL
ORDER BY job.id
ON CONFLICT (job) DO UPDATE SET due_at = excluded.due_at, published_at = NULL, tries = 0;

-- name: carry_again
-- Jobs that have been sent back, or resumed, are to be published again, if they are carried.
UPDATE rotulus_outbox AS entry SET due_at = job.run_at, published_at = NULL, tries = 0
FROM {each_back} {join} rotulus_jobs AS job ON job.{job} = wanted.value
WHERE entry.job = job.{job} AND job.ended_at IS NULL;

-- name: published
-- Messages of jobs are out: to be looked at again when they have had the time to arrive. Those of jobs
-- that were sent back since they were taken are wanted once more.
WITH sent (job) AS MATERIALIZED (
  SELECT job.{job} FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value)
UPDATE rotulus_outbox AS entry
SET published_at = now, due_at = now + CAST(:patience AS bigint)
FROM sent, {moment}
WHERE entry.job = sent.job AND (entry.tries > 0 OR NOT CAST(:taken AS boolean));

-- name: entry
-- What is to be published of one job.
SELECT due_at, published_at, tries FROM rotulus_outbox
WHERE job = (SELECT {job} FROM rotulus_jobs WHERE id = CAST(:id AS {id}));
