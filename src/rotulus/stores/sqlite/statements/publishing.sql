-- Takes jobs that are to be published.

-- name: entries_due
-- Entries of a queue that are due, each with what becomes of it: those of jobs that cannot be sent back
-- are gone, those of jobs that are not to be published now are put off, and the others are taken.
-- Where names are given, entries of other tasks are left; or with `others`, the tasks of these names.
WITH found AS (
  SELECT entry.job, job.run_at, job.started_at,
    CASE
      WHEN job.seq IS NULL OR job.state IN ('succeeded', 'skipped') THEN 'gone'
      WHEN job.ended_at IS NOT NULL THEN 'ended'
      WHEN job.state IN ('blocked', 'running') THEN 'held'
      WHEN job.run_at > :now THEN 'early'
      WHEN entry.published_at IS NOT NULL AND job.started_at > :now - :patience THEN 'tried'
      ELSE 'taken' END AS kind
  FROM rotulus_outbox AS entry LEFT JOIN rotulus_jobs AS job ON job.seq = entry.job
  WHERE entry.queue = :queue AND entry.due_at <= :now - :overdue
    AND (:names IS NULL OR job.seq IS NULL
      OR (job.task IN (SELECT value FROM json_each(:names))) <> :others)
    AND :queue NOT IN (SELECT queue FROM rotulus_pauses)
  ORDER BY entry.due_at LIMIT :limit)
SELECT json_group_array(json_array({move_columns})) FROM (
  SELECT job, kind, CASE kind WHEN 'taken' THEN :now + :lease
                              WHEN 'ended' THEN 9223372036854775807
                              WHEN 'early' THEN run_at
                              WHEN 'tried' THEN started_at + :patience
                              ELSE :now + :patience END AS due_at
  FROM found);

-- name: move_entries
-- Entries are due at other times, and those that were taken have been once more.
UPDATE rotulus_outbox AS entry
SET due_at = move.due_at, tries = tries + (move.kind = 'taken')
FROM (SELECT {move_values} FROM json_each(:moves)) AS move
WHERE entry.job = move.job AND move.kind <> 'gone';
