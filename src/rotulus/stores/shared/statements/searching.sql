-- Jobs that match a filter, the last added first, and how far was looked.

-- piece: sieved
-- What a look tells of a job. `hit`: it matches, as far as a statement can say: its texts have what is looked
-- for somewhere. They are read only where they decide.
job.id, job.created_at,
({matching}
 AND (CAST(:error_like AS text) IS NULL OR {lower_error} LIKE CAST(:error_like AS text) ESCAPE '!')
 AND (CAST(:arguments_like AS text) IS NULL
      OR job.arguments LIKE CAST(:arguments_like AS text) ESCAPE '!')) AS hit,
CASE WHEN CAST(:error_like AS text) IS NOT NULL THEN job.error END AS error,
CASE WHEN CAST(:arguments_like AS text) IS NOT NULL THEN job.arguments END AS arguments

-- piece: told
-- How many match, those that do, unless they are only counted, and the last one that was looked at.
(SELECT count(*) FROM seen WHERE hit), id, created_at, hit, error, arguments
FROM seen
WHERE hit AND NOT CAST(:counting AS boolean) OR place = (SELECT place FROM seen ORDER BY place LIMIT 1)
ORDER BY place DESC

-- name: search_newest
-- The last `look` jobs, without an index on what is looked for.
WITH seen AS MATERIALIZED (
  SELECT job.{job} AS place, {sieved} FROM rotulus_jobs AS job WHERE {page} ORDER BY job.{job} DESC LIMIT CAST(:look AS integer))
SELECT (SELECT count(*) FROM seen), 0, {told};

