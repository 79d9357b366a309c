-- How jobs and queues stand.

-- name: records
-- Some jobs by id.
SELECT {record} FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value;
