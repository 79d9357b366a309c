-- Takes jobs that are to be published.

-- name: lock_entries
-- Lock entries of a queue that have been due for so long. Rows that another transaction has locked are
-- left. Where names are given, so are other tasks; or with `others`, the tasks of these names. (The task
-- is looked up by the id: a join might walk all jobs instead.)
SELECT entry.job FROM rotulus_outbox AS entry
WHERE entry.queue = :queue AND entry.due_at <= (SELECT rotulus_now() - :overdue::bigint)
  AND (:names::text[] IS NULL OR coalesce(
    ((SELECT job.task FROM rotulus_jobs AS job WHERE job.id = entry.job) = ANY (:names::text[]))
      <> :others::boolean, true))
  AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = :queue)
ORDER BY entry.due_at LIMIT :limit::integer FOR UPDATE OF entry SKIP LOCKED;

-- name: take_entries
-- Entries that are locked: those of jobs that cannot be sent back go, those of jobs that are not to be
-- published now are put off, and the others are taken. Then the records of those that were taken.
WITH entry AS MATERIALIZED (
  SELECT job AS id, entry.due_at, entry.published_at
  FROM unnest(:ids::uuid[]) AS wanted (id) JOIN rotulus_outbox AS entry ON entry.job = wanted.id),
fate AS MATERIALIZED (
  SELECT entry.id, entry.due_at,
    CASE
      WHEN job.id IS NULL OR job.state IN ('succeeded', 'skipped') THEN 'gone'
      WHEN job.ended_at IS NOT NULL THEN 'ended'
      WHEN job.state IN ('blocked', 'running') THEN 'held'
      WHEN job.run_at > now THEN 'early'
      WHEN entry.published_at IS NOT NULL AND job.started_at > now - :patience::bigint THEN 'tried'
      ELSE 'taken' END AS kind,
    job.run_at, job.started_at, now
  FROM rotulus_now() AS now, entry LEFT JOIN rotulus_jobs AS job ON job.id = entry.id),
dropped AS (
  DELETE FROM rotulus_outbox AS entry USING fate WHERE entry.job = fate.id AND fate.kind = 'gone'),
moved AS (
  UPDATE rotulus_outbox AS entry
  SET due_at = CASE fate.kind WHEN 'taken' THEN now + :lease::bigint
                              WHEN 'ended' THEN 9223372036854775807
                              WHEN 'early' THEN fate.run_at
                              WHEN 'tried' THEN fate.started_at + :patience::bigint
                              ELSE now + :patience::bigint END,
      tries = entry.tries + CASE fate.kind WHEN 'taken' THEN 1 ELSE 0 END
  FROM fate WHERE entry.job = fate.id AND fate.kind <> 'gone')
SELECT {record} FROM fate
JOIN rotulus_jobs AS job ON job.id = fate.id AND fate.kind = 'taken'
ORDER BY fate.due_at, fate.id;