-- name: search_heads
-- The heads of the last `look` runs. They are found by skipping from one run to the next in the index of runs, so
-- it does not matter how many jobs each of them has. Their order is that of their ids.
WITH RECURSIVE head (id, number) AS (
  SELECT (SELECT job.run FROM rotulus_jobs AS job
          WHERE job.run < coalesce(CAST(:before AS {id}), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
          ORDER BY job.run DESC LIMIT 1), 1
  UNION ALL
  SELECT {next_head}, number + 1 FROM head WHERE head.id IS NOT NULL AND number < CAST(:look AS integer)),
seen AS MATERIALIZED (
  SELECT job.id AS place, {sieved} FROM head {join} rotulus_jobs AS job ON job.id = head.id)
SELECT (SELECT count(*) FROM seen), 0, {told};

-- name: search_few
-- The last `look` of those that an index leads to. Of a set without an order `most` are read: if there are
-- more, the answer says so, and is none. They are read in the order of their index, so that the reading ends.
WITH one_by_one (place) AS MATERIALIZED (
  SELECT {job} FROM rotulus_jobs
  WHERE CAST(:by AS text) = 'step' AND run = CAST(:run AS {id}) AND step = CAST(:step AS text)
  UNION ALL
  SELECT {job} FROM (
    SELECT {job} FROM rotulus_jobs
    WHERE CAST(:by AS text) = 'fingerprint' AND fingerprint = CAST(:fingerprint AS text)
      AND state IN ('failed', 'dead') AND fingerprint IS NOT NULL
    ORDER BY task, ended_at LIMIT CAST(:most AS integer)) AS alike
  UNION ALL
  SELECT {job} FROM (
    SELECT {job} FROM rotulus_jobs
    WHERE CAST(:by AS text) = 'state' AND 'queued' {in_states} AND CAST(:queue AS text) IS NULL
      AND state = 'queued' AND limit_key IS NULL AND losses < 2
    ORDER BY queue, priority DESC, seq LIMIT CAST(:most AS integer)) AS queued
  UNION ALL
  SELECT {job} FROM (
    SELECT {job} FROM rotulus_jobs
    WHERE CAST(:by AS text) = 'state' AND 'queued' {in_states} AND queue = CAST(:queue AS text)
      AND state = 'queued' AND limit_key IS NULL AND losses < 2
    ORDER BY queue, priority DESC, seq LIMIT CAST(:most AS integer)) AS queued
  UNION ALL
  SELECT {job} FROM (
    SELECT {job} FROM rotulus_jobs
    WHERE CAST(:by AS text) = 'state' AND 'queued' {in_states}
      AND state = 'queued' AND limit_key IS NOT NULL AND losses < 2
    ORDER BY limit_key, priority DESC, seq LIMIT CAST(:most AS integer)) AS limited
  UNION ALL
  SELECT {job} FROM (
    SELECT {job} FROM rotulus_jobs
    WHERE CAST(:by AS text) = 'state' AND 'queued' {in_states} AND state = 'queued' AND losses >= 2
    ORDER BY priority DESC, seq LIMIT CAST(:most AS integer)) AS suspect
  UNION ALL
  SELECT {job} FROM (
    SELECT {job} FROM rotulus_jobs
    WHERE CAST(:by AS text) = 'state' AND 'delayed' {in_states} AND state = 'delayed'
    ORDER BY run_at LIMIT CAST(:most AS integer)) AS delayed
  UNION ALL
  SELECT {job} FROM (
    SELECT {job} FROM rotulus_jobs
    WHERE CAST(:by AS text) = 'state' AND 'blocked' {in_states} AND state = 'blocked'
    ORDER BY id LIMIT CAST(:most AS integer)) AS blocked
  UNION ALL
  SELECT {job} FROM (
    SELECT {job} FROM rotulus_jobs
    WHERE CAST(:by AS text) = 'state' AND 'running' {in_states}
      AND state = 'running' AND lease_until IS NOT NULL
    ORDER BY {running_order} LIMIT CAST(:most AS integer)) AS running),
in_order (place) AS MATERIALIZED (
  SELECT {job} FROM (
    SELECT job.{job} FROM rotulus_jobs AS job
    WHERE CAST(:by AS text) = 'key' AND {of_key}
    ORDER BY job.key DESC, job.{job} DESC LIMIT CAST(:look AS integer)) AS alike
  UNION ALL
  SELECT {job} FROM (
    SELECT job.{job} FROM rotulus_jobs AS job
    WHERE CAST(:by AS text) = 'run' AND {of_run}
    ORDER BY job.run DESC, job.{job} DESC LIMIT CAST(:look AS integer)) AS parts
  UNION ALL
  SELECT {job} FROM (
    SELECT own.job AS {job} FROM rotulus_labels AS own
    WHERE CAST(:by AS text) = 'label' AND own.label = CAST(:label AS text) AND own.job < {below}
    ORDER BY own.job DESC LIMIT CAST(:look AS integer)) AS labelled
  UNION ALL
  SELECT {job} FROM (
    SELECT job.{job} FROM rotulus_jobs AS job
    WHERE CAST(:by AS text) = 'schedule' AND {of_schedule}
    ORDER BY job.schedule DESC, job.{job} DESC LIMIT CAST(:look AS integer)) AS fired
  UNION ALL
  SELECT {job} FROM (
    SELECT job.{job} FROM rotulus_jobs AS job
    WHERE CAST(:by AS text) = 'state' AND 'failed' {in_states} AND {page}
      AND state = 'failed' AND ended_at IS NOT NULL AND state || '' <> 'succeeded'
    ORDER BY job.{job} DESC LIMIT CAST(:look AS integer)) AS failed
  UNION ALL
  SELECT {job} FROM (
    SELECT job.{job} FROM rotulus_jobs AS job
    WHERE CAST(:by AS text) = 'state' AND 'dead' {in_states} AND {page}
      AND state = 'dead' AND ended_at IS NOT NULL AND state || '' <> 'succeeded'
    ORDER BY job.{job} DESC LIMIT CAST(:look AS integer)) AS dead
  UNION ALL
  SELECT {job} FROM (
    SELECT job.{job} FROM rotulus_jobs AS job
    WHERE CAST(:by AS text) = 'state' AND 'cancelled' {in_states} AND {page}
      AND state = 'cancelled' AND ended_at IS NOT NULL AND state || '' <> 'succeeded'
    ORDER BY job.{job} DESC LIMIT CAST(:look AS integer)) AS cancelled
  UNION ALL
  SELECT {job} FROM (
    SELECT job.{job} FROM rotulus_jobs AS job
    WHERE CAST(:by AS text) = 'state' AND 'skipped' {in_states} AND {page}
      AND state = 'skipped' AND ended_at IS NOT NULL AND state || '' <> 'succeeded'
    ORDER BY job.{job} DESC LIMIT CAST(:look AS integer)) AS skipped),
newest (place) AS MATERIALIZED (
  SELECT place FROM (
    SELECT place FROM one_by_one UNION ALL SELECT place FROM in_order) AS job
  WHERE place < {below}
  ORDER BY place DESC LIMIT CAST(:look AS integer)),
seen AS MATERIALIZED (
  SELECT job.{job} AS place, {sieved} FROM newest {join} rotulus_jobs AS job ON job.{job} = newest.place)
SELECT (SELECT count(*) FROM newest), (SELECT count(*) FROM one_by_one), {told};
