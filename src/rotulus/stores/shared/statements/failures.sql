-- Jobs that failed or died, by the fingerprint of their failure.

-- piece: failed
-- A job has failed, and nobody has sent it back: in the words of the index of failures.
job.state IN ('failed', 'dead') AND job.fingerprint IS NOT NULL

-- name: failure_parts
-- The tasks of each failure group, or of one, and when the first and the last job of them ended. They are
-- found by skipping from one to the next in the index, so it matters how many there are, not how many
-- jobs failed.
WITH RECURSIVE fingerprints (fingerprint) AS (
  SELECT coalesce(CAST(:fingerprint AS text), (
    SELECT job.fingerprint FROM rotulus_jobs AS job WHERE {failed} ORDER BY job.fingerprint LIMIT 1))
  UNION ALL
  SELECT (SELECT job.fingerprint FROM rotulus_jobs AS job
          WHERE {failed} AND job.fingerprint > fingerprints.fingerprint
          ORDER BY job.fingerprint LIMIT 1)
  FROM fingerprints
  WHERE fingerprints.fingerprint IS NOT NULL AND CAST(:fingerprint AS text) IS NULL),
parts (fingerprint, task) AS (
  SELECT fingerprints.fingerprint, '' FROM fingerprints WHERE fingerprints.fingerprint IS NOT NULL
  UNION ALL
  SELECT parts.fingerprint, (
    SELECT job.task FROM rotulus_jobs AS job
    WHERE {failed} AND {next_task} ORDER BY job.fingerprint, job.task LIMIT 1)
  FROM parts WHERE parts.task IS NOT NULL)
SELECT parts.fingerprint, parts.task,
  (SELECT job.ended_at FROM rotulus_jobs AS job
   WHERE {failed} AND {this_task} ORDER BY job.fingerprint, job.task, job.ended_at LIMIT 1),
  (SELECT job.ended_at FROM rotulus_jobs AS job
   WHERE {failed} AND {this_task}
   ORDER BY job.fingerprint DESC, job.task DESC, job.ended_at DESC LIMIT 1)
FROM parts WHERE parts.task <> '';

-- name: failure_counts
-- Of some tasks of failure groups: how many jobs failed since a moment, up to so many, and the last one.
SELECT parts.fingerprint, parts.task,
  (SELECT count(*) FROM (
     SELECT 1 FROM rotulus_jobs AS job
     WHERE {failed} AND {this_task} AND job.ended_at >= CAST(:since AS bigint)
     ORDER BY job.fingerprint DESC, job.task DESC, job.ended_at DESC
     LIMIT CAST(:most AS integer)) AS counted),
  (SELECT job.id FROM rotulus_jobs AS job
   WHERE {failed} AND {this_task}
   ORDER BY job.fingerprint DESC, job.task DESC, job.ended_at DESC LIMIT 1)
FROM (SELECT * FROM {failure_rows}) AS parts;

-- name: latest_failures
-- The jobs that failed or died last: the last ones of each of the two states are looked at.
SELECT {record} FROM (
  SELECT id FROM (
    SELECT id, ended_at FROM rotulus_jobs WHERE state = 'failed' AND ended_at IS NOT NULL
    ORDER BY ended_at DESC LIMIT CAST(:limit AS integer)) AS failed
  UNION ALL
  SELECT id FROM (
    SELECT id, ended_at FROM rotulus_jobs WHERE state = 'dead' AND ended_at IS NOT NULL
    ORDER BY ended_at DESC LIMIT CAST(:limit AS integer)) AS dead) AS latest
{join} rotulus_jobs AS job ON job.id = latest.id
ORDER BY job.ended_at DESC, job.{job} DESC LIMIT CAST(:limit AS integer);

-- name: failure_members
-- Jobs of a failure group, in the order of the index, after the one that ended the last page. With a type of
-- its own, SQLite would not look up a parameter of such a comparison.
SELECT job.task, job.ended_at, job.id FROM rotulus_jobs AS job
WHERE {failed} AND job.fingerprint = :fingerprint AND job.ended_at <= CAST(:until AS bigint)
  AND (job.task, job.ended_at, job.id) > (:task, :ended_at, :id)
ORDER BY job.task, job.ended_at, job.id LIMIT CAST(:limit AS integer);
