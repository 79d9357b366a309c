-- Locks that come before a decision: a statement that has waited for a row goes on with what it had read of
-- the others before that.

-- name: lock_runs
-- Lock some jobs, with all jobs of their runs, until this transaction is over: which of them exist, and
-- how many of what is locked is in runs. In the order of ids, as everywhere.
SELECT
  coalesce(array_agg(id::text) FILTER (WHERE id IN (SELECT unnest(:ids::uuid[]))), '{}'), count(run)
FROM (
  SELECT job.id, job.run FROM (
    SELECT id FROM unnest(:ids::uuid[]) AS wanted (id)
    UNION
    SELECT other.id FROM (
      SELECT DISTINCT job.run FROM unnest(:ids::uuid[]) AS wanted (id)
      JOIN rotulus_jobs AS job ON job.id = wanted.id) AS wanted
    JOIN rotulus_jobs AS other ON other.run = wanted.run) AS wanted
  JOIN rotulus_jobs AS job ON job.id = wanted.id
  ORDER BY job.id FOR UPDATE OF job) AS locked;

-- name: size_of_runs
-- How many jobs the runs of some jobs have.
SELECT count(*) FROM (
  SELECT DISTINCT job.run FROM unnest(:ids::uuid[]) AS wanted (id)
  JOIN rotulus_jobs AS job ON job.id = wanted.id) AS wanted
JOIN rotulus_jobs AS other ON other.run = wanted.run;

-- name: lock_with_dependants
-- Lock some jobs, and those that wait for them, until this transaction is over; returns how many.
-- Every statement that locks many rows does it in the order of ids, so that no two wait for each other.
-- What waits for a job is known when the job is added, and stays the same.
WITH wanted (id) AS MATERIALIZED (
  SELECT id FROM unnest(:ids::uuid[]) AS held (id)
  UNION
  SELECT need.job FROM unnest(:ids::uuid[]) AS held (id)
  JOIN rotulus_needs AS need ON need.need = held.id)
SELECT count(*) FROM (
  SELECT FROM wanted JOIN rotulus_jobs AS job ON job.id = wanted.id
  ORDER BY job.id FOR UPDATE OF job) AS locked;
