-- The pruning of old jobs.

-- name: prune
-- Ended jobs that nobody needs, the oldest of each state first, with their parts and all that is
-- known of them; workers whose lease is over, and starts that count no more. Then how many jobs.
-- They are looked for one after the other, until they have so many rows: the last run goes whole.
WITH silent AS (DELETE FROM rotulus_workers WHERE lease_until <= (SELECT rotulus_now())),
uncounted AS (DELETE FROM rotulus_starts WHERE counts_until <= (SELECT rotulus_now())),
outdated AS MATERIALIZED (
  SELECT job.id, job.run FROM unnest(:states::text[]) AS ended (state) CROSS JOIN LATERAL (
    SELECT id, run FROM rotulus_jobs AS job
    WHERE state = ended.state AND ended_at IS NOT NULL AND ended_at < :before::bigint
      AND (held_key IS NULL OR hold_until IS NULL OR hold_until <= (SELECT rotulus_now()))
      AND (run IS NULL OR run = id AND 0 = (
        SELECT count(*) FROM rotulus_jobs AS part WHERE part.run = job.id AND part.ended_at IS NULL))
    ORDER BY ended_at LIMIT :limit::integer FOR UPDATE OF job SKIP LOCKED) AS job),
chosen AS MATERIALIZED (
  SELECT outdated.id, outdated.run FROM outdated
  LEFT JOIN rotulus_jobs AS part ON part.run = outdated.run LIMIT :limit::integer),
gone AS MATERIALIZED (
  SELECT id FROM chosen
  UNION
  SELECT part.id FROM (SELECT DISTINCT run FROM chosen) AS chosen
  JOIN rotulus_jobs AS part ON part.run = chosen.run),
forgotten AS (DELETE FROM rotulus_attempts AS attempt USING gone WHERE attempt.job = gone.id),
unneeded AS (DELETE FROM rotulus_needs AS need USING gone WHERE need.need = gone.id),
unpublished AS (DELETE FROM rotulus_outbox AS entry USING gone WHERE entry.job = gone.id),
deleted AS (
  DELETE FROM rotulus_jobs AS job USING gone WHERE job.id = gone.id RETURNING job.id, task, queue),
noted AS (
  INSERT INTO rotulus_changes_new ({change_columns})
  SELECT rotulus_now(), 'job', id, 'deleted', task, queue FROM deleted WHERE {listened})
SELECT count(*) FROM gone;
