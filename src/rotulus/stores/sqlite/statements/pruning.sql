-- The pruning of old jobs.

-- name: outdated
-- Ended jobs that nobody needs, the oldest of a state first, until they have so many rows with their
-- parts: the last run goes whole.
SELECT json_group_array(DISTINCT seq) FROM (
  SELECT job.seq FROM rotulus_jobs AS job
  LEFT JOIN rotulus_jobs AS part ON part.run = job.run
  WHERE job.state = :state AND job.ended_at IS NOT NULL AND job.ended_at < :before
    AND (job.held_key IS NULL OR job.hold_until IS NULL OR job.hold_until <= :now)
    AND (job.run IS NULL OR job.run = job.id AND NOT EXISTS (
      SELECT 1 FROM rotulus_jobs AS other
      WHERE other.run = job.id AND other.ended_at IS NULL))
  ORDER BY job.ended_at LIMIT :limit);

-- name: forget_starts
-- Starts that count no longer.
DELETE FROM rotulus_starts WHERE counts_until <= :now;
